/** Global workloads: one pod on every node that matches. A node keeps its slot for as long as the slot is known. */
import { isEnded, isOwner } from '../lifecycle.ts'
import type { Node, NodeId } from '../model/node.ts'
import type { Pod } from '../model/pod.ts'
import type { Workload } from '../model/workload.ts'
import { nodeMatcher } from '../place/match.ts'
import type { State } from '../state.ts'
import { podsOfWorkload } from '../tables.ts'
import { isLiveOwner, type WorkloadNeeds } from './counted.ts'
import { rollOut } from './rollout.ts'
import { groupBySlot, viewSlot } from './slot.ts'
import { needOf, type Review, stopWish } from './slot-wishes.ts'
import { wantedNodes } from './wanted.ts'

export const reviewGlobal = (review: Review, workload: Workload): WorkloadNeeds => {
  const { state } = review
  const pods = podsOfWorkload(state, workload.spec.name)
  const wanted = workload.stopped ? [] : wantedNodes(state, workload)
  const slots = assignSlots(review, wanted, pods)
  const isInPlace = (pod: Pod): boolean => slots.get(pod.node) === pod.slot
  const excess = pods
    .filter(pod => isLiveOwner(review, pod) && !isInPlace(pod))
    .map(pod => stopWish(pod, whyUnwanted(state, workload, pod)))
  const groups = groupBySlot(pods)
  const needs = wanted.map(node => {
    const slot = slots.get(node.id)!
    const view = viewSlot(state, workload, { slot, pin: node.id, pods: groups.get(slot) ?? [] })
    return needOf(review, workload, view)
  })
  return { excess, needs: rollOut(review, workload, needs) }
}

/**
 * The slot of each node: that of its pod, else that of its last pod, else the lowest that no member had last, so that
 * a node which comes back finds its slot free. A slot with a pod that has not ended belongs to that pod's node alone.
 */
const assignSlots = (
  { state }: Review,
  nodes: readonly Node[],
  pods: readonly Pod[],
): ReadonlyMap<NodeId, number> => {
  const wanted = new Set(nodes.map(({ id }) => id))
  const slots = new Map<NodeId, number>()
  const taken = new Set<number>()
  const claim = (pod: Pod): void => {
    if (!wanted.has(pod.node) || slots.has(pod.node) || taken.has(pod.slot)) return
    slots.set(pod.node, pod.slot)
    taken.add(pod.slot)
  }
  const live = pods.filter(pod => !isEnded(pod.state) && state.nodes.get(pod.node)!.state === 'alive')
  for (const pod of live) if (isOwner(pod)) claim(pod)
  for (const pod of live) claim(pod)
  for (const pod of live) taken.add(pod.slot)
  for (const pod of pods.toReversed()) claim(pod)
  for (const [node, slot] of lastSlots(pods)) if (state.nodes.get(node)!.state !== 'left') taken.add(slot)
  let next = 1
  for (const { id } of nodes) {
    if (slots.has(id)) continue
    while (taken.has(next)) next++
    slots.set(id, next)
    taken.add(next)
  }
  return slots
}

const lastSlots = (pods: readonly Pod[]): ReadonlyMap<NodeId, number> =>
  new Map(pods.map(pod => [pod.node, pod.slot]))

const whyUnwanted = (state: State, workload: Workload, pod: Pod): string => {
  const node = state.nodes.get(pod.node)!
  if (workload.stopped) return `workload ${workload.spec.name} is stopped`
  if (!node.schedulable) return `node ${node.name} is drained`
  return nodeMatcher(workload.spec)(node)
    ? 'another pod of the workload is kept on the node'
    : `node ${node.name} no longer matches`
}
