/** Plans: checked as a whole, then done as a whole. */
import type { Change, Command } from '../commands.ts'
import type { Pod, PodId } from '../model/pod.ts'
import { demandOf } from '../room.ts'
import { compareAge } from '../snapshot.ts'
import { insertPod, slotKey, type Tables, updatePod } from '../tables.ts'
import { PlanCheck } from './plan-check.ts'
import { type Step, tell, type Verdict } from './step.ts'

type ApplyPlan = Extract<Command, { type: 'plan/Apply' }>
type Start = Extract<Change, { type: 'start' }>
type Pend = Extract<Change, { type: 'pend' }>

export const applyPlan = (tables: Tables, { plan }: ApplyPlan, step: Step): Verdict => {
  const check = new PlanCheck(tables, plan)
  for (const change of plan.changes) {
    const refusal = check.judge(change)
    if (refusal) return refusal
  }
  for (const change of plan.changes) if (change.type === 'lose') lose(tables, change, step)
  for (const change of plan.changes) if (change.type === 'stop') stop(tables, change, step)
  for (const { pod } of startsInOrder(plan.changes)) start(tables, pod, step)
  for (const change of plan.changes) if (change.type === 'pend') pend(tables, change, step)
  return null
}

/** All have the index of this entry, so their order in the tables is by name: the order that a snapshot restores. */
const startsInOrder = (changes: readonly Change[]): readonly Start[] =>
  changes
    .filter(change => change.type === 'start')
    .sort((a, b) => compareAge({ ...a.pod, createdIndex: 0 }, { ...b.pod, createdIndex: 0 }))

const nameOf = (pod: Pick<Pod, 'workload' | 'slot'>): string => `pod/${slotKey(pod.workload, pod.slot)}`

const lose = (tables: Tables, { pod: id, reason }: { pod: PodId; reason: string }, step: Step): void => {
  const pod = tables.pods.get(id)!
  updatePod(tables, { ...pod, state: 'lost', reason, modifiedIndex: step.index, stateChangedAtMs: step.atMs })
  tell(step, nameOf(pod), 'lost', reason)
}

const stop = (tables: Tables, { pod: id, reason }: { pod: PodId; reason: string }, step: Step): void => {
  const pod = tables.pods.get(id)!
  updatePod(tables, { ...pod, desired: 'stopped', reason, modifiedIndex: step.index })
  tell(step, nameOf(pod), 'retired', reason)
}

const start = (tables: Tables, pod: Start['pod'], step: Step): void => {
  const workload = tables.workloads.get(pod.workload)!
  const node = tables.nodes.get(pod.node)!
  insertPod(tables, {
    ...pod,
    resources: demandOf(workload.spec.pod),
    createdIndex: step.index,
    modifiedIndex: step.index,
  })
  if (workload.pending.some(({ slot }) => slot === pod.slot))
    tables.workloads.set(pod.workload, {
      ...workload,
      pending: workload.pending.filter(({ slot }) => slot !== pod.slot),
    })
  tell(step, nameOf(pod), 'assigned', `to ${node.name} (${pod.decision.cause})`)
}

/** Leaves `modifiedIndex` alone: the user's wish has not changed, and `checkIndex` is about that. */
const pend = (tables: Tables, { workload: name, slots }: Pend, step: Step): void => {
  const workload = tables.workloads.get(name)!
  tables.workloads.set(name, { ...workload, pending: slots })
  const known = new Set(workload.pending.map(({ slot }) => slot))
  const added = slots.filter(({ slot }) => !known.has(slot))
  for (const { slot, reason } of added) tell(step, nameOf({ workload: name, slot }), 'pending', reason)
}
