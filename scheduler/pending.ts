/** The written record of slots that find no room: which entries a plan must change. */
import { isSame } from './canonical.ts'
import type { Change } from './commands.ts'
import { isOwner } from './lifecycle.ts'
import type { PendingSlot, Workload } from './model/workload.ts'
import type { Unplaced } from './place/placement.ts'
import type { State } from './state.ts'
import { isOutdated } from './succession.ts'
import { podsOfSlot, slotKey } from './tables.ts'

/** Pending slots written down per workload, lowest first. The others have the same reason. */
export const PENDING_KEPT_MAX = 100

type Moment = { readonly state: State; readonly nowMs: number }

/** `changes`: the rest of the plan. `apply` itself strikes out the slots that it starts. */
export const pendingChanges = (
  { state, nowMs }: Moment,
  changes: readonly Change[],
  unplaced: readonly Unplaced[],
): readonly Change[] => {
  const waiting = Map.groupBy(unplaced, ({ wish }) => wish.workload)
  const started = slotsOf(state, changes, 'start')
  const stopped = slotsOf(state, changes, 'stop')
  const pends: Change[] = []
  for (const [name, workload] of state.workloads) {
    if (workload.pending.length === 0 && !waiting.has(name)) continue
    const known = workload.pending.filter(({ slot }) => !started.has(slotKey(name, slot)))
    const refused = (waiting.get(name) ?? []).map(({ wish: { slot }, reason }) => ({ slot, reason }))
    const refusedSlots = new Set(refused.map(({ slot }) => slot))
    const heldBack = known.filter(
      ({ slot }) =>
        !refusedSlots.has(slot) && !stopped.has(slotKey(name, slot)) && isHeldBack(state, workload, slot),
    )
    const slots = [...refused, ...heldBack]
      .sort((a, b) => a.slot - b.slot)
      .slice(0, PENDING_KEPT_MAX)
      .map(({ slot, reason }): PendingSlot => {
        const sinceMs = workload.pending.find(entry => entry.slot === slot)?.sinceMs ?? nowMs
        return { slot, reason, sinceMs }
      })
    if (!isSame(slots, known)) pends.push({ type: 'pend', workload: name, slots })
  }
  return pends
}

/** Its update found no room and now waits for others of the update: the entry stands until it is tried again. */
const isHeldBack = (state: State, workload: Workload, slot: number): boolean => {
  const { kind, count, name } = workload.spec
  if (workload.stopped || (kind !== 'global' && slot > count)) return false
  return podsOfSlot(state, name, slot).some(
    pod => isOwner(pod) && isOutdated(pod, workload) && state.nodes.get(pod.node)!.state === 'alive',
  )
}

const slotsOf = (state: State, changes: readonly Change[], type: 'start' | 'stop'): ReadonlySet<string> => {
  const slots = new Set<string>()
  for (const change of changes) {
    if (change.type !== type) continue
    const pod = change.type === 'start' ? change.pod : state.pods.get(change.pod)!
    slots.add(slotKey(pod.workload, pod.slot))
  }
  return slots
}
