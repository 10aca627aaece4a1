// What nodes say to each other. A union of plain data: the embedder encodes it, the core never sees bytes on a wire.
import type { Entry, NodeId, SnapshotMetadata } from './saved.ts'

/** Would you vote for me in `term` (my term plus one)? Binds nobody (thesis §9.6). */
export type PreVote = {
  readonly type: 'preVote'
  readonly term: number
  readonly lastIndex: number
  readonly lastTerm: number
}

/** `term` echoes the asked term when granted, and is the refuser's own term otherwise. */
export type PreVoteResult = {
  readonly type: 'preVoteResult'
  readonly term: number
  readonly granted: boolean
}

/** Vote for me in `term`. `isTransfer`: the leader itself asked for this election, so its lease does not protect it. */
export type Vote = {
  readonly type: 'vote'
  readonly term: number
  readonly lastIndex: number
  readonly lastTerm: number
  readonly isTransfer: boolean
}

export type VoteResult = { readonly type: 'voteResult'; readonly term: number; readonly granted: boolean }

/**
 * Entries that follow (`prevIndex`, `prevTerm`), and the leader's commit index. `isNews`: that index alone is why this was
 * sent, and nobody waits for an answer unless the logs differ. Absent, also from older nodes, which answer it in vain.
 */
export type Append = {
  readonly type: 'append'
  readonly term: number
  readonly prevIndex: number
  readonly prevTerm: number
  readonly entries: readonly Entry[]
  readonly commit: number
  readonly isNews?: true
}

/** A promise: my disk holds the leader's log up to `match`. */
export type Appended = { readonly type: 'appended'; readonly term: number; readonly match: number }

/**
 * My log does not hold the asked (`prevIndex`, prevTerm). The largest index at which the two logs can agree is
 * `hintIndex`, where my entry has `hintTerm`.
 */
export type AppendRejected = {
  readonly type: 'appendRejected'
  readonly term: number
  readonly prevIndex: number
  readonly hintIndex: number
  readonly hintTerm: number
}

/** I still lead. `round` counts the heartbeats of this term: reads wait for the answer to one, relays tell old from new by it. */
export type Heartbeat = {
  readonly type: 'heartbeat'
  readonly term: number
  /** What is committed of what you surely have. */
  readonly commit: number
  /** What is committed, when it is more. */
  readonly commitBeyond?: number
  readonly round: number
}

/** `keepsLease`: and I help nobody else to be elected for as long as a lease lasts (lease.ts). Absent: I promise nothing. */
export type HeartbeatResult = {
  readonly type: 'heartbeatResult'
  readonly term: number
  readonly round: number
  readonly keepsLease?: true
  /** I would rather not lead. */
  readonly isReluctant?: true
}

/** One chunk of the snapshot's bytes, from `offset`. One chunk is under way at a time. */
export type InstallSnapshot = {
  readonly type: 'installSnapshot'
  readonly term: number
  readonly snapshot: SnapshotMetadata
  readonly offset: number
  readonly data: Uint8Array
  readonly isLast: boolean
}

/** Of the snapshot at `index` I hold the first `nextOffset` bytes: go on from there. Flow control, not a promise. */
export type SnapshotProgress = {
  readonly type: 'snapshotProgress'
  readonly term: number
  readonly index: number
  readonly nextOffset: number
}

/** Campaign at once: leadership is handed to you (thesis §3.10). */
export type TimeoutNow = { readonly type: 'timeoutNow'; readonly term: number }

/** A follower asks the leader from which index a read is linearizable. `id` is the follower's own count. */
export type ReadIndex = { readonly type: 'readIndex'; readonly term: number; readonly id: number }

/** `index` is null when the leader had to refuse. */
export type ReadIndexResult = {
  readonly type: 'readIndexResult'
  readonly term: number
  readonly id: number
  readonly index: number | null
}

/**
 * The leader does not feed you any longer: pull the log from the first of `upstreams`, or from the next ones when it brings
 * no sign of the leader for `patienceTicks`, and report every `reportTicks`. An empty list: the leader feeds you again.
 */
export type AssignUpstreams = {
  readonly type: 'assignUpstreams'
  readonly term: number
  readonly upstreams: readonly NodeId[]
  readonly reportTicks: number
  readonly patienceTicks: number
}

/** Tell me what is committed beyond `commit`, or of the leader beyond its `round`, as soon as you know of it. */
export type Pull = {
  readonly type: 'pull'
  readonly term: number
  readonly commit: number
  readonly round: number
}

/**
 * Entries that follow (`prevIndex`, `prevTerm`). All of them, and what they follow, are committed, and whoever sends them
 * knows it. `leader` leads in `term` (null: not known); it was heard `age` ticks ago and `round` is its newest heartbeat.
 * As far as was heard `commitAge` ticks ago (null: it is not certain) the log is committed up to `commit`, which may be more
 * than is sent.
 */
export type Pulled = {
  readonly type: 'pulled'
  readonly term: number
  readonly leader: NodeId | null
  readonly round: number
  readonly age: number
  readonly commit: number
  readonly commitAge: number | null
  readonly prevIndex: number
  readonly prevTerm: number
  readonly entries: readonly Entry[]
}

/** Pull from somebody else. */
export type PullRefused = { readonly type: 'pullRefused'; readonly term: number }

/**
 * To the leader: my disk holds the committed log up to `match`, and I get it from `upstream` (null: from nobody, so feed
 * me). No promise that anything could be committed by: it was committed before.
 */
export type Report = {
  readonly type: 'report'
  readonly term: number
  readonly match: number
  readonly upstream: NodeId | null
}

/** You speak for a term that is over. Frees a leader or candidate that lags behind, and a node stuck in a newer term. */
export type NewerTerm = { readonly type: 'newerTerm'; readonly term: number }

export type Message =
  | PreVote
  | PreVoteResult
  | Vote
  | VoteResult
  | Append
  | Appended
  | AppendRejected
  | Heartbeat
  | HeartbeatResult
  | InstallSnapshot
  | SnapshotProgress
  | TimeoutNow
  | ReadIndex
  | ReadIndexResult
  | AssignUpstreams
  | Pull
  | Pulled
  | PullRefused
  | Report
  | NewerTerm

/** A message with its addresses. The transport must have proved that `from` sent it. */
export type Envelope = { readonly from: NodeId; readonly to: NodeId; readonly message: Message }
