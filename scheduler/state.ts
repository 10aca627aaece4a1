/**
 * The replicated state. Tables are changed in place by `apply` alone; rows are immutable and replaced, so a reader
 * may keep a row and compare by identity. Everything here encodes to plain data for snapshots and hashes.
 */
import type { Outcome } from './commands.ts'
import type { Cluster, Token } from './model/access.ts'
import type { AuditTrails } from './model/audit.ts'
import type { Node, NodeId } from './model/node.ts'
import type { Pod, PodId } from './model/pod.ts'
import type { Workload } from './model/workload.ts'

export type State = {
  /** Index and term of the last applied entry. */
  readonly index: number
  readonly term: number
  readonly cluster: Cluster | null
  readonly nodes: ReadonlyMap<NodeId, Node>
  /** Names of nodes that left and whose rows are gone, by id; oldest first, at most DEPARTED_KEPT_MAX. */
  readonly departed: ReadonlyMap<NodeId, string>
  readonly tokens: ReadonlyMap<string, Token>
  readonly workloads: ReadonlyMap<string, Workload>
  readonly pods: ReadonlyMap<PodId, Pod>
  /** Secondary index: the ids of all kept pods of a workload, oldest first. */
  readonly podsByWorkload: ReadonlyMap<string, ReadonlySet<PodId>>
  /** Secondary index by `slotKey` (`web.2`): the ids of all kept pods of a slot, oldest first. */
  readonly podsBySlot: ReadonlyMap<string, ReadonlySet<PodId>>
  /** Secondary index: the ids of the pods of a node that have not ended. */
  readonly podsByNode: ReadonlyMap<NodeId, ReadonlySet<PodId>>
  /** Outcomes of recent requests by request id, oldest first, at most REQUESTS_KEPT_MAX: a retry gets the first outcome. */
  readonly requests: ReadonlyMap<string, Outcome>
  /** The last entry whose outcome is no longer in `requests`. */
  readonly forgottenIndex: number
  /** Who did what. */
  readonly audit: AuditTrails
}
