// The leader's view of one peer: what it has, what to send next, and when to wait.
import assert from 'node:assert'
import type { NodeId, SnapshotMetadata } from './saved.ts'
import { type SnapshotTransfer, startTransfer } from './snapshot.ts'

export type ProgressState = 'probe' | 'replicate' | 'snapshot' | 'relay'

type Limits = { readonly inflightMessagesMax: number; readonly inflightBytesMax: number }

/**
 * - `probe`: where the logs agree is unknown; one message at a time, then wait for an answer or a heartbeat's.
 * - `replicate`: stream optimistically within the in-flight window.
 * - `snapshot`: the log no longer reaches back to what the peer needs; no appends.
 * - `relay`: the peer pulls the log from others; it is sent nothing and reports now and then.
 *
 * Invariant: `0 <= match < next`.
 */
export class Progress {
  state: ProgressState = 'probe'
  match = 0
  next: number
  isProbePaused = false
  transfer: SnapshotTransfer | null = null
  /** Counted from the start of this view: a new leader, and a new member, are given their time. */
  ticksSinceHeard = 0
  wasHeard = false
  /** From whom the peer pulls the log, and how often it reports; null and 0 unless in `relay`. */
  upstream: NodeId | null = null
  reportTicks = 0
  /** Since it left `relay`; infinite when it never was there. */
  ticksSinceTakenBack = Number.POSITIVE_INFINITY
  /** The commit index that the last append carried. It may be lost; heartbeats make up for that. */
  commitTold = 0
  /** The newest round of leadership checks that the peer has answered. */
  roundAcked = 0
  private inflight: { lastIndex: number; bytes: number }[] = []
  private inflightBytes = 0
  private readonly limits: Limits

  constructor(next: number, limits: Limits) {
    assert(next >= 1, 'the next entry to send is an index')
    this.next = next
    this.limits = limits
  }

  get inflightMessages(): number {
    return this.inflight.length
  }

  get isWindowFull(): boolean {
    return (
      this.inflight.length >= this.limits.inflightMessagesMax ||
      this.inflightBytes >= this.limits.inflightBytesMax
    )
  }

  get isPaused(): boolean {
    if (this.state === 'probe') return this.isProbePaused
    return this.state !== 'replicate' || this.isWindowFull
  }

  tick(): void {
    this.ticksSinceHeard += 1
    this.ticksSinceTakenBack += 1
  }

  becomeProbe(): void {
    this.next = this.match + 1
    this.enter('probe')
  }

  becomeReplicate(): void {
    this.next = this.match + 1
    this.enter('replicate')
  }

  becomeSnapshot(snapshot: SnapshotMetadata): void {
    this.enter('snapshot')
    this.transfer = startTransfer(snapshot)
  }

  becomeRelay(upstream: NodeId, reportTicks: number): void {
    this.next = this.match + 1
    this.enter('relay')
    this.upstream = upstream
    this.reportTicks = reportTicks
  }

  /** An `append` with these entries left. */
  sent(count: number, bytes: number): void {
    if (this.state === 'probe') {
      this.isProbePaused = true
      return
    }
    assert(this.state === 'replicate', 'only a peer that is fed is appended to')
    if (count === 0) return
    this.next += count
    this.inflight.push({ lastIndex: this.next - 1, bytes })
    this.inflightBytes += bytes
  }

  /** The peer's disk has everything up to `index`. Returns whether that was news. */
  advance(index: number): boolean {
    this.release(index)
    if (index <= this.match) return false
    this.match = index
    this.next = Math.max(this.next, index + 1)
    this.isProbePaused = false
    return true
  }

  /**
   * The peer rejected an append after `prevIndex`; the logs agree at `possibleMatch` at best. Returns false for
   * an answer that is out of date, which must not move anything back.
   */
  retreat(prevIndex: number, possibleMatch: number): boolean {
    if (this.state === 'replicate') {
      if (prevIndex <= this.match) return false
      this.next = this.match + 1
      return true
    }
    if (this.next - 1 !== prevIndex) return false
    this.next = Math.max(Math.min(prevIndex, possibleMatch + 1), this.match + 1)
    this.isProbePaused = false
    return true
  }

  private enter(state: ProgressState): void {
    this.state = state
    this.isProbePaused = false
    this.transfer = null
    this.upstream = null
    this.reportTicks = 0
    this.inflight = []
    this.inflightBytes = 0
    assert(this.match < this.next, 'what is sent next lies beyond what has arrived')
  }

  private release(index: number): void {
    while (this.inflight.length > 0 && this.inflight[0]!.lastIndex <= index)
      this.inflightBytes -= this.inflight.shift()!.bytes
  }
}
