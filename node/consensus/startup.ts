/** Which snapshot to start from, given what the log and the snapshot files hold. Pure; reading is done by the raft actor. */
import {
  bootstrapState,
  compareEpochs,
  epochOf,
  joinerState,
  refoundedState,
  type SavedState,
} from '../../raft/index.ts'
import { damageFailure } from '../durable-file.ts'
import type { LogStore, LogWrite, SnapshotStore, StoredSnapshot } from './storage.ts'

export type Startup = {
  readonly saved: SavedState
  /** The bytes of `saved.snapshot`; null when the state machine starts empty. */
  readonly snapshot: StoredSnapshot | null
}

export type Choice = Startup & {
  /** The log is from before the snapshot was installed: that must be finished on disk first. */
  readonly mustReset: boolean
}

/**
 * Reads the disk. An unused one becomes the first node of a new cluster when `bootstrap` is set (written before this
 * resolves), and a joiner otherwise. Throws E_DISK_DAMAGED when no intact snapshot fits the log.
 */
export const loadStartup = async (options: {
  readonly id: string
  readonly bootstrap: boolean
  readonly logStore: LogStore
  readonly snapshotStore: SnapshotStore
  /** The disk was full: only one that takes a write again will do. */
  readonly mustWrite: boolean
}): Promise<Startup> => {
  const stored = await options.logStore.load()
  if (stored !== null) {
    const { saved, snapshot, mustReset } = chooseStart(stored, await options.snapshotStore.load())
    const { hardState } = saved
    if (mustReset) await options.logStore.write({ ...NOTHING, hardState, snapshot: saved.snapshot })
    else if (options.mustWrite) await options.logStore.write({ ...NOTHING, hardState })
    return { saved, snapshot }
  }
  if (!options.bootstrap) return { saved: joinerState(), snapshot: null }
  const saved = bootstrapState(options.id)
  await options.logStore.write({ ...NOTHING, hardState: saved.hardState, entries: saved.entries })
  return { saved, snapshot: null }
}

const NOTHING: LogWrite = { hardState: null, snapshot: null, truncateFrom: null, entries: [], compact: null }

/**
 * The newest intact snapshot. One newer than the log's own record was made durable just before a crash. When the log holds
 * its last entry, of the same term, both tell the same story and the log goes on; otherwise it came from the leader, and
 * the log, which had to give way to it, does so now. One older than the record serves when the recorded one is damaged
 * and the log still reaches back to it; so does none at all for a log from entry 1. One of a newer epoch is a recovery
 * that was cut short by a crash, and is finished; those of an older one are what a recovery left behind.
 */
export const chooseStart = (stored: SavedState, all: readonly StoredSnapshot[]): Choice => {
  const orderOf = ({ meta }: StoredSnapshot) =>
    compareEpochs(epochOf(meta.configuration), epochOf(stored.snapshot?.configuration))
  const refounded = all.find(one => orderOf(one) === 'newer')
  if (refounded !== undefined)
    return {
      saved: refoundedState(refounded.meta, stored.hardState.term),
      snapshot: refounded,
      mustReset: true,
    }
  const snapshots = all.filter(one => orderOf(one) === 'same')
  const recordedIndex = stored.snapshot?.index ?? 0
  const firstIndex = stored.entries[0]?.index ?? recordedIndex + 1
  const newest = snapshots[0]
  if (newest !== undefined && newest.meta.index > recordedIndex && !holds(stored, newest))
    return { saved: installed(stored, newest), snapshot: newest, mustReset: true }
  const found =
    snapshots.find(({ meta }) => meta.index >= recordedIndex || firstIndex <= meta.index + 1) ?? null
  if (found === null && recordedIndex > 0 && firstIndex > 1)
    throw damageFailure(
      `the snapshot of entry ${recordedIndex} is missing or damaged, and the log begins with entry ${firstIndex}`,
      'the state between them cannot be rebuilt from this disk',
    )
  const commit = Math.max(stored.hardState.commit, recordedIndex, found?.meta.index ?? 0)
  const saved = {
    hardState: { ...stored.hardState, commit },
    // Of a node that has entered an epoch and holds nothing of it yet, this much is known.
    snapshot: found?.meta ?? (recordedIndex === 0 ? stored.snapshot : null),
    entries: stored.entries,
  }
  return { saved, snapshot: found, mustReset: false }
}

const holds = (stored: SavedState, { meta }: StoredSnapshot): boolean =>
  stored.entries.some(entry => entry.index === meta.index && entry.term === meta.term)

/** A node that has seen a term, if only in a snapshot, is in it; it has not voted there. */
const installed = ({ hardState }: SavedState, { meta }: StoredSnapshot): SavedState => ({
  hardState: {
    term: Math.max(hardState.term, meta.term),
    vote: meta.term > hardState.term ? null : hardState.vote,
    commit: meta.index,
  },
  snapshot: meta,
  entries: [],
})
