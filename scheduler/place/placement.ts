/** What placement answers for a list of start wishes. */
import type { NodeId } from '../model/node.ts'
import type { Candidate, Decision, PodPort } from '../model/pod.ts'
import type { StartWish } from '../reconcile/wish.ts'

export type Placed = {
  readonly wish: StartWish
  readonly node: NodeId
  readonly ports: readonly PodPort[]
  readonly decision: Decision
}

export type Unplaced = {
  readonly wish: StartWish
  /** A sentence: `no node fits: 2 nodes lack label zone=eu`. */
  readonly reason: string
}

export type Placements = {
  readonly placed: readonly Placed[]
  /** Wishes that fit nowhere, judged after all of `placed` took their room. */
  readonly unplaced: readonly Unplaced[]
  /** True when `limit` ended the work early: some wishes are in neither list. */
  readonly isPartial: boolean
}

/** Every node's fitness for one more pod of a workload at this moment, without choosing. */
export type Survey = {
  /** Best first, refused ones last; bounded like `Decision.candidates`. */
  readonly candidates: readonly Candidate[]
  readonly consideredCount: number
  readonly fittingCount: number
  /** The sentence for a slot that fits nowhere; null when some node fits. */
  readonly reason: string | null
  /** What would let a refused node fit, one sentence per kind of refusal. */
  readonly remedies: readonly string[]
}
