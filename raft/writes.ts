// What the disk has, what it was given, and what it must be given next.
import assert from 'node:assert'
import type { Log } from './log.ts'
import type { Persist } from './ready.ts'
import type { HardState, SnapshotMetadata } from './saved.ts'

/**
 * Every write has a sequence number, and the disk carries them out in order. A truncation lowers what the writes
 * still under way can prove: the acknowledgement of an entry that was cut off and came back later (from another
 * leader, with the same index and term) must not count for its second life (etcd's append ABA race).
 */
export class Writes {
  /** The disk is known to hold the log up to here. */
  persistedIndex: number
  private sequence = 0
  /** Entries up to here were given to the disk. */
  private handedIndex: number
  private handedState: HardState
  private underWay: { sequence: number; lastIndex: number }[] = []
  private snapshot: SnapshotMetadata | null = null
  private truncateFrom: number | null = null
  private compaction: Persist['compact'] = null

  constructor(lastIndex: number, hardState: HardState) {
    this.persistedIndex = lastIndex
    this.handedIndex = lastIndex
    this.handedState = hardState
  }

  /** The sequence number of the write that the present step will hand out. */
  get nextSequence(): number {
    return this.sequence + 1
  }

  truncated(from: number): void {
    if (from <= this.handedIndex) {
      this.truncateFrom = Math.min(this.truncateFrom ?? from, from)
      this.handedIndex = from - 1
    }
    this.forget(from - 1)
  }

  /** The log was replaced by a snapshot; of what was there before, only up to `commitIndex` is beyond doubt. */
  replaced(snapshot: SnapshotMetadata, commitIndex: number): void {
    this.snapshot = snapshot
    this.truncateFrom = null
    this.compaction = null
    this.handedIndex = snapshot.index
    this.forget(commitIndex)
  }

  compacted(snapshot: SnapshotMetadata, firstIndex: number): void {
    this.compaction = { snapshot, firstIndex }
  }

  /** The write for this step, or null when there is nothing to keep. A new commit index alone is not worth a write. */
  take(log: Log, hardState: HardState): Persist | null {
    const hasPromise = hardState.term !== this.handedState.term || hardState.vote !== this.handedState.vote
    const hasContent =
      this.snapshot !== null ||
      this.truncateFrom !== null ||
      this.compaction !== null ||
      log.lastIndex > this.handedIndex
    if (!hasPromise && !hasContent) return null

    const hasNewCommit = hardState.commit !== this.handedState.commit
    this.sequence += 1
    const persist: Persist = {
      sequence: this.sequence,
      hardState: hasPromise || hasNewCommit ? hardState : null,
      snapshot: this.snapshot,
      truncateFrom: this.truncateFrom,
      entries: log.slice(this.handedIndex + 1, log.lastIndex, Number.POSITIVE_INFINITY),
      compact: this.compaction,
    }
    this.handedIndex = log.lastIndex
    this.handedState = hardState
    this.snapshot = null
    this.truncateFrom = null
    this.compaction = null
    this.underWay.push({ sequence: this.sequence, lastIndex: this.handedIndex })
    return persist
  }

  /** Writes up to `sequence` are durable. */
  acknowledge(sequence: number): void {
    assert(sequence <= this.sequence, 'only writes that were handed out can be durable')
    while (this.underWay.length > 0 && this.underWay[0]!.sequence <= sequence)
      this.persistedIndex = Math.max(this.persistedIndex, this.underWay.shift()!.lastIndex)
  }

  private forget(through: number): void {
    this.persistedIndex = Math.min(this.persistedIndex, through)
    for (const write of this.underWay) write.lastIndex = Math.min(write.lastIndex, through)
  }
}
