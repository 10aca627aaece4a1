/**
 * Everything that may be written to the log. Time and random ids are put in by the proposer, so that `apply` is
 * deterministic. A new command: add it here, in `apply.ts`, and in the test that walks all commands.
 */
import type { Cluster, Grant, Role, TokenKind } from './model/access.ts'
import type { Actor, Note } from './model/audit.ts'
import type { Capacity, NodeId, RuntimeKind } from './model/node.ts'
import type { ContainerStatus, Health, Pod, PodId, PodState } from './model/pod.ts'
import type { Labels } from './model/selector.ts'
import type { PendingSlot, WorkloadSpec } from './model/workload.ts'

/** What a node says about itself when it joins or restarts. */
export type NodeFacts = {
  readonly id: NodeId
  readonly name: string
  readonly address: string
  readonly peerAddress: string
  readonly apiAddress: string | null
  readonly labels: Labels
  readonly capacity: Capacity
  readonly runtime: RuntimeKind
  readonly portRange: readonly [number, number]
  readonly version: string
  /** The form of the log that its program speaks (protocol.ts). Absent: 1. */
  readonly protocol?: number
}

/** What a node reports of one of its pods. Reports about foreign or finished pods are ignored, not refused. */
export type PodReport = {
  readonly id: PodId
  readonly state: PodState
  readonly health: Health
  readonly restarts: number
  readonly reason: string | null
  readonly containers: readonly ContainerStatus[]
}

/** One step of a plan. `apply` checks each against the state it meets and refuses the whole plan when one does not hold. */
export type Change =
  /** `pod.state` is `assigned`; ports are already chosen. Needs: workload at that generation, slot without a live owner, node alive and schedulable, ports free, resources left. */
  | { readonly type: 'start'; readonly pod: Omit<Pod, 'createdIndex' | 'modifiedIndex' | 'resources'> }
  | { readonly type: 'stop'; readonly pod: PodId; readonly reason: string }
  /** Needs: the pod's node is dead or left. */
  | { readonly type: 'lose'; readonly pod: PodId; readonly reason: string }
  | { readonly type: 'pend'; readonly workload: string; readonly slots: readonly PendingSlot[] }

export type Plan = {
  /** Index of the state that the plan was computed on. Rows it relies on must not be newer. */
  readonly basedOnIndex: number
  readonly changes: readonly Change[]
}

export type Command = { readonly atMs: number } & (
  | { readonly type: 'cluster/Init'; readonly cluster: Cluster; readonly node: NodeFacts }
  /** How many nodes may vote at most: one of VOTERS_MAX_CHOICES. */
  | { readonly type: 'cluster/SetVoters'; readonly votersMax: number }
  /** How long a zone that is lost as a whole may take to come back; null: for ever. Needs the feature `zoneLoss`. */
  | { readonly type: 'cluster/SetZoneLoss'; readonly waitMs: number | null }
  | {
      readonly type: 'token/Create'
      readonly token: {
        readonly id: string
        readonly kind: TokenKind
        readonly secretHash: string
        readonly role: Role
        readonly labels: Labels
        readonly uses: number | null
        readonly expiresAtMs: number
        readonly name?: string
        readonly namespace?: string
        readonly grants?: readonly Grant[]
      }
    }
  | { readonly type: 'token/Revoke'; readonly id: string }
  /** Spends one use of the token. Idempotent for the same node id and facts. */
  | {
      readonly type: 'node/Join'
      readonly node: NodeFacts
      readonly tokenId: string
      readonly secretHash: string
    }
  /** By the node itself after a restart (new address, labels, capacity). Also makes a `dead` node `alive`. */
  | { readonly type: 'node/Update'; readonly node: NodeFacts }
  /** By the leader only, from gossip. */
  | {
      readonly type: 'node/Verdict'
      readonly id: NodeId
      readonly state: 'alive' | 'dead'
      readonly reason: string
      /** The loss counts against the node (probation.ts). Needs the feature `probation`. */
      readonly counted?: true
    }
  /** `ailing`: the leader drains it for its health, and says why. Needs the feature `healthDrain`. */
  | { readonly type: 'node/Drain'; readonly id: NodeId; readonly ailing?: string }
  | { readonly type: 'node/Activate'; readonly id: NodeId }
  /** The node says farewell, or an operator removes it: it is no member afterwards and its key never comes back. */
  | { readonly type: 'node/Leave'; readonly id: NodeId }
  /** Create or change. `checkIndex` refuses when the workload is newer than that (0: must not exist). */
  | { readonly type: 'workload/Apply'; readonly spec: WorkloadSpec; readonly checkIndex: number | null }
  | { readonly type: 'workload/Scale'; readonly name: string; readonly count: number }
  | { readonly type: 'workload/Stop'; readonly name: string }
  /** Starts a stopped workload, or replaces all pods of a running one by rolling update. */
  | { readonly type: 'workload/Restart'; readonly name: string }
  | { readonly type: 'workload/Remove'; readonly name: string }
  | { readonly type: 'plan/Apply'; readonly plan: Plan }
  | { readonly type: 'pod/Report'; readonly node: NodeId; readonly reports: readonly PodReport[] }
  /** By the node that has seen it: what is worth remembering and is no command. At most NOTES_MAX. */
  | { readonly type: 'audit/Note'; readonly node: NodeId; readonly notes: readonly Note[] }
)

export type CommandType = Command['type']

/** What the log carries: the command with what is needed to apply a retry once. */
export type Request = {
  /** Unique per logical write, chosen by the first node that accepted it; the same on each retry. */
  readonly requestId: string
  readonly command: Command
  /** No entry up to this one carries the request: what its first node had applied when it took it. Absent in old logs. */
  readonly afterIndex?: number
  /** Who asked for it. Absent when the cluster itself did, and in old logs. */
  readonly by?: Actor
}

/** Codes of expected refusals; the CLI maps them to exit codes, each dialect to its own errors. */
export type RefusalCode =
  | 'E_NOT_FOUND'
  | 'E_CONFLICT'
  | 'E_STALE_PLAN'
  | 'E_INVALID'
  | 'E_NAME_TAKEN'
  | 'E_VERSION'
  | 'E_JOIN_TOKEN_UNKNOWN'
  | 'E_JOIN_TOKEN_EXPIRED'
  | 'E_JOIN_TOKEN_SPENT'
  | 'E_JOIN_TOKEN_REVOKED'
  | 'E_NODE_LEFT'
  | 'E_LOG_LOST'
  | 'E_ALREADY_INITIALISED'
  /** It may have been applied long ago, and nobody remembers: nothing is done now. Submitting throws this one. */
  | 'E_TIMEOUT'

export type Refusal = {
  readonly code: RefusalCode
  readonly message: string
  readonly facts: Readonly<Record<string, string | number>>
}

/** What a proposer learns. `index` is the log index of the command, also for a refused one and for a retry. */
export type Outcome =
  | { readonly ok: true; readonly index: number }
  | { readonly ok: false; readonly index: number; readonly refusal: Refusal }

/** What happened, for `tutti events` and watchers; derived by `apply`, so equal on every node. */
export type ClusterEvent = {
  /** The log index that caused it; several events may share one. */
  readonly index: number
  readonly atMs: number
  /** `node/ash`, `workload/web`, `pod/web.2`, `token/b7k`, `cluster`. */
  readonly subject: string
  /** A past participle or state: `joined`, `dead`, `assigned`, `running`, `healthy`, `failed`, … */
  readonly verb: string
  /** A sentence or empty. */
  readonly text: string
}
