/** What should change so that the cluster runs what was asked. Where new pods go is not decided here. */
import { compareText } from '../canonical.ts'
import type { Workload } from '../model/workload.ts'
import type { State } from '../state.ts'
import { podsOfNode } from '../tables.ts'
import { reviewCounted, type WorkloadNeeds } from './counted.ts'
import { reviewGlobal } from './global.ts'
import type { Review } from './slot-wishes.ts'
import type { Wish } from './wish.ts'

/** Losses first: start wishes take them as done. Then workload by workload, by name; unwanted pods before slots. */
export const reconcile = (state: State, nowMs: number): readonly Wish[] => {
  const wishes = losses(state)
  for (const workload of byName(state)) {
    const { excess, needs } = reviewWorkload({ state, nowMs }, workload)
    wishes.push(...excess)
    for (const need of needs) wishes.push(...need.wishes)
  }
  return wishes
}

/** When the next back-off ends, so that somebody plans again then; null when nothing waits for a time. */
export const nextDueMs = (state: State, nowMs: number): number | null => {
  let next: number | null = null
  for (const workload of byName(state))
    for (const { dueMs } of reviewWorkload({ state, nowMs }, workload).needs)
      if (dueMs !== null && (next === null || dueMs < next)) next = dueMs
  return next
}

/** Those that want pods or have some. */
const byName = (state: State): readonly Workload[] => {
  const live: Workload[] = []
  for (const workload of state.workloads.values()) if (!isQuiet(state, workload)) live.push(workload)
  return live.sort((a, b) => compareText(a.spec.name, b.spec.name))
}

const isQuiet = ({ podsByWorkload }: State, { spec, stopped }: Workload): boolean =>
  (stopped || (spec.kind !== 'global' && spec.count === 0)) && !podsByWorkload.has(spec.name)

const reviewWorkload = (review: Review, workload: Workload): WorkloadNeeds =>
  workload.spec.kind === 'global' ? reviewGlobal(review, workload) : reviewCounted(review, workload)

const losses = (state: State): Wish[] => {
  const gone = [...state.nodes.values()].filter(node => node.state !== 'alive')
  return gone
    .sort((a, b) => compareText(a.id, b.id))
    .flatMap(node => {
      const reason = node.state === 'left' ? `node ${node.name} has left` : `node ${node.name} is dead`
      return podsOfNode(state, node.id).map(pod => ({ type: 'lose', pod: pod.id, reason }) as const)
    })
}
