/** What one slot needs next, and how it stands in a rolling update. */
import { isReady } from '../lifecycle.ts'
import type { Pod } from '../model/pod.ts'
import type { Workload } from '../model/workload.ts'
import type { State } from '../state.ts'
import { isDisplaced, isOutdated, mayOverlap } from '../succession.ts'
import type { SlotView } from './slot.ts'
import { judgeVacancy } from './vacancy.ts'
import type { StartWish, Wish } from './wish.ts'

/**
 * `outdated`: an older pod waits to be replaced, nothing has begun. `moving`: being replaced, and not ready yet; the
 * update's parallelism limits how many. `settled`: as wanted, or empty for a reason that is none of the update's.
 */
export type SlotPhase = 'settled' | 'moving' | 'outdated'

export type SlotNeed = {
  readonly view: SlotView
  readonly phase: SlotPhase
  readonly wishes: readonly Wish[]
  /** When the slot's back-off ends; null when it is not waiting for a time. */
  readonly dueMs: number | null
}

export type Review = { readonly state: State; readonly nowMs: number }

export const needOf = (review: Review, workload: Workload, view: SlotView): SlotNeed => {
  const surplus = view.surplus.map(pod => stopWish(pod, 'another pod of the slot is kept'))
  if (view.keeper) return needOfHeld(review, workload, view, view.keeper, surplus)
  if (view.isEnding || view.surplus.length > 0) return { view, phase: 'moving', wishes: surplus, dueMs: null }
  if (view.leaving) return needOfLeaving(review, workload, view, view.leaving)
  return { ...startWhenDue(review, workload, view), phase: phaseOfVacant(workload, view) }
}

const needOfHeld = (
  { state }: Review,
  workload: Workload,
  view: SlotView,
  keeper: Pod,
  surplus: readonly Wish[],
): SlotNeed => {
  const serves = workload.spec.kind === 'batch' ? keeper.state === 'running' : isReady(keeper)
  const phase = serves && !view.leaving && !view.isEnding ? 'settled' : 'moving'
  if (!serves || !view.leaving) return { view, phase, wishes: surplus, dueMs: null }
  const reason = isOutdated(view.leaving, workload)
    ? replacedBy(workload)
    : `moved off drained node ${state.nodes.get(view.leaving.node)!.name}`
  return { view, phase, wishes: [...surplus, stopWish(view.leaving, reason)], dueMs: null }
}

const needOfLeaving = (review: Review, workload: Workload, view: SlotView, leaving: Pod): SlotNeed => {
  const node = review.state.nodes.get(leaving.node)!
  if (isDisplaced(node)) {
    if (workload.spec.kind === 'service')
      return { ...startWhenDue(review, workload, view, `drain ${node.name}`), phase: 'settled' }
    return {
      view,
      phase: 'settled',
      wishes: [stopWish(leaving, `node ${node.name} is drained`)],
      dueMs: null,
    }
  }
  const wasTried = view.past.some(pod => !isOutdated(pod, workload))
  if (wasTried && mayOverlap(workload))
    return { ...startWhenDue(review, workload, view, 'update'), phase: 'moving' }
  return { view, phase: 'outdated', wishes: [], dueMs: null }
}

/** A slot that the update emptied, or whose new pod failed, holds the update up; a lost pod or no room does not. */
const phaseOfVacant = (workload: Workload, view: SlotView): SlotPhase => {
  const last = view.past.at(-1)
  if (!last || last.state === 'lost' || last.state === 'succeeded') return 'settled'
  return last.state === 'stopped' || !isOutdated(last, workload) ? 'moving' : 'settled'
}

/** A start wish, unless the slot is in back-off or done; a successor that is done already ends the pod that leaves. `cause` replaces what the slot's past would say. */
export const startWhenDue = (
  { state, nowMs }: Review,
  workload: Workload,
  view: SlotView,
  cause?: string,
): Omit<SlotNeed, 'phase'> => {
  const vacancy = judgeVacancy(state, workload, view, nowMs)
  if (vacancy.type === 'later') return { view, wishes: [], dueMs: vacancy.atMs }
  if (vacancy.type === 'done') {
    const isFinished = vacancy.as === 'succeeded' && view.leaving !== null
    const wishes = isFinished ? [stopWish(view.leaving, 'its successor has run to its end')] : []
    return { view, wishes, dueMs: null }
  }
  const wish: StartWish = {
    type: 'start',
    workload: workload.spec.name,
    slot: view.slot,
    generation: workload.generation,
    node: view.pin,
    cause: cause ?? vacancy.cause,
  }
  return { view, wishes: [wish], dueMs: null }
}

export const stopWish = (pod: Pod, reason: string): Wish => ({ type: 'stop', pod: pod.id, reason })

export const replacedBy = (workload: Workload): string => `replaced by generation ${workload.generation}`
