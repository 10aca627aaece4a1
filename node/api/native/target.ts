/** The one resolver of targets: `web`, `web.2`, `web@ash`, a pod id. Which pods are meant, now and as the state moves on. */
import { isEnded, namespaceOf, type Pod, type PodId, type State, slotKey } from '../../../scheduler/index.ts'
import { Failure } from '../../errors.ts'
import { nearestWorkload } from '../nearest-workload.ts'
import { nodeNamed } from '../node-name.ts'
import type { Caller } from '../request.ts'
import { podsOfWorkload } from './view-workloads.ts'

export type PodTarget = {
  /** The pods that the target means in a state. */
  pods(state: State): readonly Pod[]
  /** Whether it names one pod for good: nothing more can come once that has ended. */
  readonly isOnePod: boolean
}

/** Throws E_NOT_FOUND with a guess. */
export const podTarget = (state: State, text: string): PodTarget => {
  const byId = state.pods.get(text as PodId)
  if (byId !== undefined) return { pods: () => [byId], isOnePod: true }
  const [name = '', nodeName] = text.split('@', 2)
  const isKnown = (now: State): boolean => now.workloads.has(name) || now.podsByWorkload.has(name)
  if (nodeName !== undefined && isKnown(state)) {
    const node = nodeNamed(state, nodeName).id
    return { pods: now => currentPods(now, name).filter(pod => pod.node === node), isOnePod: false }
  }
  if (isKnown(state)) return { pods: now => currentPods(now, name), isOnePod: false }
  const slot = slotOf(text)
  if (slot !== null && isSlot(state, slot))
    return {
      pods: now => currentPods(now, slot.workload).filter(pod => pod.slot === slot.number),
      isOnePod: false,
    }
  throw unknownTarget(state, text)
}

/** A node is in no namespace: throws E_NOT_FOUND when one who is bound to a namespace names one, or nothing. */
export const checkTarget = (state: State, text: string, { namespace }: Caller): void => {
  if (namespace === null) return
  for (const pod of podTarget(state, text).pods(state))
    if (namespaceOf(pod.workload) !== namespace) throw unknownTarget(state, text)
}

/** Of each slot its live pods, or its last one when none lives. */
const currentPods = (state: State, workload: string): readonly Pod[] => {
  const bySlot = Map.groupBy(podsOfWorkload(state, workload), pod => pod.slot)
  return [...bySlot.values()].flatMap(pods => {
    const live = pods.filter(pod => !isEnded(pod.state))
    return live.length > 0 ? live : pods.slice(-1)
  })
}

type Slot = { readonly workload: string; readonly number: number }

const slotOf = (text: string): Slot | null => {
  const match = /^([^.@]+)\.(\d{1,6})$/.exec(text)
  return match === null ? null : { workload: match[1]!, number: Number(match[2]) }
}

const isSlot = (state: State, { workload, number }: Slot): boolean => {
  if (state.podsBySlot.has(slotKey(workload, number))) return true
  const { spec } = state.workloads.get(workload) ?? {}
  return spec !== undefined && spec.kind !== 'global' && number >= 1 && number <= spec.count
}

/** Guesses among workloads, slots and nodes; `more` is what else it could have been. */
export const unknownTarget = (state: State, text: string, more = ''): Failure => {
  const nodes = [...state.nodes.values()].filter(node => node.state !== 'left').map(node => node.name)
  const slots = [...state.podsBySlot.keys()]
  const namespace = namespaceOf(text)
  const others = [...slots.filter(slot => namespaceOf(slot) === namespace), ...nodes]
  const guess = nearestWorkload(text, state, others)
  return new Failure(
    'E_NOT_FOUND',
    {
      message: `there is no "${text}"`,
      why: `it is neither a workload, nor a slot such as web.2, nor a pod on a node such as web@ash, nor a pod id${more}`,
      try: guess === null ? 'tutti ps' : `did you mean "${guess}"?`,
    },
    { facts: { target: text, ...(guess === null ? {} : { guess }) } },
  )
}
