/** Whose pods do not come up on which node though they run well on others: there it is the node that is at fault. Pure. */
import { isEnded, isReady, type NodeId, type Pod, type State } from '../../../scheduler/index.ts'

/** A failure that is older says nothing about the node of today. */
const COUNTED_MS = 600_000
/** Ended that soon after it was placed, a pod never really ran. Clocks of two machines are compared. */
const NEVER_RAN_MS = 60_000
const RESTARTS_MIN = 3

/** By node: the names of such workloads. */
export const startFailuresOf = (state: State, nowMs: number): ReadonlyMap<NodeId, readonly string[]> => {
  const failures = new Map<NodeId, string[]>()
  for (const [name, workload] of state.workloads) {
    const pods: Pod[] = []
    for (const id of state.podsByWorkload.get(name) ?? []) pods.push(state.pods.get(id)!)
    const present = pods.filter(({ generation }) => generation === workload.generation)
    const well = new Set(present.filter(isReady).map(({ node }) => node))
    if (well.size === 0) continue
    const ill = new Set(present.filter(pod => isFailing(pod, nowMs)).map(({ node }) => node))
    for (const node of ill) if (!well.has(node)) failures.set(node, [...(failures.get(node) ?? []), name])
  }
  return failures
}

const isFailing = (pod: Pod, nowMs: number): boolean => {
  if (!isEnded(pod.state)) return pod.restarts >= RESTARTS_MIN && !isReady(pod)
  const ranMs = pod.stateChangedAtMs - pod.createdAtMs
  return (
    pod.state === 'failed' &&
    Math.abs(ranMs) < NEVER_RAN_MS &&
    Math.abs(nowMs - pod.stateChangedAtMs) < COUNTED_MS
  )
}
