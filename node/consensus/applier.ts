/** Applies committed entries to the store in slices, and says when a snapshot of the result is due. The raft actor owns one. */
import {
  type Configuration,
  type Entry,
  emptyConfiguration,
  type SnapshotMetadata,
} from '../../raft/index.ts'
import type { State } from '../../scheduler/index.ts'
import type { Startup } from './startup.ts'
import type { StoredSnapshot } from './storage.ts'
import { decodeState, type Settled, type WritableStore } from './store.ts'

/** Entries in one slice, so that heartbeats get their turn in between. */
const SLICE_ENTRIES_MAX = 256
/** What an entry without data counts for. */
const ENTRY_BYTES_MIN = 64

export type Applied = { readonly settled: readonly Settled[]; readonly index: number; readonly term: number }

export type SnapshotPolicy = {
  /** A snapshot is due after so many entries or so many bytes of them, whichever comes first. */
  readonly snapshotEntries: number
  readonly snapshotBytes: number
}

export class Applier {
  readonly #store: WritableStore
  readonly #policy: SnapshotPolicy
  #queue: Entry[] = []
  /** The membership as of the last applied entry: what a snapshot must carry. */
  #configuration: Configuration = emptyConfiguration
  #appliedIndex = 0
  #snapshotIndex = 0
  #bytesSinceSnapshot = 0
  #bytesAtSnapshot = 0

  /** The store may be ahead of the disk's snapshot when only the core was dropped: then its state goes on. */
  constructor(store: WritableStore, policy: SnapshotPolicy, startup: Startup) {
    this.#store = store
    this.#policy = policy
    const meta = startup.saved.snapshot
    this.#appliedIndex = meta?.index ?? 0
    this.#snapshotIndex = this.#appliedIndex
    this.#configuration = meta?.configuration ?? emptyConfiguration
    if (startup.snapshot !== null && store.state().index < this.#appliedIndex)
      store.replace(decodeState(startup.snapshot.data))
  }

  queue(entries: readonly Entry[]): void {
    this.#queue.push(...entries)
  }

  /** What the leader sent takes the place of everything, entries that still wait here included. */
  install(meta: SnapshotMetadata, state: State): void {
    this.#queue = []
    this.#appliedIndex = meta.index
    this.#snapshotIndex = meta.index
    this.#bytesSinceSnapshot = 0
    this.#bytesAtSnapshot = 0
    this.#configuration = meta.configuration
    this.#store.replace(state)
  }

  get hasMore(): boolean {
    return this.#queue.length > 0
  }

  /** Null when nothing waits. */
  next(): Applied | null {
    const slice = this.#queue.splice(0, SLICE_ENTRIES_MAX)
    const last = slice.at(-1)
    if (last === undefined) return null
    const settled = this.#store.applyAll(slice)
    for (const entry of slice) {
      if (entry.type === 'configuration') this.#configuration = entry.configuration
      this.#bytesSinceSnapshot += ENTRY_BYTES_MIN + (entry.type === 'normal' ? entry.data.byteLength : 0)
    }
    this.#appliedIndex = last.index
    return { settled, index: last.index, term: last.term }
  }

  get isSnapshotDue(): boolean {
    // A store that is ahead of the applied index must wait: its state belongs to a later entry.
    if (this.#store.state().index !== this.#appliedIndex) return false
    const entries = this.#appliedIndex - this.#snapshotIndex
    return entries >= this.#policy.snapshotEntries || this.#bytesSinceSnapshot >= this.#policy.snapshotBytes
  }

  /**
   * The log must keep `trailing` entries before the snapshot: those since the snapshot before it, so that a damaged one
   * can be made up for, and slow peers can catch up without it.
   */
  snapshot(): { readonly snapshot: StoredSnapshot; readonly trailing: number } {
    const { index, term } = this.#store.state()
    this.#bytesAtSnapshot = this.#bytesSinceSnapshot
    const meta = { index, term, configuration: this.#configuration }
    return { snapshot: { meta, data: this.#store.encoded() }, trailing: index - this.#snapshotIndex }
  }

  /** That snapshot is durable; false when an installed one has overtaken it. */
  snapshotTaken(index: number): boolean {
    if (index <= this.#snapshotIndex) return false
    this.#snapshotIndex = index
    this.#bytesSinceSnapshot -= this.#bytesAtSnapshot
    return true
  }
}
