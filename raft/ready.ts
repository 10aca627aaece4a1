// What one step asks of the embedder. The type separates what may leave at once from what must wait for the disk.
import type { Fact } from './facts.ts'
import type { Envelope } from './message.ts'
import type { Entry, HardState, NodeId, SnapshotMetadata } from './saved.ts'

/**
 * One atomic write. Do the parts in the order of the fields, in one transaction; several writes may share one
 * transaction and one fsync (group commit) as long as their order is kept.
 */
export type Persist = {
  /** Counts the writes of this process from 1, without gaps. Give it back in `persisted`. */
  readonly sequence: number
  /** Replace the stored term, vote and commit. */
  readonly hardState: HardState | null
  /**
   * A snapshot received from the leader takes the place of everything: delete all stored entries and the old
   * snapshot, keep this one with the bytes collected from `snapshotWrites`.
   */
  readonly snapshot: SnapshotMetadata | null
  /** Delete every stored entry with this index or a greater one. */
  readonly truncateFrom: number | null
  /** Append these; the first follows the last stored entry. */
  readonly entries: readonly Entry[]
  /** Record this snapshot (its bytes are durable already) and delete stored entries with an index below `firstIndex`. */
  readonly compact: { readonly snapshot: SnapshotMetadata; readonly firstIndex: number } | null
}

/**
 * `granted`: every write acknowledged before the read was asked is in the state machine now; `index` is the
 * index the read had to wait for. `refused`: nothing is known; ask again.
 */
export type ReadResult =
  | { readonly type: 'granted'; readonly key: string; readonly index: number }
  | {
      readonly type: 'refused'
      readonly key: string
      readonly reason: 'noLeader' | 'leaderChanged' | 'timedOut' | 'busy'
    }

/**
 * Why a proposal was not appended. Nothing happened, so it may be proposed again.
 *
 * - `notLeader`: ask `leader`, if one is known.
 * - `busy`: too many bytes wait for a quorum. Back off.
 * - `transferring`: leadership is being handed over. Retry in a moment.
 * - `tooLarge`: more than `entryBytesMax`. Never accepted.
 * - `notReady` (configuration): the leader has not yet committed an entry of its own term (raft-dev 2015).
 * - `changeInFlight` (configuration): an earlier change is not committed or its joint phase not over.
 * - `invalid` (configuration): the change names a node twice, leaves no voter, or changes nothing; `detail` says it.
 */
export type ProposalRefusal =
  | { readonly reason: 'notLeader'; readonly leader: NodeId | null }
  | { readonly reason: 'busy' | 'transferring' | 'tooLarge' | 'notReady' | 'changeInFlight' }
  | { readonly reason: 'invalid'; readonly detail: string }

/**
 * `accepted` means appended, not committed: the proposal succeeded when the entry applied at `index` has this
 * `term`, and is lost when an entry with another term is applied there. When a snapshot passes over `index`
 * its fate is unknown.
 */
export type ProposalResult =
  | { readonly type: 'accepted'; readonly key: string; readonly index: number; readonly term: number }
  | { readonly type: 'refused'; readonly key: string; readonly refusal: ProposalRefusal }

/** The leader needs bytes of a snapshot for `to`. Answer with `snapshotBytes` or `snapshotReadFailed`, at leisure. */
export type SnapshotRead = {
  readonly to: NodeId
  readonly snapshot: SnapshotMetadata
  readonly offset: number
  readonly bytesMax: number
}

/**
 * Bytes of a snapshot that the leader is sending. `offset` 0 starts afresh: drop what was collected before.
 * After the chunk with `isLast`, check the whole and answer `snapshotReceived` or `snapshotReceiveFailed`.
 */
export type SnapshotWrite = {
  readonly snapshot: SnapshotMetadata
  readonly offset: number
  readonly data: Uint8Array
  readonly isLast: boolean
}

/** See the numbered duties in `index.ts`. Entries and bytes are shared with the core: do not change them. */
export type Ready = {
  readonly persist: Persist | null
  /** May leave before the disk answers. */
  readonly sendNow: readonly Envelope[]
  /** Promises to others: only once this Ready's write, and every earlier one, is durable. */
  readonly sendAfterPersist: readonly Envelope[]
  /** Replace the state machine by this received snapshot, before applying `apply`. */
  readonly install: SnapshotMetadata | null
  /** Committed and durable here: apply in order. */
  readonly apply: readonly Entry[]
  readonly reads: readonly ReadResult[]
  readonly proposals: readonly ProposalResult[]
  readonly snapshotReads: readonly SnapshotRead[]
  readonly snapshotWrites: readonly SnapshotWrite[]
  /** What happened, for logs, metrics and transcripts; the core itself never logs. */
  readonly facts: readonly Fact[]
}
