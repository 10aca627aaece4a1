/** Services and batches: slots 1 to `count`, each on whichever node placement chooses. */
import { isOwner } from '../lifecycle.ts'
import type { Workload } from '../model/workload.ts'
import { podsOfWorkload } from '../tables.ts'
import { rollOut } from './rollout.ts'
import { groupBySlot, viewSlot } from './slot.ts'
import { needOf, type Review, type SlotNeed, stopWish } from './slot-wishes.ts'
import type { Wish } from './wish.ts'

/** `excess` are stop wishes for slots that nobody wants, highest slot first. */
export type WorkloadNeeds = { readonly excess: readonly Wish[]; readonly needs: readonly SlotNeed[] }

export const reviewCounted = (review: Review, workload: Workload): WorkloadNeeds => {
  const { spec, stopped } = workload
  const groups = groupBySlot(podsOfWorkload(review.state, spec.name))
  const count = stopped ? 0 : spec.count
  const needs: SlotNeed[] = []
  for (let slot = 1; slot <= count; slot++) {
    const view = viewSlot(review.state, workload, { slot, pin: null, pods: groups.get(slot) ?? [] })
    needs.push(needOf(review, workload, view))
  }
  const reason = stopped ? `workload ${spec.name} is stopped` : `scaled down to ${count}`
  const excess = [...groups.keys()]
    .filter(slot => slot > count)
    .sort((a, b) => b - a)
    .flatMap(slot => groups.get(slot)!.filter(pod => isLiveOwner(review, pod)))
    .map(pod => stopWish(pod, reason))
  return { excess, needs: rollOut(review, workload, needs) }
}

/** Owners on dead nodes are lost, not stopped. */
export const isLiveOwner = ({ state }: Review, pod: Parameters<typeof isOwner>[0]): boolean =>
  isOwner(pod) && state.nodes.get(pod.node)!.state === 'alive'
