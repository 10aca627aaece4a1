/** Logs of a target from whichever nodes hold them: ordered by time when read to the end, as they come when followed. */
import { isEnded, type Pod, type PodId, slotKey } from '../../../scheduler/index.ts'
import type { Clock } from '../../clock.ts'
import { Failure, failureOf } from '../../errors.ts'
import type { LocalLogLine, LocalLogs, LogOptions } from '../deps.ts'
import type { Gateway } from '../gateway.ts'
import { nameOfNode } from '../node-name.ts'
import type { PeerApi } from '../proxy.ts'
import { createBell, createFunnel, mergeOrdered } from '../stream.ts'
import { isoTime } from './picture.ts'
import type { LogView } from './schema.ts'
import type { PodTarget } from './target.ts'

/** Pods read at once for one request. */
const PODS_MAX = 100
/** While following: how soon a pod's logs are tried again after its node failed to give them. */
const RETRY_MS = 2_000
/** Lines asked for again after an interruption; those already shown are left out. */
const RESUME_TAIL = 1_000

export type LogsDeps = {
  readonly gateway: Gateway
  readonly peers: Pick<PeerApi, 'logs'>
  readonly localLogs: LocalLogs
  readonly selfId: string
  readonly clock: Clock
}

export type LogsRequest = LogOptions & {
  readonly target: PodTarget
  readonly container: string | null
}

export type ReadLogs = (request: LogsRequest) => AsyncIterable<LogView>

/** `tail` counts per pod. Throws E_INVALID at once for a target of more than PODS_MAX pods. */
export const createReadLogs = (deps: LogsDeps): ReadLogs => {
  const readPod = createReadPod(deps)
  return request => {
    const pods = request.target.pods(deps.gateway.state())
    if (pods.length > PODS_MAX) throw tooManyPods(pods.length)
    const sources = pods.map(pod => readPod(pod, request))
    if (!request.follow) return mergeOrdered(sources, (a, b) => compareTimes(a.at, b.at))
    return followPods(deps, request, pods, readPod)
  }
}

const compareTimes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const tooManyPods = (count: number): Failure =>
  new Failure(
    'E_INVALID',
    {
      message: `the logs of ${count} pods cannot be read at once`,
      why: `at most ${PODS_MAX} pods are read for one request`,
      try: 'name one slot, such as web.1, or a node, such as web@ash',
    },
    { facts: { count, countMax: PODS_MAX } },
  )

type ReadPod = (pod: Pod, request: LogsRequest) => AsyncIterable<LogView>

/** Pods that come later (a replacement, a larger count) are added as the state moves on. */
async function* followPods(
  { gateway }: LogsDeps,
  request: LogsRequest,
  first: readonly Pod[],
  readPod: ReadPod,
): AsyncGenerator<LogView> {
  const funnel = createFunnel<LogView>(request.signal)
  const seen = new Set<PodId>()
  const add = (pods: readonly Pod[], tail: number | null): void => {
    for (const pod of pods) {
      if (seen.has(pod.id)) continue
      seen.add(pod.id)
      funnel.add(readPod(pod, { ...request, tail }))
    }
  }
  add(first, request.tail)
  if (request.target.isOnePod) funnel.seal()
  const unsubscribe = gateway.subscribe(() => add(request.target.pods(gateway.state()), null))
  try {
    yield* funnel.values
  } finally {
    unsubscribe()
  }
}

/** Never throws: what keeps a pod's lines away becomes one gap line. */
const createReadPod = ({ gateway, peers, localLogs, selfId, clock }: LogsDeps): ReadPod =>
  async function* readPod(pod, { container, follow, tail, signal }) {
    const node = nameOfNode(gateway.state(), pod.node)
    const name = slotKey(pod.workload, pod.slot)
    const view = (line: LocalLogLine): LogView => ({
      pod: name,
      node,
      container: line.container,
      at: isoTime(line.atMs),
      stream: line.stream,
      line: line.line,
    })
    const gap = (reason: string): LogView => ({
      pod: name,
      node,
      container: container ?? '',
      at: isoTime(clock.wallMs()),
      stream: 'gap',
      line: reason,
    })
    const open = (options: LogOptions): AsyncIterable<LocalLogLine> =>
      pod.node === selfId
        ? localLogs(pod.id, container, options)
        : peers.logs({ id: pod.node, name: node }, pod.id, container, options)
    const mayComeYet = (): boolean => {
      const now = gateway.state().pods.get(pod.id)
      return follow && !signal.aborted && now !== undefined && !isEnded(now.state)
    }

    let lastAtMs = Number.NEGATIVE_INFINITY
    let lastReason: string | null = null
    for (let tries = 0; tries === 0 || mayComeYet(); tries++) {
      try {
        for await (const line of open({ follow, tail: tries === 0 ? tail : RESUME_TAIL, signal })) {
          // A line of the same millisecond as the last one shown may be lost here; twice the same would be worse.
          if (tries > 0 && line.atMs <= lastAtMs) continue
          lastAtMs = line.atMs
          lastReason = null
          yield view(line)
        }
      } catch (thrown) {
        const { code, message } = failureOf(thrown)
        // A pod that is about to start has no logs yet: no gap.
        const isTold = signal.aborted || message === lastReason || (code === 'E_NOT_FOUND' && mayComeYet())
        lastReason = message
        if (!isTold) yield gap(message)
      }
      if (mayComeYet()) await pause(clock, RETRY_MS, signal)
    }
  }

const pause = async (clock: Clock, ms: number, signal: AbortSignal): Promise<void> => {
  if (signal.aborted) return
  const bell = createBell()
  const over = bell.next()
  const cancel = clock.after(ms, bell.ring)
  signal.addEventListener('abort', bell.ring, { once: true })
  await over
  cancel()
  signal.removeEventListener('abort', bell.ring)
}
