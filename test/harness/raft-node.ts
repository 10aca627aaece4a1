/** A node around the raft core for tests: a disk that can forget, a state machine of lines, snapshots in memory. */
import type { Entry, Input, Options, Persist, Ready, SavedState, SnapshotMetadata } from '../../raft/index.ts'
import { type Envelope, Raft } from '../../raft/index.ts'

/** What one write makes of what is stored. */
export const afterWrite = (saved: SavedState, write: Persist): SavedState => {
  let { snapshot, entries } = saved
  if (write.snapshot !== null) {
    snapshot = write.snapshot
    entries = []
  }
  const { truncateFrom, compact } = write
  if (truncateFrom !== null)
    entries = entries.slice(0, Math.max(0, truncateFrom - (entries[0]?.index ?? truncateFrom)))
  if (write.entries.length > 0) entries = [...entries, ...write.entries]
  if (compact !== null) {
    snapshot = compact.snapshot
    entries = entries.filter(entry => entry.index >= compact.firstIndex)
  }
  return { hardState: write.hardState ?? saved.hardState, snapshot, entries }
}

type Write = {
  readonly persist: Persist | null
  readonly envelopes: readonly Envelope[]
  readonly bytes: Uint8Array
}

const NOTHING = new Uint8Array()

export class RaftNode {
  readonly id: string
  raft: Raft | null = null
  /** What survives a crash. */
  disk: SavedState
  /** What the core believes to have, durable or not. */
  memory: SavedState
  /** The state machine: one line per command applied. */
  lines: string[] = []
  writes: Write[] = []
  readonly snapshots = new Map<number, Uint8Array>()
  private collected: Uint8Array[] = []
  private readonly options: Options
  private readonly random: () => number
  private readonly onReady: (node: RaftNode, input: Input, ready: Ready) => void

  constructor(
    id: string,
    saved: SavedState,
    options: Options,
    world: { random: () => number; onReady: (node: RaftNode, input: Input, ready: Ready) => void },
  ) {
    this.id = id
    this.disk = saved
    this.memory = saved
    this.options = options
    this.random = world.random
    this.onReady = world.onReady
    this.start()
  }

  start(): void {
    this.memory = this.disk
    this.lines = this.disk.snapshot ? this.decode(this.disk.snapshot) : []
    this.raft = new Raft(this.id, this.disk, this.options, this.random)
  }

  /** Whatever was not durable is lost. */
  crash(): void {
    this.raft = null
    this.writes = []
    this.collected = []
  }

  /** Take a step and everything that follows from it without disk or network. */
  step(input: Input): void {
    const inputs: Input[] = [input]
    while (this.raft && inputs.length > 0) {
      const next = inputs.shift()!
      const ready = this.raft.step(next)
      this.obey(ready, inputs)
      this.onReady(this, next, ready)
    }
  }

  /** The oldest write becomes durable. Returns the envelopes that waited for it. */
  flushOne(): readonly Envelope[] {
    const write = this.writes.shift()
    if (!write) return []
    const { persist } = write
    if (persist) {
      this.disk = afterWrite(this.disk, persist)
      if (persist.snapshot) this.snapshots.set(persist.snapshot.index, write.bytes)
    }
    return write.envelopes
  }

  /** Tell the core, after the envelopes have left, that writes up to this one are durable. */
  acknowledge(sequence: number): void {
    this.step({ type: 'persisted', sequence })
  }

  /** Snapshot the state machine as it is and drop the log before it. */
  compact(trailing: number): void {
    const index = this.raft!.status().appliedIndex
    this.snapshots.set(index, new TextEncoder().encode(JSON.stringify(this.lines)))
    this.step({ type: 'compact', index, trailing })
  }

  /** The entry at `index` as the core believes to have it. */
  remembers(index: number): Entry | undefined {
    return this.memory.entries[index - (this.memory.entries[0]?.index ?? 0)]
  }

  private obey(ready: Ready, inputs: Input[]): void {
    if (ready.persist) this.memory = afterWrite(this.memory, ready.persist)
    for (const { snapshot, offset, data, isLast } of ready.snapshotWrites) {
      if (offset === 0) this.collected = []
      this.collected.push(data)
      if (isLast) inputs.push({ type: 'snapshotReceived', index: snapshot.index })
    }
    const isWhole = ready.install !== null || ready.persist?.snapshot != null
    const bytes = isWhole ? new Uint8Array(Buffer.concat(this.collected)) : NOTHING
    if (ready.persist || ready.sendAfterPersist.length > 0)
      this.writes.push({ persist: ready.persist, envelopes: ready.sendAfterPersist, bytes })
    if (ready.install) {
      this.snapshots.set(ready.install.index, bytes)
      this.lines = this.decode(ready.install)
      inputs.push({ type: 'applied', index: ready.install.index })
    }
    for (const entry of ready.apply)
      if (entry.type === 'normal') this.lines.push(`${entry.index}/${entry.term} ${textOf(entry)}`)
    const lastApplied = ready.apply.at(-1)
    if (lastApplied) inputs.push({ type: 'applied', index: lastApplied.index })
    for (const { to, snapshot, offset, bytesMax } of ready.snapshotReads) {
      const whole = this.snapshots.get(snapshot.index)
      if (!whole) inputs.push({ type: 'snapshotReadFailed', to, index: snapshot.index })
      else {
        const data = whole.slice(offset, offset + bytesMax)
        const isLast = offset + data.length === whole.length
        inputs.push({ type: 'snapshotBytes', to, index: snapshot.index, offset, data, isLast })
      }
    }
  }

  private decode(snapshot: SnapshotMetadata): string[] {
    return JSON.parse(new TextDecoder().decode(this.snapshots.get(snapshot.index)!))
  }
}

/** The command of an entry, or what it is instead. */
export const textOf = (entry: Entry): string =>
  entry.type === 'normal' ? new TextDecoder().decode(entry.data) : entry.type
