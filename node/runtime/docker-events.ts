/**
 * Watches the engine: containers that end, and whether it answers at all. One stream of events, opened again with
 * back-off when it breaks; a ping beside it, because an engine that hangs keeps its streams open.
 */
import type { Readable } from 'node:stream'
import type Dockerode from 'dockerode'
import type { Clock } from '../clock.ts'
import { failureOf } from '../errors.ts'
import { type Engine, unavailable } from './docker-client.ts'
import { keyOfLabels, ownerFilter } from './docker-containers.ts'
import type { ContainerKey } from './runtime.ts'

/** `starved`: the container wanted more memory than it may have; the engine says so before or after its end. */
export type EngineNews =
  | {
      readonly type: 'died'
      readonly key: ContainerKey
      readonly id: string
      readonly exitCode: number | null
    }
  | { readonly type: 'starved'; readonly id: string }
  /** Events may have been missed before this. */
  | { readonly type: 'available' }
  | { readonly type: 'unavailable'; readonly reason: string }

const CONNECT_DEADLINE_MS = 5_000
const PING_INTERVAL_MS = 3_000
const PING_DEADLINE_MS = 3_000
const RETRY_MS = 100
const RETRY_MS_MAX = 3_000

type EngineEvent = {
  readonly Action?: string
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> }
}

/** Tells `available` at each (re)connection and `unavailable` once per outage. Returns what ends the watch. */
export const watchEngine = (
  engine: Engine,
  options: {
    readonly owner: { readonly cluster: string; readonly node: string }
    readonly clock: Clock
    readonly tell: (news: EngineNews) => void
  },
): (() => void) => {
  const { owner, clock, tell } = options
  const end = new AbortController()
  let isDown = false

  const pause = (delayMs: number): Promise<void> =>
    new Promise(done => {
      const finish = () => {
        cancel()
        end.signal.removeEventListener('abort', finish)
        done()
      }
      const cancel = clock.after(delayMs, finish)
      end.signal.addEventListener('abort', finish)
    })

  const open = (): Promise<Readable> =>
    engine.call('tell its events', CONNECT_DEADLINE_MS, async abortSignal => {
      const filters = { type: ['container'], event: ['die', 'oom'], label: ownerFilter(owner) }
      // The library takes a signal here and below; its types do not say so.
      const wanted = { filters, abortSignal } as Dockerode.GetEventsOptions
      return (await engine.docker.getEvents(wanted)) as Readable
    })

  /** Destroys the stream when the engine no longer answers; its loss is then handled like any other. */
  const guard = (stream: Readable): (() => void) => {
    let cancel = () => {}
    let isReleased = false
    const next = () => {
      // A ping may have been under way at that moment.
      if (isReleased) return
      cancel = clock.after(PING_INTERVAL_MS, () => {
        engine
          .call('answer a ping', PING_DEADLINE_MS, abortSignal => ping(engine, abortSignal))
          .then(next, thrown => stream.destroy(failureOf(thrown)))
      })
    }
    next()
    return () => {
      isReleased = true
      cancel()
    }
  }

  const watchOnce = async (): Promise<void> => {
    const stream = await open()
    const release = guard(stream)
    const close = () => stream.destroy()
    end.signal.addEventListener('abort', close, { once: true })
    try {
      isDown = false
      tell({ type: 'available' })
      for await (const event of eventsOf(stream)) {
        const news = newsOf(event)
        if (news !== null && !end.signal.aborted) tell(news)
      }
      throw unavailable(engine.socket, 'it closed its stream of events')
    } finally {
      release()
      end.signal.removeEventListener('abort', close)
      stream.destroy()
    }
  }

  const watch = async (): Promise<void> => {
    let failures = 0
    while (!end.signal.aborted) {
      try {
        await watchOnce()
      } catch (thrown) {
        if (end.signal.aborted) return
        const wasUp = !isDown
        isDown = true
        const failure = failureOf(thrown, 'E_RUNTIME_UNAVAILABLE')
        if (wasUp) tell({ type: 'unavailable', reason: failure.why ?? failure.message })
        failures = wasUp ? 0 : failures + 1
      }
      await pause(Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(failures, 10)))
    }
  }

  void watch()
  return () => end.abort()
}

const ping = (engine: Engine, abortSignal: AbortSignal): Promise<unknown> =>
  (engine.docker.ping as (options: { abortSignal: AbortSignal }) => Promise<unknown>).call(engine.docker, {
    abortSignal,
  })

const newsOf = (event: EngineEvent): EngineNews | null => {
  const attributes = event.Actor?.Attributes ?? {}
  const key = keyOfLabels(attributes)
  const id = event.Actor?.ID
  if (key === null || id === undefined) return null
  if (event.Action === 'oom') return { type: 'starved', id }
  if (event.Action !== 'die') return null
  const exitCode = Number(attributes.exitCode ?? Number.NaN)
  return { type: 'died', key, id, exitCode: Number.isInteger(exitCode) ? exitCode : null }
}

async function* eventsOf(stream: Readable): AsyncIterable<EngineEvent> {
  let open = ''
  for await (const chunk of stream) {
    const parts = (open + String(chunk)).split('\n')
    open = parts.pop() ?? ''
    for (const part of parts) if (part.trim() !== '') yield JSON.parse(part) as EngineEvent
  }
}
