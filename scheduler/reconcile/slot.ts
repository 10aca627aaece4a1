/** One slot as reconcile sees it: who holds it, who leaves it, and who held it before. */
import { isEnded, isReady } from '../lifecycle.ts'
import type { NodeId } from '../model/node.ts'
import type { Pod } from '../model/pod.ts'
import type { Workload } from '../model/workload.ts'
import type { State } from '../state.ts'
import { isDisplaced, isOutdated } from '../succession.ts'

export type SlotView = {
  readonly slot: number
  /** The node that alone may hold the slot (global workloads), or null. */
  readonly pin: NodeId | null
  /** The owner as wanted: current generation, on a node where it may stay. */
  readonly keeper: Pod | null
  /** An owner that is to give way, at most one; it serves until the keeper is ready. */
  readonly leaving: Pod | null
  /** Owners beyond these two: stopped at once. */
  readonly surplus: readonly Pod[]
  /** True while a pod that was told to stop has not ended. */
  readonly isEnding: boolean
  /** Pods that have ended, or will be lost because their node is gone; oldest first. */
  readonly past: readonly Pod[]
}

/** Ready ones first, then the oldest. Null of none. */
const bestOf = (pods: readonly Pod[]): Pod | null => pods.find(isReady) ?? pods[0] ?? null

/** `pods`: all kept pods of the slot, oldest first. */
export const viewSlot = (
  state: State,
  workload: Workload,
  place: { readonly slot: number; readonly pin: NodeId | null; readonly pods: readonly Pod[] },
): SlotView => {
  const past: Pod[] = []
  const settled: Pod[] = []
  const leaving: Pod[] = []
  let isEnding = false
  for (const pod of place.pods) {
    const node = state.nodes.get(pod.node)!
    if (isEnded(pod.state) || node.state !== 'alive')
      past.push(isEnded(pod.state) ? pod : { ...pod, state: 'lost' })
    else if (pod.desired === 'stopped') isEnding = true
    else if (isOutdated(pod, workload) || isDisplaced(node)) leaving.push(pod)
    else settled.push(pod)
  }
  const keeper = bestOf(settled)
  const leaver = bestOf(leaving)
  const surplus = [...settled, ...leaving].filter(pod => pod !== keeper && pod !== leaver)
  return { slot: place.slot, pin: place.pin, keeper, leaving: leaver, surplus, isEnding, past }
}

/** The pods of a workload by slot, each list oldest first. */
export const groupBySlot = (pods: readonly Pod[]): ReadonlyMap<number, readonly Pod[]> => {
  const groups = new Map<number, Pod[]>()
  for (const pod of pods) {
    const group = groups.get(pod.slot)
    if (group) group.push(pod)
    else groups.set(pod.slot, [pod])
  }
  return groups
}
