/** The fake runtime: the contract of runtime.ts on a virtual host, for simulation and tests. */
import { Failure } from '../errors.ts'
import { type FakeBehavior, type FakeHost, idOf } from './fake-host.ts'
import type { ContainerKey, ContainerRun, ContainerState, LogLine, Runtime } from './runtime.ts'

const OUTPUT_BYTES_MAX = 4_096

/** One node's door to the host. The node may die and a new door be opened: the containers stay. */
export const createFakeRuntime = (
  host: FakeHost,
  owner: { readonly cluster: string; readonly node: string },
): Runtime => {
  const starting = new Map<string, Promise<ContainerState>>()
  const unsubscribes = new Set<() => void>()

  const start = async (run: ContainerRun): Promise<ContainerState> => {
    host.assertAvailable()
    const former = host.find(run.key)
    if (former?.state.state === 'running') return former.state
    const behavior = host.nextBehavior(run)
    await host.wait(behavior.startMs)
    host.assertAvailable()
    failWhenPlanned(behavior, 'start')
    // Another door may have started it meanwhile, as a former life of this node.
    const other = host.find(run.key)
    return other?.state.state === 'running' ? other.state : host.launch(run, behavior)
  }

  const startOnce = (run: ContainerRun): Promise<ContainerState> => {
    const id = idOf(run.key)
    const underWay = starting.get(id)
    if (underWay !== undefined) return underWay
    const started = start(run).finally(() => starting.delete(id))
    starting.set(id, started)
    return started
  }

  return {
    kind: 'fake',
    capacity: async () => host.capacity,
    async prepare(run, { signal, progress }) {
      host.assertAvailable()
      const behavior = host.nextBehavior(run)
      progress(`preparing ${run.spec.image ?? run.key.container}`)
      await Promise.race([host.wait(behavior.prepareMs), aborted(signal)])
      signal.throwIfAborted()
      host.assertAvailable()
      failWhenPlanned(behavior, 'prepare')
    },
    start: startOnce,
    async stop(key, graceMs) {
      host.assertAvailable()
      await host.halt(key, graceMs)
      host.assertAvailable()
    },
    async remove(key) {
      host.assertAvailable()
      await host.halt(key, 0)
      host.forget(key)
    },
    async list() {
      host.assertAvailable()
      await host.wait(1)
      host.assertAvailable()
      const own = host.containers().map(container => container.state)
      return own.filter(({ key }) => key.cluster === owner.cluster && key.node === owner.node)
    },
    async exec(key, command, { timeoutMs }) {
      host.assertAvailable()
      const container = host.find(key)
      if (container?.state.state !== 'running') throw notRunning(key)
      const elapsedMs = host.clock.monotonicMs() - container.startedAtMonotonicMs
      const { exitCode, output, tookMs } = container.behavior.exec(command, elapsedMs)
      await host.wait(Math.min(tookMs, timeoutMs))
      if (tookMs > timeoutMs)
        throw new Failure('E_TIMEOUT', `The command did not end within ${timeoutMs} ms.`)
      return { exitCode, output: output.slice(0, OUTPUT_BYTES_MAX) }
    },
    logs: (key, options) => readLines(host, key, options),
    subscribe(listener) {
      const unsubscribe = host.subscribe(event => {
        const isForeign =
          event.type === 'exited' && (event.key.cluster !== owner.cluster || event.key.node !== owner.node)
        if (!isForeign) listener(event)
      })
      unsubscribes.add(unsubscribe)
      return () => {
        unsubscribe()
        unsubscribes.delete(unsubscribe)
      }
    },
    async close() {
      for (const unsubscribe of unsubscribes) unsubscribe()
      unsubscribes.clear()
    },
  }
}

const failWhenPlanned = (behavior: FakeBehavior, at: 'prepare' | 'start'): void => {
  if (behavior.failure?.at === at) throw new Failure(behavior.failure.code, behavior.failure.message)
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))

const notRunning = (key: ContainerKey): Failure =>
  new Failure('E_NOT_FOUND', `The container ${key.container} of ${key.podName} does not run.`)

async function* readLines(
  host: FakeHost,
  key: ContainerKey,
  options: { readonly follow: boolean; readonly tail: number | null; readonly signal: AbortSignal },
): AsyncIterable<LogLine> {
  const container = host.find(key)
  if (container === null) return
  const { lines } = container
  yield* options.tail === null ? lines : lines.slice(Math.max(0, lines.length - options.tail))
  if (options.follow) await ended(host, key, container.state.runtimeId, options.signal)
}

const ended = (host: FakeHost, key: ContainerKey, runtimeId: string, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const current = host.find(key)?.state
    if (signal.aborted || current?.runtimeId !== runtimeId || current.state !== 'running') return resolve()
    const finish = () => {
      unsubscribe()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const unsubscribe = host.subscribe(event => {
      if (event.type === 'exited' && event.runtimeId === runtimeId) finish()
    })
    signal.addEventListener('abort', finish)
  })
