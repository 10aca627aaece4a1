/** Why one slot's pod is where it is, or why there is none, and what would have changed it. */
import { isEnded } from '../lifecycle.ts'
import type { Candidate, Decision, Pod } from '../model/pod.ts'
import type { Workload } from '../model/workload.ts'
import { survey } from '../place/place.ts'
import type { Survey } from '../place/placement.ts'
import { viewSlot } from '../reconcile/slot.ts'
import { judgeVacancy } from '../reconcile/vacancy.ts'
import { wantedNodes } from '../reconcile/wanted.ts'
import type { State } from '../state.ts'
import { podsOfSlot, slotKey } from '../tables.ts'
import type { PastPod, SlotExplanation } from './explanation.ts'
import { standingOf, whyUnwanted } from './words.ts'

type Question = {
  readonly workload: string
  readonly slot: number
  /** The pod that was asked for by id, or null. */
  readonly pod: Pod | null
}

/** The live pod that holds the slot, else one that is ending; null when all have ended. */
export const livePodOf = (pods: readonly Pod[]): Pod | null => {
  const live = pods.filter(pod => !isEnded(pod.state))
  return live.findLast(pod => pod.desired === 'running') ?? live.at(-1) ?? null
}

/** The state, and when it is looked at. */
export type Moment = { readonly state: State; readonly nowMs: number }

export const explainSlot = ({ state, nowMs }: Moment, question: Question): SlotExplanation => {
  const { workload: name, slot } = question
  const pods = podsOfSlot(state, name, slot)
  const live = livePodOf(pods)
  const pod = question.pod ?? live ?? pods.at(-1) ?? null
  const workload = state.workloads.get(name)
  const now = workload ? survey(state, { workload: name, slot, nowMs }) : null
  const pendingReason = workload && !live ? whyVacant(state, workload, slot, () => now) : null
  const past = pods.filter(other => other !== pod && isEnded(other.state)).toReversed()
  const unwanted = live || isDue(state, workload, pods) ? null : whyUnwanted(workload, name, slot)
  const wouldChange = pod && !isEnded(pod.state) ? whatWouldMove(pod.decision) : unwanted ? [] : remedies(now)
  return {
    type: 'slot',
    workload: name,
    slot,
    pod,
    decision: pod?.decision ?? null,
    candidatesNow: now?.candidates ?? [],
    pendingReason,
    wouldChange,
    past: past.map(other => pastPodOf(state, other)),
    sentences: [
      ...(pod ? podSentences(state, pod) : []),
      ...(unwanted ? [`${slotKey(name, slot)} is not wanted: ${unwanted}.`] : []),
      ...(pendingReason ? [`${slotKey(name, slot)} has no pod now: ${pendingReason}.`] : []),
      ...wouldChange,
    ],
  }
}

const pastPodOf = (state: State, pod: Pod): PastPod => ({
  id: pod.id,
  node: pod.node,
  nodeName: state.nodes.get(pod.node)!.name,
  generation: pod.generation,
  state: pod.state,
  reason: pod.reason,
  cause: pod.decision.cause,
  createdAtMs: pod.createdAtMs,
  endedAtMs: pod.stateChangedAtMs,
})

/** Slots of a global workload have no numbers to compare with: the last pod's node says whether one is wanted. */
const isDue = (state: State, workload: Workload | undefined, pods: readonly Pod[]): boolean => {
  const last = pods.at(-1)
  if (workload?.spec.kind !== 'global' || workload.stopped || !last) return false
  return wantedNodes(state, workload).some(({ id }) => id === last.node)
}

/** Null when nothing is missing: the slot is not wanted, or has run to its end. */
export const whyVacant = (
  state: State,
  workload: Workload,
  slot: number,
  surveyOf: (slot: number) => Survey | null,
): string | null => {
  const { name, kind, count } = workload.spec
  if (workload.stopped || (kind !== 'global' && slot > count)) return null
  const pending = workload.pending.find(other => other.slot === slot)
  if (pending) return pending.reason
  const pods = podsOfSlot(state, name, slot)
  if (kind === 'global' && !isDue(state, workload, pods)) return null
  const endedAtMs = pods.at(-1)?.stateChangedAtMs ?? 0
  const vacancy = judgeVacancy(
    state,
    workload,
    viewSlot(state, workload, { slot, pin: null, pods }),
    endedAtMs,
  )
  if (vacancy.type === 'later')
    return `its last pod ${pods.at(-1)?.state}; the next starts ${seconds(vacancy.atMs - endedAtMs)} after that`
  if (vacancy.type === 'due')
    return (kind === 'global' ? null : surveyOf(slot)?.reason) ?? 'the leader is about to start one'
  if (vacancy.as === 'succeeded') return null
  const how = pods.at(-1)?.reason
  return `its last pod failed${how ? ` (${how})` : ''}, and the restart policy allows no other`
}

const seconds = (ms: number): string => `${Math.ceil(ms / 1_000)} s`

const podSentences = (state: State, pod: Pod): readonly string[] => {
  const { decision } = pod
  const node = state.nodes.get(pod.node)!
  const chosen = decision.candidates.find(candidate => candidate.node === pod.node)
  const refused = decision.candidates.filter(({ refusal }) => refusal !== null)
  const key = slotKey(pod.workload, pod.slot)
  return [
    `${key} ${standingOf(pod, node.name)}${pod.reason ? `: ${pod.reason}` : ''}.`,
    decision.consideredCount === 1
      ? `It was started there because of: ${decision.cause}; no other node was considered.`
      : `It was started because of: ${decision.cause}. ${node.name} was the best of ${decision.consideredCount} nodes ` +
        `by strategy ${decision.strategy}${chosen ? whyBest(chosen) : ''}.`,
    ...refused.map(({ name, refusal }) => `${name} was ruled out: it ${refusal}.`),
  ]
}

const whyBest = ({ score, parts }: Candidate): string => {
  const list = Object.entries(parts).map(([part, share]) => `${part} ${share}`)
  return ` with a score of ${score} (${list.join(', ')})`
}

/** From the record of the decision alone, so that it also holds for past ones. */
const whatWouldMove = (decision: Decision): readonly string[] => {
  const [chosen, next] = decision.candidates.filter(({ refusal }) => refusal === null)
  const refused = decision.candidates.filter(({ refusal }) => refusal !== null)
  return [
    ...(chosen && next
      ? [
          next.score === chosen.score
            ? `${next.name} scored the same; chance decided.`
            : `Without ${chosen.name}, ${next.name} would have been chosen (score ${next.score}).`,
        ]
      : []),
    ...refused.map(
      ({ name, refusal }) => `${name} would join the choice once this no longer holds: it ${refusal}.`,
    ),
  ]
}

const remedies = (now: Survey | null): readonly string[] =>
  now?.reason ? now.remedies.map(remedy => `What would help: ${remedy}.`) : []
