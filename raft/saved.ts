// What a node keeps on disk, as plain data: every shape here survives msgpack and JSON unchanged (bytes aside).

/** Identity of a node: opaque, stable over restarts and address changes, never given to another machine. */
export type NodeId = string

/**
 * Which founding of the cluster a configuration belongs to: its first one is number 0, and each recovery from a permanent
 * loss of the quorum founds it anew, with the next number and a random mark. Terms cannot tell these apart: voters that
 * were left behind go on counting their own.
 */
export type Epoch = { readonly number: number; readonly mark: string }

/**
 * Who replicates and who counts. Lists are sorted and without duplicates.
 *
 * - `voters` elect and commit.
 * - `votersOutgoing` is empty except during joint consensus (thesis §4.3), when a majority of *both* lists is needed.
 * - `learners` receive the log and do not count. A voter that is being demoted stands in `votersOutgoing` and
 *   in `learners` at once: it still counts until the joint phase ends.
 * - `autoLeave`: the leader ends the joint phase by itself as soon as the joint entry is committed.
 * - `epoch`: absent in the first one. A change of membership keeps it; a log holds configurations of one epoch only.
 */
export type Configuration = {
  readonly voters: readonly NodeId[]
  readonly votersOutgoing: readonly NodeId[]
  readonly learners: readonly NodeId[]
  readonly autoLeave: boolean
  readonly epoch?: Epoch
}

/** A command of the embedder: opaque bytes. */
export type NormalEntry = {
  readonly type: 'normal'
  readonly index: number
  readonly term: number
  readonly data: Uint8Array
}

/** A new membership. It is in force from the moment it is appended, committed or not (thesis §4.1). */
export type ConfigurationEntry = {
  readonly type: 'configuration'
  readonly index: number
  readonly term: number
  readonly configuration: Configuration
}

/** The empty entry with which each leader opens its term, so that older entries can commit (paper §8). */
export type NoopEntry = { readonly type: 'noop'; readonly index: number; readonly term: number }

/** One entry of the log. `index` starts at 1 and has no gaps; `index` and `term` are safe integers. */
export type Entry = NormalEntry | ConfigurationEntry | NoopEntry

/** What identifies a snapshot of the state machine: the state after applying every entry up to `index`. */
export type SnapshotMetadata = {
  readonly index: number
  readonly term: number
  /** The membership in force at `index`. */
  readonly configuration: Configuration
}

/**
 * The promises a node must not forget. `commit` is a lower bound kept for a faster restart, not a promise:
 * it is written when something else is written anyway.
 */
export type HardState = { readonly term: number; readonly vote: NodeId | null; readonly commit: number }

/** Everything the core needs to continue after a restart: exactly what the sum of all `Ready.persist` left on disk. */
export type SavedState = {
  readonly hardState: HardState
  /** The newest durable snapshot, or null while none was ever taken. */
  readonly snapshot: SnapshotMetadata | null
  /**
   * The stored tail of the log, without gaps. It reaches back at least to `snapshot.index + 1` (or to 1 without
   * a snapshot), and further when a compaction kept trailing entries.
   */
  readonly entries: readonly Entry[]
}

export const emptyConfiguration: Configuration = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  autoLeave: false,
}

/**
 * The saved state of the first node of a new cluster: a log of one committed entry that makes `id` the only
 * voter. Write it to the disk before constructing `Raft`, once in the life of a cluster. A joiner receives that
 * entry like any other, so it must start from `joinerState()` instead.
 */
export const bootstrapState = (id: NodeId): SavedState => ({
  hardState: { term: 1, vote: null, commit: 1 },
  snapshot: null,
  entries: [
    { type: 'configuration', index: 1, term: 1, configuration: { ...emptyConfiguration, voters: [id] } },
  ],
})

/**
 * The saved state of the one voter of a cluster that is founded anew from what `id` holds: `snapshot` must be a durable
 * snapshot of that. `term` is the last one that this node has seen.
 */
export const refoundedState = (snapshot: SnapshotMetadata, term: number): SavedState => ({
  hardState: { term: term + 1, vote: null, commit: snapshot.index },
  snapshot,
  entries: [],
})

/**
 * The saved state of a node that hears of a newer epoch: it holds nothing of it yet. All that it promised was promised
 * to a cluster that is no more, so its terms and votes go with its log.
 */
export const enteringState = (epoch: Epoch): SavedState => ({
  hardState: { term: 0, vote: null, commit: 0 },
  snapshot: { index: 0, term: 0, configuration: { ...emptyConfiguration, epoch } },
  entries: [],
})

/** The saved state of a node that was never part of a cluster. It stays passive until a leader's log makes it a voter. */
export const joinerState = (): SavedState => ({
  hardState: { term: 0, vote: null, commit: 0 },
  snapshot: null,
  entries: [],
})
