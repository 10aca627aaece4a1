/** One plan: what reconcile wants, where placement puts it, and what has to wait, as changes for the log. */

import type { Change, Plan } from './commands.ts'
import type { PodId } from './model/pod.ts'
import { pendingChanges } from './pending.ts'
import { place } from './place/place.ts'
import type { Placed } from './place/placement.ts'
import { reconcile } from './reconcile/reconcile.ts'
import type { StartWish, Wish } from './reconcile/wish.ts'
import type { State } from './state.ts'
import { slotKey } from './tables.ts'

/** Changes in one plan, so that one entry of the log stays small; the next plan does the rest. */
export const PLAN_CHANGES_MAX = 200
/** Losses in one plan: half, so that the lost pods' successors fit into the same plan. */
const LOSSES_MAX = PLAN_CHANGES_MAX / 2

export type PlanOptions = {
  readonly nowMs: number
  /** Decides between equal nodes, and for the random strategy. */
  readonly seed: number
  /** A fresh id at each call. */
  readonly podId: () => PodId
}

/**
 * The next changes, or null when nothing is to be done before something happens or `nextDueMs` comes. Stable: once a
 * plan of fewer than PLAN_CHANGES_MAX changes is applied, planning at the same time gives null.
 */
export const plan = (state: State, { nowMs, seed, podId }: PlanOptions): Plan | null => {
  const wishes = reconcile(state, nowMs)
  const allLosses = wishes.filter(wish => wish.type === 'lose')
  const losses = allLosses.slice(0, LOSSES_MAX)
  const allStops = wishes.filter(wish => wish.type === 'stop')
  const stops = allStops.slice(0, PLAN_CHANGES_MAX - losses.length)
  const starts = startable(
    state,
    wishes,
    allLosses.slice(LOSSES_MAX).map(({ pod }) => pod),
  )
  const limit = PLAN_CHANGES_MAX - losses.length - stops.length
  const { placed, unplaced, isPartial } = place(state, starts, seed, nowMs, limit)
  const changes: Change[] = [...losses, ...stops, ...placed.map(one => startOf(one, podId(), nowMs))]
  const isWhole = !isPartial && losses.length === allLosses.length && stops.length === allStops.length
  if (isWhole) changes.push(...pendingChanges({ state, nowMs }, changes, unplaced).slice(0, PLAN_CHANGES_MAX))
  return changes.length === 0 ? null : { basedOnIndex: state.index, changes }
}

/** Start wishes but for slots whose loss must wait for the next plan: until then those are held. */
const startable = (state: State, wishes: readonly Wish[], heldBy: readonly PodId[]): readonly StartWish[] => {
  const held = new Set(
    heldBy.map(id => {
      const { workload, slot } = state.pods.get(id)!
      return slotKey(workload, slot)
    }),
  )
  return wishes
    .filter(wish => wish.type === 'start')
    .filter(wish => !held.has(slotKey(wish.workload, wish.slot)))
}

const startOf = ({ wish, node, ports, decision }: Placed, id: PodId, nowMs: number): Change => ({
  type: 'start',
  pod: {
    id,
    workload: wish.workload,
    slot: wish.slot,
    generation: wish.generation,
    node,
    desired: 'running',
    state: 'assigned',
    health: 'unknown',
    restarts: 0,
    reason: null,
    ports,
    containers: [],
    decision,
    createdAtMs: nowMs,
    stateChangedAtMs: nowMs,
  },
})
