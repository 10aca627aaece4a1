/**
 * The native API's shapes, shared with the CLI. Types only: importing this file costs nothing at run time.
 * Every GET but events and logs answers a List `{ apiVersion, items, meta }` (status, raft, digest, version, explain
 * and one workload: a list of one), every error `{ apiVersion, error }` with the status of node/errors.ts.
 *
 *   GET    /tutti/v1/status | nodes | pods | workloads | members | raft | actors | tokens | doctor | version
 *   GET    /tutti/v1/digest                     DigestView; walks the whole state, so for comparing nodes, not for polling
 *   GET    /tutti/v1/workloads/:name            one workload with its spec
 *   GET    /tutti/v1/pods?workload=NAME&all=1   one row per wanted slot and live pod; `all` adds the ended pods still kept
 *   GET    /tutti/v1/explain/:target            workload, slot (web.2), pod id or node name
 *   GET    /tutti/v1/events?from=N&follow=1     JSON lines of EventView; follow keeps the response open
 *   GET    /tutti/v1/logs/:target?follow=1&tail=N&container=C   JSON lines of LogView; merged over the pods of a workload
 *   POST   /tutti/v1/workloads                  ApplyRequest → WriteResult
 *   POST   /tutti/v1/workloads/:name/scale      { count } → WriteResult
 *   POST   /tutti/v1/workloads/:name/stop | restart          → WriteResult
 *   DELETE /tutti/v1/workloads/:name            → WriteResult
 *   POST   /tutti/v1/nodes/:name/drain | activate            → WriteResult
 *   POST   /tutti/v1/leave                      this node moves its work away, leaves and ends → WriteResult
 *   DELETE /tutti/v1/nodes/:name                removes a dead node from the roster → WriteResult
 *   POST   /tutti/v1/tokens                     TokenRequest → TokenCreated (the only time the secret is shown)
 *   DELETE /tutti/v1/tokens/:id                 → WriteResult
 *   POST   /tutti/v1/voters                     { count } how many nodes vote at most: 3, 5 or 7 → WriteResult
 *   POST   /tutti/v1/zone-loss                  { waitMs: number | null } how long a lost zone's work waits → WriteResult
 *   POST   /tutti/v1/transfer                   { to?: node name } hands leadership over → WriteResult
 *   POST   /tutti/v1/readmission                { node: own id } by a member over its own connection → lines of Readmission, BackupLine
 *   GET    /tutti/v1/whoami                     the caller → WhoamiView
 *   GET    /tutti/v1/audit?follow=1             JSON lines of AuditLine: who did what, and what strangers tried
 *   GET    /tutti/v1/backup                     JSON lines of BackupLine; linear unless `?consistency=` says otherwise
 *   GET    /tutti/v1/recovery                   what each node that answers still has → RecoveryView
 *   POST   /tutti/v1/recovery                   local admin: founds the cluster anew from this node → RecoveryResult
 *
 * Any request may carry `?node=NAME`: it is answered by that node (the shell's `.on NODE`). Writes carry the header
 * `tutti-request-id`; a retry with the same id is applied once.
 *
 * Replies, errors and the heads of streams too, carry `tutti-node`, `tutti-index`, `tutti-term` and `tutti-age-ms` of the
 * replica that was read; without the last one, no leader was ever heard. Any GET takes `?consistency=`:
 *
 *   local           the default: at once, whatever the age
 *   linear          every write acknowledged before the request is in the answer; E_NO_LEADER, E_NO_QUORUM, E_TIMEOUT if
 *                   that cannot be known within `?timeout=` milliseconds
 *   bounded:500ms   at once when this node asked the leader so recently that no older write can be missing, else as linear
 *
 * What is decided by what is read (dry runs; drain, activate and remove of a node by its name) reads linearly, unless the
 * request says otherwise. Everything else is decided by the state machine, in the order of the log.
 */

import type {
  Candidate,
  ContainerStatus,
  Health,
  PodPort,
  PodState,
  WorkloadSpec,
} from '../../../scheduler/index.ts'
import type { ActorStatus } from '../../actor/actor.ts'
import type { Follower, Unfit } from '../../consensus/consensus.ts'
import type { ErrorCode } from '../../errors.ts'

export const API_VERSION = 'tutti/v1'

export type Meta = {
  readonly node: string
  readonly index: number
  readonly term: number
  readonly ageMs: number | null
}
export type List<Item> = {
  readonly apiVersion: typeof API_VERSION
  readonly items: readonly Item[]
  readonly meta: Meta
}

export type ErrorBody = {
  readonly apiVersion: typeof API_VERSION
  readonly error: {
    readonly code: ErrorCode
    readonly message: string
    readonly why?: string
    readonly try?: string
    readonly facts: Readonly<Record<string, string | number | boolean | null>>
  }
}

export type StatusView = {
  readonly cluster: string
  readonly clusterId: string
  readonly node: string
  readonly nodeId: string
  readonly leader: string | null
  readonly term: number
  readonly index: number
  /** Names. */
  readonly voters: readonly string[]
  readonly hasQuorum: boolean
  /** How many more voters may die before writes stop. */
  readonly toleratesCount: number
  readonly ageMs: number | null
  readonly lastWriteMs: number | null
  readonly usualWriteMs: number | null
  readonly worstWriteMs: number | null
  readonly unfit: Unfit | null
  readonly nodes: { readonly alive: number; readonly total: number }
  readonly pods: { readonly healthy: number; readonly wanted: number }
  readonly version: string
  readonly runtime: string
  readonly uptimeMs: number
}

export type NodeView = {
  readonly id: string
  readonly name: string
  readonly address: string
  readonly peerAddress: string
  readonly apiAddress: string | null
  readonly state: 'alive' | 'suspect' | 'dead' | 'left'
  readonly role: 'leader' | 'voter' | 'learner'
  readonly schedulable: boolean
  readonly runtime: string
  readonly labels: Readonly<Record<string, string>>
  readonly capacity: { readonly cpuMillis: number; readonly memoryBytes: number }
  readonly reserved: { readonly cpuMillis: number; readonly memoryBytes: number }
  /** Pods that have not ended. */
  readonly pods: number
  readonly version: string
  /** All that follows is absent from a node one version back. The form of the log that its program speaks. */
  readonly protocol?: number
  /** Until it is trusted with new work again; null: it is. */
  readonly probationMs?: number | null
  /** How often it was lost, less what was forgiven. */
  readonly losses?: number
  /** Why the cluster has drained it for its health; null: it has not. */
  readonly ailing?: string | null
  /** Of 100; null: it has left. */
  readonly health?: number | null
  /** What costs it health, the worst first. */
  readonly ailments?: readonly string[]
  /** What a write to its log takes, as it says itself: a power of two milliseconds. */
  readonly diskMs?: number | null
  /** By about how much its clock is ahead of its peers', as it says itself; 0: they agree. */
  readonly skewMs?: number
}

export type PodView = {
  /** Null for a slot that is still pending. */
  readonly id: string | null
  /** `web.2` */
  readonly name: string
  readonly workload: string
  readonly slot: number
  /** Node name, null while pending. */
  readonly node: string | null
  readonly address: string | null
  readonly state: PodState | 'pending'
  readonly health: Health
  readonly restarts: number
  readonly reason: string | null
  readonly generation: number
  readonly ports: readonly PodPort[]
  readonly containers: readonly ContainerStatus[]
  readonly ageMs: number
}

export type WorkloadView = {
  readonly name: string
  readonly kind: string
  /** What is asked for at this moment: for `global` the number of matching nodes, for a stopped one none. */
  readonly wanted: number
  readonly running: number
  readonly healthy: number
  /** Wanted slots that stay empty: their pods failed, and the restart policy allows no other. */
  readonly failed: number
  readonly stopped: boolean
  readonly generation: number
  /** All wanted pods of the current generation are healthy (or succeeded) and none is left over. */
  readonly isConverged: boolean
  readonly pending: readonly { readonly slot: number; readonly reason: string }[]
  readonly spec: WorkloadSpec
  readonly modifiedIndex: number
}

export type MemberView = {
  readonly id: string
  readonly name: string
  readonly state: 'alive' | 'suspect' | 'dead' | 'left'
  readonly incarnation: number
  readonly addresses: readonly string[]
  readonly isConnected: boolean
  /** It should be connected, and is not; others are dialled when they are needed. Not told by nodes of older versions. */
  readonly isMissing?: boolean
  /** `counts`: a voter that is alive; `missing`: one that is not; `learns`: it does not vote; `none`: no member of the log. */
  readonly vote: 'counts' | 'missing' | 'learns' | 'none'
  /** Why, in words: told by the leader, null from any other node. */
  readonly seat: string | null
  /** What a write to its log takes, as it says itself: a power of two milliseconds. */
  readonly diskMs: number | null
}

export type RaftView = {
  readonly node: string
  readonly role: string
  readonly leader: string | null
  readonly term: number
  /** Of the recoveries from a lost quorum that the cluster has been through. */
  readonly epoch: number
  readonly lastIndex: number
  readonly lastTerm: number
  readonly commitIndex: number
  readonly appliedIndex: number
  readonly snapshotIndex: number
  readonly voters: readonly string[]
  readonly learners: readonly string[]
  readonly isJoint: boolean
  readonly hasQuorum: boolean
  readonly ageMs: number | null
  /** What writes to this node's disk take; the worst of the last minute. Null: nothing was written yet. */
  readonly lastWriteMs: number | null
  readonly usualWriteMs: number | null
  readonly worstWriteMs: number | null
  /** Why this node would rather not lead. */
  readonly unfit: Unfit | null
  /** Why this node's disk, and so this node, takes no part any more. */
  readonly fatal: string | null
  /** `diskMs`: about how long its disk takes for a write, by its own word in gossip; null: it has not said. */
  readonly followers: readonly (Follower & { readonly name: string; readonly diskMs: number | null })[]
}

/** Nodes with the same index have the same digest, or the log has failed its one purpose. */
export type DigestView = {
  readonly node: string
  /** The last entry that the state holds. */
  readonly index: number
  readonly digest: string
}

export type SurvivorView = {
  readonly node: string
  /** Of the membership that the most advanced log holds. */
  readonly isVoter: boolean
  readonly isMostAdvanced: boolean
  /** Null: it does not answer. */
  readonly raft: RaftView | null
  /** Why it does not answer, or why its disk is of no use. */
  readonly trouble: string | null
}

export type RecoveryView = {
  /** The whole roster, the node that was asked first. */
  readonly survivors: readonly SurvivorView[]
  /** The node with the most advanced log among those that answer: to be recovered from. */
  readonly best: string | null
  readonly voters: readonly string[]
  /** Why there is nothing to recover. */
  readonly refusal: { readonly message: string; readonly why: string; readonly try: string } | null
}

export type ActorView = ActorStatus & { readonly node: string }

export type EventView = {
  readonly index: number
  readonly at: string
  readonly subject: string
  readonly verb: string
  readonly text: string
}
/** `gap` lines tell that a pod's node did not answer; they carry the reason as `line`. */
export type LogView = {
  readonly pod: string
  readonly node: string
  readonly container: string
  readonly at: string
  readonly stream: 'stdout' | 'stderr' | 'gap'
  readonly line: string
}

export type ApplyRequest = {
  /** As in a workload file: defaults may be absent. Checked strictly by node/api/native/workload-file.ts. */
  readonly spec: unknown
  readonly checkIndex?: number
  /** Answers what would change, and where it would go, and writes nothing. */
  readonly dryRun?: boolean
}
export type WriteResult = {
  readonly apiVersion: typeof API_VERSION
  readonly index: number
  readonly changed: boolean
  readonly message: string
}

export type BackupHead = {
  readonly type: 'head'
  readonly clusterId: string
  readonly clusterName: string
  /** The entry of the log that the state is as of. */
  readonly index: number
  readonly term: number
  /** Of the recoveries that the cluster had been through. */
  readonly epoch: number
  readonly takenAtMs: number
  /** The name of the node, and the version of Tutti that it ran. */
  readonly takenBy: string
  readonly version: string
  /** `digestOf` of the state. */
  readonly digest: string
  /** Of the state that the pieces make up. */
  readonly bytes: number
}
export type BackupLine = BackupHead | { readonly type: 'piece'; readonly base64: string }

/** Says how a member that lost its log stands in the membership now; the state follows as a backup does. */
export type Readmission = {
  readonly type: 'readmission'
  /** Who leads in which term: the member must not vote for anybody else in it. */
  readonly leader: string
  readonly term: number
  readonly voters: readonly string[]
  readonly learners: readonly string[]
  readonly epoch: { readonly number: number; readonly mark: string }
}

export type RecoveryResult = WriteResult & {
  /** Where the node keeps a copy of what it had before. */
  readonly keptIn: string | null
}

export type ExplainView = {
  readonly target: string
  /** What a person should read, in order. */
  readonly sentences: readonly string[]
  readonly decisions: readonly {
    readonly pod: string
    readonly podId: string
    readonly node: string
    readonly state: string
    readonly cause: string
    readonly at: string
    readonly index: number
    readonly strategy: string
    readonly consideredCount: number
    readonly candidates: readonly Candidate[]
  }[]
}

export type VersionView = {
  readonly node: string
  readonly version: string
  readonly runtime: string
}

export type DoctorView = {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'failure'
  readonly text: string
  readonly try: string | null
}
