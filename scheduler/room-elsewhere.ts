/** Whether the other nodes can hold what one runs: asked before it is drained, so that a drain leaves nothing without a place. */

import { isOwner } from './lifecycle.ts'
import type { NodeId } from './model/node.ts'
import { place } from './place/place.ts'
import type { StartWish } from './reconcile/wish.ts'
import type { State } from './state.ts'
import { podsOfNode, slotKey } from './tables.ts'

/** Why not, as a phrase; null when they can. Pods of global workloads belong to their node and go with its work. */
export const whyNoRoomElsewhere = (state: State, id: NodeId, nowMs: number): string | null => {
  const node = state.nodes.get(id)
  if (node === undefined) return 'it is not known'
  const drained: State = { ...state, nodes: new Map(state.nodes).set(id, { ...node, schedulable: false }) }
  const wishes = podsOfNode(state, id).flatMap((pod): readonly StartWish[] => {
    const workload = state.workloads.get(pod.workload)
    if (!isOwner(pod) || workload === undefined || workload.spec.kind === 'global') return []
    const { generation } = workload
    return [{ type: 'start', workload: pod.workload, slot: pod.slot, generation, node: null, cause: 'drain' }]
  })
  const [first] = place(drained, wishes, 0, nowMs).unplaced
  return first === undefined ? null : `${slotKey(first.wish.workload, first.wish.slot)}: ${first.reason}`
}
