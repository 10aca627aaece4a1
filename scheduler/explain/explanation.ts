/** The shape of an explanation: plain data, with sentences for those who only want to read. */
import type { Node, NodeId } from '../model/node.ts'
import type { Candidate, Decision, Pod, PodId, PodState } from '../model/pod.ts'

/** One earlier pod of a slot, newest first in lists. */
export type PastPod = {
  readonly id: PodId
  readonly node: NodeId
  readonly nodeName: string
  readonly generation: number
  readonly state: PodState
  readonly reason: string | null
  /** Why it had been started. */
  readonly cause: string
  readonly createdAtMs: number
  readonly endedAtMs: number
}

export type SlotExplanation = {
  readonly type: 'slot'
  readonly workload: string
  readonly slot: number
  /** The pod asked for, else the slot's live one, else its newest; null when the slot never had one. */
  readonly pod: Pod | null
  /** How that pod came to its node. */
  readonly decision: Decision | null
  /** How every node would do for one more pod now; best first, bounded like `Decision.candidates`. */
  readonly candidatesNow: readonly Candidate[]
  /** Why the slot has no live pod; null when it has one, or none is wanted. */
  readonly pendingReason: string | null
  /** What would lead to another choice, one sentence each. */
  readonly wouldChange: readonly string[]
  readonly past: readonly PastPod[]
  readonly sentences: readonly string[]
}

export type WorkloadExplanation = {
  readonly type: 'workload'
  readonly workload: string
  readonly wantedCount: number
  readonly liveCount: number
  readonly readyCount: number
  readonly pendingCount: number
  /** Every slot that is wanted or has a live pod, lowest first. `reason`: why it has no live pod. */
  readonly slots: readonly {
    readonly slot: number
    readonly pod: Pod | null
    readonly reason: string | null
  }[]
  readonly sentences: readonly string[]
}

export type NodeExplanation = {
  readonly type: 'node'
  readonly node: Node
  /** Pods that have not ended, by workload and slot. */
  readonly pods: readonly Pod[]
  readonly cpuMillisReserved: number
  readonly memoryBytesReserved: number
  readonly sentences: readonly string[]
}

export type Explanation = SlotExplanation | WorkloadExplanation | NodeExplanation
