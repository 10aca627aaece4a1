/**
 * Durable storage as the raft actor needs it: the log and hard state behind `LogStore`, state snapshots behind
 * `SnapshotStore`. Implementations: sqlite in a worker thread with files beside it, and a virtual disk in simulation.
 */
import { epochOf, type Persist, type SavedState, type SnapshotMetadata } from '../../raft/index.ts'

/** One atomic write, applied as a whole or not at all; the parts take effect in the order of `Persist`'s fields. */
export type LogWrite = Omit<Persist, 'sequence'>

/**
 * Failures: E_DISK_FULL (nothing of it was written; `load` makes the store usable again), E_DISK_FAILED (never
 * retried: after a failed fsync nothing is known), E_DISK_DAMAGED (with what to try), E_CONFLICT (another process has it open).
 */
export type LogStore = {
  /**
   * Reads everything written so far, waiting writes included, and verifies checksums; null when nothing was ever
   * written. A torn tail that was never acknowledged is cut; damage anywhere else throws E_DISK_DAMAGED.
   */
  load(): Promise<SavedState | null>
  /**
   * Resolves once durable (fsync). Calls are applied in order; several waiting ones may share one fsync. After a
   * failure every later write fails too, until `load` succeeded.
   */
  write(write: LogWrite): Promise<void>
  /** Ends after the waiting writes; later calls fail. Idempotent. */
  close(): Promise<void>
}

export type StoredSnapshot = { readonly meta: SnapshotMetadata; readonly data: Uint8Array }

export type SnapshotBytes = { readonly data: Uint8Array; readonly isLast: boolean }

/** One snapshot, to be read piece by piece for as long as it takes, also when newer ones have taken its place. */
export type SnapshotReader = {
  /** From `offset`, at most so many; fewer only at the end or where a piece ends. Rejects when they are damaged. */
  read(offset: number, bytesMax: number): Promise<SnapshotBytes>
  close(): Promise<void>
}

export type SnapshotStore = {
  /** The intact ones, newest first, at most SNAPSHOTS_KEPT; damaged ones are skipped and reported in the log. */
  load(): Promise<readonly StoredSnapshot[]>
  /** Atomic: temporary file, fsync, rename, fsync of the directory. Keeps the newest SNAPSHOTS_KEPT. */
  save(snapshot: StoredSnapshot): Promise<void>
  /** Null when it is not there (any more) or its beginning is damaged. */
  open(meta: SnapshotMetadata): Promise<SnapshotReader | null>
}

/** The newest, and one to fall back on should it be damaged: the log keeps the entries since the older one. */
export const SNAPSHOTS_KEPT = 2

/** Newest first. What a recovery discarded is older than all that came after it, whatever its index. */
export const byAge = (left: SnapshotMetadata, right: SnapshotMetadata): number =>
  epochOf(right.configuration).number - epochOf(left.configuration).number ||
  right.index - left.index ||
  right.term - left.term
