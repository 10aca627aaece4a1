/** The output of one local pod: all its containers in one stream, and across restarts while somebody follows. */
import { isEnded, type PodId, type State } from '../../scheduler/index.ts'
import type { Clock } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { ContainerState, LogLine, Runtime } from '../runtime/runtime.ts'

export type PodLogLine = LogLine & { readonly container: string }

export type PodLogOptions = {
  readonly follow: boolean
  /** The last lines of each container first; null: everything kept. */
  readonly tail: number | null
  readonly signal: AbortSignal
}

export type LogSource = {
  readonly runtime: Pick<Runtime, 'list' | 'logs'>
  readonly clock: Clock
  readonly state: () => State
}

/** `container` null: all of the pod's. Throws E_NOT_FOUND when this node knows neither the pod nor such a container. */
export type LogsOf = (
  pod: PodId,
  container: string | null,
  options: PodLogOptions,
) => AsyncIterable<PodLogLine>

/** How soon a follower sees the output of a container that was started anew. */
const RESTART_POLL_MS = 500

export const createLogsOf = (source: LogSource): LogsOf =>
  async function* logsOf(pod, container, options) {
    const names = await namesOf(source, pod, container, options)
    yield* merge(
      names.map(name => linesOf(source, pod, name, options)),
      { isByTime: !options.follow },
    )
  }

const isLive = ({ state }: LogSource, pod: PodId): boolean => {
  const row = state().pods.get(pod)
  return row !== undefined && !isEnded(row.state)
}

const containersOf = async ({ runtime }: LogSource, pod: PodId): Promise<ContainerState[]> =>
  (await runtime.list()).filter(({ key }) => key.pod === pod)

/** Which containers there are; a follower waits for the first ones of a pod that is only being prepared. */
const namesOf = async (
  source: LogSource,
  pod: PodId,
  container: string | null,
  { follow, signal }: PodLogOptions,
): Promise<readonly string[]> => {
  for (;;) {
    const row = source.state().pods.get(pod)
    const found = await containersOf(source, pod)
    const known = [
      ...(row?.containers.map(({ name }) => name) ?? []),
      ...found.map(({ key }) => key.container),
    ]
    const names = [...new Set(known)]
    if (container !== null && names.includes(container)) return [container]
    if (container === null && names.length > 0) return names
    if (row === undefined || (container !== null && names.length > 0)) throw unknown(pod, container, names)
    if (!follow || !isLive(source, pod) || signal.aborted) return []
    await pause(source.clock, signal)
  }
}

const unknown = (pod: PodId, container: string | null, names: readonly string[]): Failure =>
  container === null || names.length === 0
    ? new Failure('E_NOT_FOUND', `The pod ${pod} has no output on this node.`, { facts: { pod } })
    : new Failure(
        'E_NOT_FOUND',
        { message: `The pod ${pod} has no container ${container}.`, try: `one of ${names.join(', ')}` },
        { facts: { pod, container } },
      )

async function* linesOf(
  source: LogSource,
  pod: PodId,
  container: string,
  { follow, tail, signal }: PodLogOptions,
): AsyncGenerator<PodLogLine> {
  let seen: string | null = null
  for (;;) {
    const current = (await containersOf(source, pod)).find(({ key }) => key.container === container)
    if (current !== undefined && current.runtimeId !== seen) {
      const wanted = { follow, tail: seen === null ? tail : null, signal }
      seen = current.runtimeId
      for await (const line of source.runtime.logs(current.key, wanted)) yield { ...line, container }
    }
    if (!follow || signal.aborted || !isLive(source, pod)) return
    await pause(source.clock, signal)
  }
}

const pause = (clock: Clock, signal: AbortSignal): Promise<void> =>
  new Promise(done => {
    const finish = () => {
      cancel()
      signal.removeEventListener('abort', finish)
      done()
    }
    const cancel = clock.after(RESTART_POLL_MS, finish)
    signal.addEventListener('abort', finish)
    if (signal.aborted) finish()
  })

type Head = { readonly from: AsyncGenerator<PodLogLine>; readonly next: IteratorResult<PodLogLine, unknown> }

/** By time when all lines exist already, else as they come: a quiet container must not hold back the others. */
async function* merge(
  sources: readonly AsyncGenerator<PodLogLine>[],
  { isByTime }: { readonly isByTime: boolean },
): AsyncGenerator<PodLogLine> {
  const heads = new Map(sources.map(from => [from, pull(from)]))
  try {
    while (heads.size > 0) {
      const head = isByTime ? earliest(await Promise.all(heads.values())) : await Promise.race(heads.values())
      if (head.next.done === true) heads.delete(head.from)
      else {
        heads.set(head.from, pull(head.from))
        yield head.next.value
      }
    }
  } finally {
    for (const from of heads.keys()) void from.return(undefined).catch(() => undefined)
  }
}

const pull = (from: AsyncGenerator<PodLogLine>): Promise<Head> => {
  const head = from.next().then(next => ({ from, next }))
  // Looked at later; a failure must not count as unhandled until then.
  head.catch(() => undefined)
  return head
}

const earliest = (heads: readonly Head[]): Head =>
  heads.reduce((best, head) => {
    if (best.next.done === true) return best
    return head.next.done === true || head.next.value.atMs < best.next.value.atMs ? head : best
  })
