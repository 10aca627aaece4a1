/** A machine that runs Tutti, as the log knows it. What gossip believes about it lives elsewhere. */
import type { Labels } from './selector.ts'

export type NodeId = string & { readonly NodeId: unique symbol }

/** What a node can run: `docker` runs images, `process` runs commands on the host, `fake` (simulation) runs both. */
export type RuntimeKind = 'docker' | 'process' | 'fake'

export type Capacity = {
  /** Thousandths of a core. */
  readonly cpuMillis: number
  readonly memoryBytes: number
}

/**
 * `alive` and `dead` are verdicts committed by the leader; `left` is the node's own farewell (or a removal).
 * `suspect` exists only in gossip and is merged in by views, never stored.
 */
export type NodeState = 'alive' | 'dead' | 'left'

/** Written by `node/Join`, `node/Update` (the node itself) and `node/Verdict`, `node/Drain`, `node/Activate` (leader, operator). */
export type Node = {
  readonly id: NodeId
  /** Unique among the nodes that have not left. */
  readonly name: string
  /** Where its pods' ports are published: an IP address without a port. */
  readonly address: string
  /** `host:port` of the peer transport. */
  readonly peerAddress: string
  /** `host:port` of the HTTP API, or null when it listens on the unix socket only. */
  readonly apiAddress: string | null
  readonly labels: Labels
  /** The part of `labels` that the join token gave; a `node/Update` cannot take it away. */
  readonly grantedLabels: Labels
  readonly capacity: Capacity
  readonly runtime: RuntimeKind
  readonly state: NodeState
  /** False while drained: keeps what reconcile has not moved yet, gets nothing new. */
  readonly schedulable: boolean
  /** Why the leader has drained it for its health. Absent: an operator has, or nobody. */
  readonly ailing?: string
  /** When an operator last undid such a drain: for a while that is the last word. */
  readonly trustedAtMs?: number
  /** How often it was lost, less what was forgiven until the last time (probation.ts). Absent: never. */
  readonly losses?: number
  /** Inclusive range from which dynamic host ports are allotted. */
  readonly portRange: readonly [first: number, last: number]
  readonly version: string
  /** The form of the log that its program speaks (protocol.ts). Absent: 1. */
  readonly protocol?: number
  /** It has spoken as a member, so that the log was on its disk: it is not admitted again without. Absent: not yet. */
  readonly hasLog?: true
  readonly joinedIndex: number
  readonly modifiedIndex: number
  /** Milliseconds since the epoch, put into the command by its proposer. */
  readonly stateChangedAtMs: number
}
