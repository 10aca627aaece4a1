/** Answers "why is it there?" and "why is it not?" for whatever a user may name. Reads the state, decides nothing. */
import { compareText } from '../canonical.ts'
import { isEnded, isReady } from '../lifecycle.ts'
import type { Node } from '../model/node.ts'
import type { Pod, PodId } from '../model/pod.ts'
import type { Workload } from '../model/workload.ts'
import { survey } from '../place/place.ts'
import type { Survey } from '../place/placement.ts'
import { amount, cores } from '../place/words.ts'
import { countWanted } from '../reconcile/wanted.ts'
import { reservedOn } from '../room.ts'
import type { State } from '../state.ts'
import { podsOfNode, podsOfSlot, podsOfWorkload, slotKey } from '../tables.ts'
import type { Explanation, NodeExplanation, WorkloadExplanation } from './explanation.ts'
import { explainSlot, livePodOf, type Moment, whyVacant } from './slot.ts'
import { counted, nodeDoubts, nodeStanding } from './words.ts'

/**
 * `target`: a slot (`web.2`), a pod id, a workload's name, a node's name or id; looked up in this order. Null when
 * nothing has that name.
 */
export const explain = (state: State, target: string, nowMs: number): Explanation | null => {
  const moment = { state, nowMs }
  const slot = /^(.+)\.(\d+)$/.exec(target)
  if (slot) {
    const [, name = '', number = ''] = slot
    const isKnown = state.workloads.has(name) || podsOfSlot(state, name, Number(number)).length > 0
    if (isKnown) return explainSlot(moment, { workload: name, slot: Number(number), pod: null })
  }
  const pod = state.pods.get(target as PodId)
  if (pod) return explainSlot(moment, { workload: pod.workload, slot: pod.slot, pod })
  const workload = state.workloads.get(target)
  if (workload) return explainWorkload(moment, workload)
  const nodes = [...state.nodes.values()].filter(node => node.id === target || node.name === target)
  const node = nodes.find(({ state: nodeState }) => nodeState !== 'left') ?? nodes[0]
  return node ? explainNode(moment, node) : null
}

const explainWorkload = ({ state, nowMs }: Moment, workload: Workload): WorkloadExplanation => {
  const { spec } = workload
  const pods = podsOfWorkload(state, spec.name)
  const live = pods.filter(pod => !isEnded(pod.state))
  const wantedCount = countWanted(state, workload)
  const numbers = new Set(live.map(pod => pod.slot))
  if (spec.kind !== 'global') for (let slot = 1; slot <= wantedCount; slot++) numbers.add(slot)
  for (const { slot } of workload.pending) numbers.add(slot)
  let judged: Survey | null = null
  const surveyOnce = (slot: number): Survey => {
    judged ??= survey(state, { workload: spec.name, slot, nowMs })
    return judged
  }
  const slots = [...numbers]
    .sort((a, b) => a - b)
    .map(slot => {
      const pod = livePodOf(podsOfSlot(state, spec.name, slot))
      return { slot, pod, reason: pod ? null : whyVacant(state, workload, slot, surveyOnce) }
    })
  const readyCount = live.filter(isReady).length
  const wish = spec.kind === 'global' ? 'on every matching node' : `as a ${spec.kind}`
  const ended = spec.kind === 'batch' ? `, ${countSucceeded(workload, pods)} succeeded` : ''
  const ending = live.length === 0 ? '' : `; ${counted(live.length, 'pod')} still to end`
  const sentences = [
    workload.stopped
      ? `${spec.name} is stopped${ending}.`
      : `${spec.name} runs ${wish}: ${wantedCount} wanted, ${live.length} live, ${readyCount} ready${ended}.`,
    ...slots.flatMap(({ slot, reason }) =>
      reason ? [`${slotKey(spec.name, slot)} has no pod: ${reason}.`] : [],
    ),
  ]
  return {
    type: 'workload',
    workload: spec.name,
    wantedCount,
    liveCount: live.length,
    readyCount,
    pendingCount: workload.pending.length,
    slots,
    sentences,
  }
}

const countSucceeded = ({ generation }: Workload, pods: readonly Pod[]): number =>
  new Set(
    pods.filter(pod => pod.state === 'succeeded' && pod.generation === generation).map(({ slot }) => slot),
  ).size

const explainNode = ({ state, nowMs }: Moment, node: Node): NodeExplanation => {
  const pods = podsOfNode(state, node.id).sort(
    (a, b) => compareText(a.workload, b.workload) || a.slot - b.slot,
  )
  const reserved = reservedOn(state, node)
  const { cpuMillis, memoryBytes } = node.capacity
  return {
    type: 'node',
    node,
    pods,
    cpuMillisReserved: reserved.cpuMillis,
    memoryBytesReserved: reserved.memoryBytes,
    sentences: [
      `${nodeStanding(node)}.`,
      ...nodeDoubts(node, nowMs),
      pods.length === 0
        ? 'It holds no pods.'
        : `It holds ${counted(pods.length, 'pod')}, which ${pods.length === 1 ? 'reserves' : 'reserve'} ` +
          `${cores(reserved.cpuMillis)} of ${cores(cpuMillis)} CPU ` +
          `and ${amount(reserved.memoryBytes)} of ${amount(memoryBytes)} of memory.`,
    ],
  }
}
