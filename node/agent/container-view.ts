/** What a container's actor tells its pod, and how the views of all containers make the pod's report. Pure. */
import {
  type ContainerStatus,
  type Health,
  mayMove,
  type PodId,
  type PodReport,
  type PodState,
} from '../../scheduler/index.ts'

/**
 * `waiting`: not begun, or the engine is away. `delayed`: ended or refused, and due again later. `done`, `failed`
 * and `stopped` are final.
 */
export type ContainerPhase =
  | 'waiting'
  | 'preparing'
  | 'starting'
  | 'running'
  | 'delayed'
  | 'stopping'
  | 'done'
  | 'failed'
  | 'stopped'

export type ContainerView = {
  readonly name: string
  readonly image: string | null
  readonly phase: ContainerPhase
  readonly runtimeId: string | null
  readonly exitCode: number | null
  readonly health: Health
  readonly restarts: number
  /** A sentence without the container's name, or null when all is well. */
  readonly reason: string | null
}

/** The later of two states: a pod's state never goes back, whatever its containers do. */
export const laterState = (one: PodState, other: PodState): PodState =>
  mayMove(one, other, 'node') ? other : one

/** How far the pod has come, seen from its containers alone: running when all have been, else as far as the best. */
export const stateOf = (views: readonly ContainerView[]): PodState => {
  const hasRun = (view: ContainerView) =>
    view.phase !== 'waiting' && view.phase !== 'preparing' && view.phase !== 'starting' && !isRefused(view)
  if (views.every(hasRun)) return 'running'
  if (views.some(view => view.phase === 'starting' || isRefused(view) || hasRun(view))) return 'starting'
  return views.some(view => view.phase === 'preparing') ? 'preparing' : 'assigned'
}

/** A refused start leaves no run behind: the pod is still on its way. */
const isRefused = (view: ContainerView): boolean => view.phase === 'delayed' && view.runtimeId === null

/** The worst of the containers' health; `none` when nothing is checked and everything runs. */
export const healthOf = (views: readonly ContainerView[]): Health => {
  const order: readonly Health[] = ['unhealthy', 'unknown', 'starting', 'healthy', 'none']
  return order.find(health => views.some(view => view.health === health)) ?? 'unknown'
}

export const statusOf = (view: ContainerView): ContainerStatus => ({
  name: view.name,
  image: view.image,
  runtimeId: view.runtimeId,
  state: runStateOf(view),
  exitCode: view.exitCode,
})

const runStateOf = (view: ContainerView): ContainerStatus['state'] => {
  if (view.phase === 'running' || view.phase === 'stopping') return 'running'
  if (view.phase === 'done' || view.phase === 'failed' || view.phase === 'stopped')
    return view.runtimeId === null ? 'waiting' : 'exited'
  return view.exitCode === null ? 'waiting' : 'exited'
}

/** Engines and commands may say a lot, and every report is part of the log. */
const REASON_LENGTH_MAX = 1_000

const shortened = (text: string | null): string | null =>
  text === null || text.length <= REASON_LENGTH_MAX ? text : `${text.slice(0, REASON_LENGTH_MAX - 1)}…`

/** The sentences of all containers; named where there are several. */
export const reasonOf = (views: readonly ContainerView[]): string | null => {
  const sentences = views.flatMap(view =>
    view.reason === null ? [] : [views.length === 1 ? view.reason : `${view.name}: ${view.reason}`],
  )
  return sentences.length === 0 ? null : sentences.join('; ')
}

export const reportOf = (
  pod: { readonly id: PodId; readonly state: PodState; readonly reason: string | null },
  views: readonly ContainerView[],
): PodReport => ({
  id: pod.id,
  state: pod.state,
  health: healthOf(views),
  restarts: views.reduce((sum, view) => sum + view.restarts, 0),
  reason: shortened(pod.reason ?? reasonOf(views)),
  containers: views.map(statusOf),
})
