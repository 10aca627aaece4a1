/** How much a workload asks for at this moment. */
import { compareText } from '../canonical.ts'
import type { Node } from '../model/node.ts'
import type { Workload } from '../model/workload.ts'
import { nodeMatcher } from '../place/match.ts'
import type { State } from '../state.ts'

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
