// Everything that can happen to a node, as seen by the core.
import type { Envelope } from './message.ts'
import type { NodeId } from './saved.ts'

/**
 * One unit of time has passed; the embedder chooses the unit and derives the options from it (`defaultOptions`).
 * After a stall send one tick, not a burst for the lost time: the leader's messages may be waiting in a queue.
 */
export type Tick = { readonly type: 'tick'; readonly now?: Now }

/**
 * For leases (`Options.leaseTicks`): the embedder's time in ticks, with fractions, read for this very input after it was
 * asked for. From a clock that never goes back, runs while the process does not, and counts the sleep of the machine.
 * Ticks themselves are no measure: a process that stood still has none. Without it no read is answered by a lease.
 */
export type Now = number

/** A message arrived. It may be late, doubled, out of order or nonsense. */
export type Receive = { readonly type: 'receive'; readonly envelope: Envelope }

/** A command to replicate. `key` is the embedder's name for the answer and does not enter the log. */
export type Proposal = { readonly key: string; readonly data: Uint8Array }

/** Append these commands, in this order. Each is answered in `Ready.proposals` of the same step. */
export type Propose = { readonly type: 'propose'; readonly proposals: readonly Proposal[] }

/** The part `node` shall play from now on. Promoting a learner is `voter`, demoting a voter is `learner`. */
export type RoleChange = { readonly node: NodeId; readonly role: 'voter' | 'learner' | 'removed' }

/**
 * Change the membership. At most one changed voter is done in one step, more by joint consensus. With `autoLeave`
 * the leader ends the joint phase itself; without it, propose an empty list of changes to end it. Answered in
 * `Ready.proposals` of the same step. Policy (a learner should have caught up before it becomes a voter, odd
 * counts, failure domains) is the embedder's: `status().peers` has the facts.
 */
export type ProposeConfiguration = {
  readonly type: 'proposeConfiguration'
  readonly key: string
  readonly changes: readonly RoleChange[]
  readonly autoLeave: boolean
}

/** Ask for a linearizable read. Answered later in `Ready.reads` under the same key, for certain, and once. */
export type Read = { readonly type: 'read'; readonly key: string; readonly now?: Now }

/** Every `Ready.persist` up to and including this sequence number is durable. */
export type Persisted = { readonly type: 'persisted'; readonly sequence: number }

/** The state machine has applied every entry (or installed the snapshot) up to this index. */
export type Applied = { readonly type: 'applied'; readonly index: number }

/** Hand leadership to this voter, or with null to the voter whose log is longest among those that are not reluctant, if any. Ignored (with a fact) when not leader. */
export type TransferLeadership = { readonly type: 'transferLeadership'; readonly to: NodeId | null }

/**
 * Whether this node would rather not lead: it is drained, or its disk or its loop is slow. It still votes, obeys a
 * transfer and campaigns when nobody else does, only later; and those who hand over of themselves pass it by.
 */
export type Reluctance = { readonly type: 'reluctance'; readonly isReluctant: boolean }

/**
 * The embedder holds a durable snapshot of its state as of `index` (≤ applied, > the previous snapshot's).
 * The core answers with `Ready.persist.compact`, and keeps `trailing` entries before `index` for slow peers.
 */
export type Compact = { readonly type: 'compact'; readonly index: number; readonly trailing: number }

/** Answer to a `SnapshotRead`: the bytes from `offset` on, at most `bytesMax` of them. */
export type SnapshotBytes = {
  readonly type: 'snapshotBytes'
  readonly to: NodeId
  readonly index: number
  readonly offset: number
  readonly data: Uint8Array
  readonly isLast: boolean
}

/** A `SnapshotRead` could not be answered (file gone, disk error). The core tries again later with its newest snapshot. */
export type SnapshotReadFailed = {
  readonly type: 'snapshotReadFailed'
  readonly to: NodeId
  readonly index: number
}

/** The chunk with `isLast` was received and the whole passed its checks: the snapshot may replace the state. */
export type SnapshotReceived = { readonly type: 'snapshotReceived'; readonly index: number }

/** The received snapshot is damaged or could not be kept: forget it, the leader will start again. */
export type SnapshotReceiveFailed = { readonly type: 'snapshotReceiveFailed'; readonly index: number }

/**
 * The connection to `peer` was reset or refused: the process at the other end is gone. If it was the leader, a
 * pre-vote starts at once. Do not report a mere timeout here.
 */
export type PeerDisconnected = { readonly type: 'peerDisconnected'; readonly peer: NodeId }

/** A message to `peer` was dropped on the way out. The leader stops streaming to it until it answers. */
export type Unreachable = { readonly type: 'unreachable'; readonly peer: NodeId }

export type Input =
  | Tick
  | Receive
  | Propose
  | ProposeConfiguration
  | Read
  | Persisted
  | Applied
  | TransferLeadership
  | Reluctance
  | Compact
  | SnapshotBytes
  | SnapshotReadFailed
  | SnapshotReceived
  | SnapshotReceiveFailed
  | PeerDisconnected
  | Unreachable
