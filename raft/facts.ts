// What a step brought about, for logs, metrics, subscribers and transcripts. Facts carry no duty.
import type { Message } from './message.ts'
import type { ProgressState } from './progress.ts'
import type { Configuration, NodeId } from './saved.ts'

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader'

export type Fact =
  /** `leader` is null until one is heard of. */
  | { readonly type: 'becameFollower'; readonly term: number; readonly leader: NodeId | null }
  | { readonly type: 'becamePreCandidate'; readonly term: number; readonly reason: CampaignReason }
  | { readonly type: 'becameCandidate'; readonly term: number; readonly isTransfer: boolean }
  | { readonly type: 'becameLeader'; readonly term: number }
  /** The known leader changed, also to nobody. */
  | { readonly type: 'leaderChanged'; readonly term: number; readonly leader: NodeId | null }
  | { readonly type: 'steppedDown'; readonly term: number; readonly reason: StepDownReason }
  | { readonly type: 'voteGranted'; readonly term: number; readonly to: NodeId }
  | {
      readonly type: 'voteRefused'
      readonly term: number
      readonly to: NodeId
      readonly reason: VoteRefusalReason
    }
  | { readonly type: 'preVoteGranted'; readonly term: number; readonly to: NodeId }
  | {
      readonly type: 'preVoteRefused'
      readonly term: number
      readonly to: NodeId
      readonly reason: VoteRefusalReason
    }
  /** A configuration is in force, though perhaps not committed. */
  | {
      readonly type: 'configurationChanged'
      readonly index: number
      readonly configuration: Configuration
    }
  /** An uncommitted configuration was cut off; this older one is in force again. */
  | {
      readonly type: 'configurationRolledBack'
      readonly index: number
      readonly configuration: Configuration
    }
  | {
      readonly type: 'configurationCommitted'
      readonly index: number
      readonly configuration: Configuration
    }
  /** Uncommitted entries from `from` on were replaced by a newer leader's. */
  | { readonly type: 'logTruncated'; readonly from: number }
  | { readonly type: 'logCompacted'; readonly snapshotIndex: number; readonly firstIndex: number }
  | { readonly type: 'snapshotStarted'; readonly to: NodeId; readonly index: number }
  | { readonly type: 'snapshotDelivered'; readonly to: NodeId; readonly index: number }
  | { readonly type: 'snapshotAborted'; readonly to: NodeId; readonly index: number }
  | { readonly type: 'snapshotInstalled'; readonly index: number; readonly term: number }
  | {
      readonly type: 'peerStateChanged'
      readonly peer: NodeId
      readonly state: ProgressState
    }
  /** From whom the log is pulled now; null: from nobody, the leader feeds us. */
  | { readonly type: 'upstreamChanged'; readonly upstream: NodeId | null }
  | { readonly type: 'pullRefused'; readonly to: NodeId; readonly reason: PullRefusalReason }
  /** The leader has our word for entries up to `promised`, and our log ends before: its disk forgot. See duty 1. */
  | { readonly type: 'promiseLost'; readonly promised: number; readonly lastIndex: number }
  | { readonly type: 'transferStarted'; readonly to: NodeId }
  /** We lead no more; whether the target does, a later `leaderChanged` tells. */
  | { readonly type: 'transferEnded'; readonly to: NodeId }
  | { readonly type: 'transferAborted'; readonly to: NodeId | null; readonly reason: TransferAbortReason }
  /** Bad, foreign or impossible input from a peer; nothing changed. */
  | {
      readonly type: 'messageDropped'
      readonly from: NodeId
      readonly message: Message['type'] | 'malformed'
      readonly reason: string
    }

export type CampaignReason = 'timeout' | 'leaderDisconnected'

export type StepDownReason = 'noQuorum' | 'removed' | 'newerTerm'

export type VoteRefusalReason = 'leaderAlive' | 'logBehind' | 'votedForOther' | 'oldTerm' | 'campaigning'

/** `leading`: leaders feed, relays pass on. `full`: too many pull already. */
export type PullRefusalReason = 'leading' | 'stranger' | 'full' | 'compacted'

export type TransferAbortReason = 'timedOut' | 'notLeader' | 'notVoter' | 'noTarget'
