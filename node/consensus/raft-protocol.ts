/** What the raft actor is given, what may be asked of it, what it answers, and what it tells. */
import type { Options } from '../../raft/index.ts'
import type { Failure } from '../errors.ts'
import type { SnapshotPolicy } from './applier.ts'
import type { ConsensusStatus, PeerId } from './consensus.ts'
import type { SnapshotMessage } from './snapshot-traffic.ts'
import type { Startup } from './startup.ts'
import type { LogStore, SnapshotStore } from './storage.ts'
import type { Settled, WritableStore } from './store.ts'

/** `accepted` means appended on the leader, not committed. The reasons are those of the core's `ProposalRefusal`, and one more. */
export type ProposeReply =
  | { readonly type: 'accepted'; readonly index: number; readonly term: number }
  | { readonly type: 'refused'; readonly reason: ProposeRefusalReason; readonly detail: string }

export type ProposeRefusalReason =
  | 'notLeader'
  | 'busy'
  | 'transferring'
  | 'tooLarge'
  | 'notReady'
  | 'changeInFlight'
  | 'invalid'
  /** Said by a leader to another node only: the command is not the sender's to propose. */
  | 'forbidden'

export type ReadReply =
  | { readonly type: 'granted'; readonly index: number }
  | { readonly type: 'refused'; readonly reason: 'noLeader' | 'leaderChanged' | 'timedOut' | 'busy' }

export type ConfigureReply =
  | { readonly type: 'done' }
  | { readonly type: 'refused'; readonly reason: ProposeRefusalReason; readonly detail: string }

/** `done`: this node leads no more (or never did). */
export type TransferReply = { readonly type: 'done' } | { readonly type: 'aborted'; readonly reason: string }

/** `keptIn`: where what was on the disk before was kept; null: nowhere. */
export type RecoverReply =
  | { readonly type: 'done'; readonly keptIn: string | null; readonly index: number; readonly term: number }
  | { readonly type: 'failed'; readonly thrown: unknown }
  /** A leader is known; or else there is no log here to found anything from. */
  | { readonly type: 'refused'; readonly leader: PeerId | null }

export type ReplyTo<Reply> = (reply: Reply) => void

export type RaftRequest =
  | { readonly type: 'raft/Propose'; readonly data: Uint8Array; readonly replyTo: ReplyTo<ProposeReply> }
  | { readonly type: 'raft/Read'; readonly replyTo: ReplyTo<ReadReply> }
  | {
      readonly type: 'raft/Configure'
      readonly voters: readonly PeerId[]
      readonly learners: readonly PeerId[]
      readonly replyTo: ReplyTo<ConfigureReply>
    }
  | {
      readonly type: 'raft/Transfer'
      readonly to: PeerId | null
      readonly replyTo: ReplyTo<TransferReply>
    }
  /** Makes this node the one voter of a cluster founded anew from its log. `mark`: random, tells this recovery from all others. */
  | { readonly type: 'raft/Recover'; readonly mark: string; readonly replyTo: ReplyTo<RecoverReply> }
  /** From the transport: the sender is proven, the message is not yet checked. */
  | { readonly type: 'raft/Received'; readonly from: PeerId; readonly message: unknown }
  /** A connection was reset or refused; not a mere timeout. */
  | { readonly type: 'raft/PeerGone'; readonly peer: PeerId }

export type RaftSettings = SnapshotPolicy & {
  readonly tickMs: number
  readonly core: Options
  /** How long a node that stood still would rather not lead. */
  readonly restMs: number
  /** Pause before a node whose disk was full tries again. */
  readonly diskRetryMs: number
}

/** What the actor tells the rest of the folder; called synchronously, must not throw. */
export type RaftListener = {
  started(): void
  /** The disk refuses. `started` is called again should it come back. */
  failed(failure: Failure): void
  settled(settled: readonly Settled[]): void
  /** The leader that this node believes in, or nobody. Called when leader or term change. */
  leaderChanged(leader: PeerId | null, term: number): void
  /** True once this node leads and has applied an entry of its own term; false when it leads no more. */
  leading(isLeading: boolean): void
}

export type RaftDeps = {
  readonly id: PeerId
  readonly bootstrap: boolean
  readonly settings: RaftSettings
  readonly logStore: LogStore
  readonly snapshotStore: SnapshotStore
  readonly store: WritableStore
  readonly listener: RaftListener
  /** Keeps a copy of the log and the snapshots as they are on disk, and says where; null: nothing is kept (simulation). */
  keepCopy(name: string): Promise<string | null>
  /** False: dropped on the way out. */
  send(to: PeerId, message: unknown): boolean
  /** Where the actor leaves a way to look at it; read between messages. */
  readonly view: { current: () => ConsensusStatus }
}

/** Private messages carry the life of the core that they belong to: those of a dropped core are ignored. */
export type RaftMessage =
  | RaftRequest
  | SnapshotMessage
  | { readonly type: 'raft/Load' }
  | { readonly type: 'raft/Loaded'; readonly startup: Startup }
  | { readonly type: 'raft/NotLoaded'; readonly thrown: unknown }
  | { readonly type: 'raft/Tick' }
  | { readonly type: 'raft/Flush' }
  | { readonly type: 'raft/Gathered' }
  | { readonly type: 'raft/Apply'; readonly life: symbol }
  | { readonly type: 'raft/Unreachable'; readonly life: symbol; readonly peer: PeerId }
  | {
      readonly type: 'raft/Persisted'
      readonly life: symbol
      readonly sequence: number
      readonly sinceMs: number
    }
  | { readonly type: 'raft/DiskFailed'; readonly life: symbol; readonly thrown: unknown }
