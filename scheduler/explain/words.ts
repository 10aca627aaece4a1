/** Phrases that explanations are made of. */
import { isRestarting } from '../lifecycle.ts'
import type { Node } from '../model/node.ts'
import type { Pod, PodState } from '../model/pod.ts'
import type { Workload } from '../model/workload.ts'
import { lossesOf, probationLeftMs } from '../probation.ts'

/** `1 pod`, `3 pods`, `no pods`. */
export const counted = (number: number, one: string): string =>
  `${number === 0 ? 'no' : number} ${one}${number === 1 ? '' : 's'}`

const STANDINGS: Readonly<Record<PodState, string>> = {
  assigned: 'is assigned to',
  preparing: 'is being prepared on',
  starting: 'is starting on',
  running: 'is running on',
  stopping: 'is stopping on',
  succeeded: 'has succeeded on',
  failed: 'has failed on',
  stopped: 'was stopped on',
  lost: 'was lost with',
}

/** `is running on ash`. */
export const standingOf = (pod: Pod, node: string): string =>
  `${isRestarting(pod) ? 'waits to be restarted on' : STANDINGS[pod.state]} ${node}`

/** `ash is alive and drained: it gets no new pods`. */
export const nodeStanding = ({ name, state, schedulable, ailing }: Node): string => {
  if (state === 'left') return `${name} has left the cluster`
  if (state === 'dead') return `${name} is dead${schedulable ? '' : ', and was drained'}`
  const by = ailing === undefined ? '' : ` by the cluster for its health (${ailing})`
  return `${name} is alive${schedulable ? '' : ` and drained${by}: it gets no new pods`}`
}

/** What else is held against a node, and for how long; whole sentences. */
export const nodeDoubts = (node: Node, nowMs: number): readonly string[] => {
  if (node.state === 'left') return []
  const losses = lossesOf(node, nowMs)
  const leftMs = probationLeftMs(node, nowMs)
  if (leftMs > 0)
    return [
      `It was lost ${losses} times of late: for ${Math.ceil(leftMs / 1_000)} s more it gets new pods only where no other node fits.`,
    ]
  const returns = node.ailing === undefined ? [] : [`It takes pods again after: tutti activate ${node.name}.`]
  if (losses === 0) return returns
  return [`It was lost ${losses === 1 ? 'once' : `${losses} times`} of late.`, ...returns]
}

/** Why nothing is wanted in a slot; null when something is. Slots of global workloads belong to nodes, not to numbers. */
export const whyUnwanted = (workload: Workload | undefined, name: string, slot: number): string | null => {
  if (!workload) return `there is no workload ${name} any more`
  const { kind, count } = workload.spec
  if (workload.pending.some(other => other.slot === slot)) return null
  if (workload.stopped) return `${name} is stopped`
  if (kind === 'global') return `${name} runs one pod on each matching node, and none has this number`
  return slot > count || slot < 1 ? `${name} asks for ${counted(count, 'pod')}` : null
}
