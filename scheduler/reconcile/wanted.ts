/** How much a workload asks for at this moment. */
import { compareText } from '../canonical.ts'
import { isEnded } from '../lifecycle.ts'
import type { Node } from '../model/node.ts'
import type { Workload } from '../model/workload.ts'
import { nodeMatcher } from '../place/match.ts'
import type { State } from '../state.ts'
import { podsOfWorkload } from '../tables.ts'
import { groupBySlot, viewSlot } from './slot.ts'
import { judgeVacancy } from './vacancy.ts'

/** Alive, not drained, able to run the pod, and within the hard constraints; by id. */
export const wantedNodes = (state: State, workload: Workload): readonly Node[] => {
  const matches = nodeMatcher(workload.spec)
  return [...state.nodes.values()]
    .filter(node => node.state === 'alive' && node.schedulable && matches(node))
    .sort((a, b) => compareText(a.id, b.id))
}

/** How many pods the workload should have now: for global ones, as many as nodes match. */
export const countWanted = (state: State, workload: Workload): number => {
  if (workload.stopped) return 0
  return workload.spec.kind === 'global' ? wantedNodes(state, workload).length : workload.spec.count
}

/** How many wanted slots stay empty because their pods failed, and the restart policy allows no other. */
export const countGivenUp = (state: State, workload: Workload): number => {
  const { kind, count, name } = workload.spec
  if (workload.stopped) return 0
  const nodes = kind === 'global' ? new Set(wantedNodes(state, workload).map(({ id }) => id)) : null
  let givenUp = 0
  for (const [slot, pods] of groupBySlot(podsOfWorkload(state, name))) {
    const isWanted = nodes === null ? slot <= count : nodes.has(pods.at(-1)!.node)
    if (!isWanted || pods.some(pod => !isEnded(pod.state))) continue
    const vacancy = judgeVacancy(state, workload, viewSlot(state, workload, { slot, pin: null, pods }), 0)
    if (vacancy.type === 'done' && vacancy.as === 'failed') givenUp++
  }
  return givenUp
}
