/** What reconcile wants changed, before placement has found out whether and where it can be. */
import type { NodeId } from '../model/node.ts'
import type { PodId } from '../model/pod.ts'

export type Wish =
  | {
      readonly type: 'start'
      readonly workload: string
      readonly slot: number
      readonly generation: number
      /** The only node that will do (global workloads), or null: placement chooses. */
      readonly node: NodeId | null
      /** Why, in a few words; becomes `Decision.cause`. */
      readonly cause: string
    }
  | { readonly type: 'stop'; readonly pod: PodId; readonly reason: string }
  /** The pod's node is dead or has left: nobody will ever report the pod's end. */
  | { readonly type: 'lose'; readonly pod: PodId; readonly reason: string }

export type StartWish = Extract<Wish, { type: 'start' }>
