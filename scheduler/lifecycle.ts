/** A pod's states: the allowed moves, which only go forward, and who may make them. Decides nothing about when. */
import type { Pod, PodState } from './model/pod.ts'

/** `node`: the pod's own node by a report. `leader`: a plan in the log. */
export type Writer = 'node' | 'leader'

const RANK: Readonly<Record<PodState, number>> = {
  assigned: 0,
  preparing: 1,
  starting: 2,
  running: 3,
  stopping: 4,
  succeeded: 5,
  failed: 5,
  stopped: 5,
  lost: 5,
}

/** An ended pod holds no port, no resources and no slot, and never changes again. */
export const isEnded = (state: PodState): boolean => RANK[state] === RANK.stopped

/**
 * Whether `writer` may move a pod from one state to a later one. Any state may skip forward. Staying in a state that
 * has not ended is no move and is always allowed, so that health and restarts can be reported.
 */
export const mayMove = (from: PodState, to: PodState, writer: Writer): boolean => {
  if (isEnded(from)) return false
  if (writer === 'leader') return to === 'lost'
  if (to === 'lost') return false
  return from === to || RANK[to] > RANK[from]
}

/** As good as it gets: running, and healthy where a check is declared. */
export const isReady = (pod: Pod): boolean =>
  pod.state === 'running' && (pod.health === 'healthy' || pod.health === 'none')

/** Between two runs: the pod goes on, but nothing of it runs at this moment. */
export const isRestarting = (pod: Pick<Pod, 'state' | 'containers'>): boolean =>
  pod.state === 'running' &&
  pod.containers.length > 0 &&
  pod.containers.every(container => container.state !== 'running')

/** Live owners of a slot: not ended and wanted. At most one per slot outside a move or a start-first update. */
export const isOwner = (pod: Pod): boolean => !isEnded(pod.state) && pod.desired === 'running'
