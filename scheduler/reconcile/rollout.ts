/** Rolling update: how many outdated slots may begin to be replaced now, and how each begins. */
import { isReady } from '../lifecycle.ts'
import type { Workload } from '../model/workload.ts'
import { mayOverlap } from '../succession.ts'
import { type Review, replacedBy, type SlotNeed, startWhenDue, stopWish } from './slot-wishes.ts'

/** The same needs with the next slots of the update begun: broken pods first, then from the lowest slot on. */
export const rollOut = (
  review: Review,
  workload: Workload,
  needs: readonly SlotNeed[],
): readonly SlotNeed[] => {
  const movingCount = needs.filter(({ phase }) => phase === 'moving').length
  const budget = Math.max(0, workload.spec.update.parallelism - movingCount)
  const outdated = needs.filter(({ phase }) => phase === 'outdated')
  const begun = new Set(
    outdated
      .toSorted(
        (a, b) =>
          Number(isReady(a.view.leaving!)) - Number(isReady(b.view.leaving!)) || a.view.slot - b.view.slot,
      )
      .slice(0, budget),
  )
  return needs.map(need => (begun.has(need) ? begin(review, workload, need) : need))
}

const begin = (review: Review, workload: Workload, need: SlotNeed): SlotNeed =>
  mayOverlap(workload)
    ? { ...startWhenDue(review, workload, need.view, 'update'), phase: 'moving' }
    : { ...need, wishes: [stopWish(need.view.leaving!, replacedBy(workload))], phase: 'moving' }
