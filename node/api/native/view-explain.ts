/** Why things are where they are, for people: the scheduler's explanation with names, and the decisions it rests on. */
import { type Explanation, explain, type Pod, type State, slotKey } from '../../../scheduler/index.ts'
import { nameOfNode } from '../node-name.ts'
import { isoTime } from './picture.ts'
import type { ExplainView } from './schema.ts'
import { podTarget, unknownTarget } from './target.ts'

type DecisionView = ExplainView['decisions'][number]

/** Throws E_NOT_FOUND with a guess. */
export const explainView = (state: State, target: string, nowMs: number): ExplainView => {
  const explanation = explain(state, target.includes('@') ? podIdOf(state, target) : target, nowMs)
  if (explanation === null) throw unknownTarget(state, target, ', nor a node')
  return {
    target,
    sentences: explanation.sentences,
    decisions: podsOf(state, explanation).map(pod => decisionView(state, pod)),
  }
}

/** `web@ash`: the newest pod of web on ash. */
const podIdOf = (state: State, target: string): string => {
  const pod = podTarget(state, target).pods(state).at(-1)
  if (pod === undefined) throw unknownTarget(state, target)
  return pod.id
}

const podsOf = (state: State, explanation: Explanation): readonly Pod[] => {
  switch (explanation.type) {
    case 'slot': {
      const ids = [explanation.pod?.id, ...explanation.past.map(past => past.id)]
      return [...new Set(ids)].flatMap(id => (id === undefined ? [] : (state.pods.get(id) ?? [])))
    }
    case 'workload':
      return explanation.slots.flatMap(({ pod }) => pod ?? [])
    case 'node':
      return explanation.pods
  }
}

const decisionView = (state: State, pod: Pod): DecisionView => {
  const { decision } = pod
  return {
    pod: slotKey(pod.workload, pod.slot),
    podId: pod.id,
    node: nameOfNode(state, pod.node),
    state: pod.state,
    cause: decision.cause,
    at: isoTime(decision.atMs),
    index: decision.index,
    strategy: decision.strategy,
    consideredCount: decision.consideredCount,
    candidates: decision.candidates,
  }
}
