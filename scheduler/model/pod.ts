/** One placed instance of a workload. One-shot: it never moves, and its state only moves forward (lifecycle.ts). */
import type { NodeId } from './node.ts'
import type { Resources } from './workload.ts'

export type PodId = string & { readonly PodId: unique symbol }

/**
 * assigned → preparing → starting → running → stopping → (succeeded | failed | stopped | lost); any state may skip
 * forward. Written by the pod's node, except `assigned` (leader, at creation) and `lost` (leader, when the node died).
 */
export type PodState =
  | 'assigned'
  | 'preparing'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'succeeded'
  | 'failed'
  | 'stopped'
  | 'lost'

/** `none`: no check is declared, running is as good as it gets. Not monotonic: a pod may recover. */
export type Health = 'unknown' | 'none' | 'starting' | 'healthy' | 'unhealthy'

export type PodPort = {
  readonly name: string
  /** Name of the container that declares the port. */
  readonly owner: string
  readonly container: number
  /** The host port that placement reserved on the node's address. */
  readonly host: number
  readonly protocol: 'tcp' | 'udp'
}

export type ContainerStatus = {
  readonly name: string
  readonly image: string | null
  /** The runtime's own id (container id, process id), null before it exists. */
  readonly runtimeId: string | null
  readonly state: 'waiting' | 'running' | 'exited'
  readonly exitCode: number | null
}

/** What one candidate node scored, or why it was ruled out, at the moment of the decision. */
export type Candidate = {
  readonly node: NodeId
  readonly name: string
  /** 0 to 1, higher is better; null when refused. */
  readonly score: number | null
  /** Each score's part, such as `{ spread: 0.4, fit: 0.2 }`. */
  readonly parts: Readonly<Record<string, number>>
  /** A sentence when ruled out, null otherwise. */
  readonly refusal: string | null
}

/** The record behind `tutti explain`: bounded by CANDIDATES_KEPT_MAX of scheduler/place. */
export type Decision = {
  readonly strategy: string
  /** Index of the state that the decision was made on. */
  readonly index: number
  readonly atMs: number
  /** Why a pod was wanted at all: `scale`, `replace dead node ash`, `drain`, `update`, `failed`, … */
  readonly cause: string
  /** Best first; the chosen node is the first. */
  readonly candidates: readonly Candidate[]
  /** How many nodes were considered in all. */
  readonly consideredCount: number
}

export type Pod = {
  readonly id: PodId
  readonly workload: string
  /** 1-based; `web.2` is slot 2 of `web`. */
  readonly slot: number
  readonly generation: number
  readonly node: NodeId
  /** Written by the leader: `stopped` tells the node to end it. */
  readonly desired: 'running' | 'stopped'
  readonly state: PodState
  readonly health: Health
  /** Container restarts inside this pod. */
  readonly restarts: number
  /** A sentence for people: why it is not running, or how it ended. */
  readonly reason: string | null
  readonly ports: readonly PodPort[]
  /** What it reserves until it has ended; put in by `apply`, because the workload's spec may change or go before. */
  readonly resources: Resources
  readonly containers: readonly ContainerStatus[]
  readonly decision: Decision
  readonly createdIndex: number
  readonly modifiedIndex: number
  readonly createdAtMs: number
  readonly stateChangedAtMs: number
}
