/** Routes that answer over time: events and logs, one JSON value a line. */
import type { Pod, State } from '../../../scheduler/index.ts'
import { Failure } from '../../errors.ts'
import { nearest } from '../nearest.ts'
import { listed } from '../node-name.ts'
import { jsonLines } from '../reply.ts'
import { flagOf, numberOf } from '../request.ts'
import type { NativeRoute } from './access.ts'
import type { ReadLogs } from './logs.ts'
import { checkTarget, podTarget } from './target.ts'
import { eventsView } from './view-access.ts'
import type { NativeDeps } from './write.ts'

const TAIL_MAX = 100_000

export const streamRoutes = ({ gateway, clock }: NativeDeps, readLogs: ReadLogs): readonly NativeRoute[] => [
  {
    method: 'GET',
    path: '/events',
    handler: request => {
      const fromIndex = numberOf(request, 'from', { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 0
      const watched = gateway.watch({ fromIndex, follow: flagOf(request, 'follow'), signal: request.signal })
      return jsonLines(eventsView(watched, { nowMs: () => clock.wallMs(), caller: request.caller }))
    },
  },
  {
    method: 'GET',
    path: '/logs/:target',
    handler: (request, { target = '' }) => {
      const state = gateway.state()
      checkTarget(state, target, request.caller)
      const pods = podTarget(state, target)
      const { container = null } = request.query
      if (container !== null) checkContainer(state, pods.pods(state), container)
      const lines = readLogs({
        target: pods,
        container,
        follow: flagOf(request, 'follow'),
        tail: numberOf(request, 'tail', { min: 0, max: TAIL_MAX }),
        signal: request.signal,
      })
      return jsonLines(lines)
    },
  },
]

/** A follower of a container that no pod will ever have would wait in silence for ever. */
const checkContainer = (state: State, pods: readonly Pod[], container: string): void => {
  const specs = pods.flatMap(pod => state.workloads.get(pod.workload)?.spec.pod.containers ?? [])
  const names = new Set([...specs, ...pods.flatMap(pod => pod.containers)].map(({ name }) => name))
  if (names.has(container) || names.size === 0) return
  const guess = nearest(container, names)
  throw new Failure(
    'E_NOT_FOUND',
    {
      message: `there is no container "${container}"`,
      why: `the pods have ${listed([...names])}`,
      ...(guess === null ? {} : { try: `did you mean "${guess}"?` }),
    },
    { facts: { container, ...(guess === null ? {} : { guess }) } },
  )
}
