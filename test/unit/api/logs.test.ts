import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { LocalLogLine, LocalLogs } from '../../../node/api/deps.ts'
import { createGateway } from '../../../node/api/gateway.ts'
import { createReadLogs } from '../../../node/api/native/logs.ts'
import type { LogView } from '../../../node/api/native/schema.ts'
import { podTarget } from '../../../node/api/native/target.ts'
import type { PeerApi } from '../../../node/api/proxy.ts'
import { Failure } from '../../../node/errors.ts'
import { AT_MS, apiWorld, spec } from '../../harness/api-world.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

type Source = (options: {
  follow: boolean
  tail: number | null
  signal: AbortSignal
}) => AsyncIterable<LocalLogLine>

const line = (atMs: number, text: string): LocalLogLine => ({
  container: 'main',
  atMs: AT_MS + atMs,
  stream: 'stdout',
  line: text,
})

const give = (...lines: readonly LocalLogLine[]): Source =>
  async function* ({ tail }) {
    yield* tail === null ? lines : lines.slice(Math.max(0, lines.length - tail))
  }

const fail = (failure: Failure): Source =>
  // biome-ignore lint/correctness/useYield: a source that fails before its first line
  async function* () {
    throw failure
  }

/** Gives its lines and stays open until it is let go. */
const stay = (...lines: readonly LocalLogLine[]): Source =>
  async function* ({ signal }) {
    yield* lines
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve())
    })
  }

/** Logs of a workload `web` with a pod on each of these nodes; `sources` says by slot what its node gives, try by try. */
const logsOf = (count: number, sources: Record<number, Source[]>) => {
  const world = apiWorld(['ash', 'birch', 'cedar'])
  world.apply(spec('web', { count }))
  world.settle()
  const clock = virtualClock(AT_MS)
  const gateway = createGateway({ consensus: world.deps('ash').consensus, clock })
  const opened: { slot: number; where: 'here' | 'there'; tail: number | null }[] = []
  const open = (podId: string, where: 'here' | 'there', options: Parameters<LocalLogs>[2]) => {
    const slot = world.log.state.pods.get(podId as never)?.slot ?? 0
    opened.push({ slot, where, tail: options.tail })
    const next = sources[slot]?.shift()
    if (next === undefined) throw new Failure('E_NOT_FOUND', 'no logs are kept')
    return next(options)
  }
  async function* guarded(podId: string, where: 'here' | 'there', options: Parameters<LocalLogs>[2]) {
    yield* open(podId, where, options)
  }
  const localLogs: LocalLogs = (podId, _container, options) => guarded(podId, 'here', options)
  const peers: Pick<PeerApi, 'logs'> = {
    logs: (_peer, podId, _container, options) => guarded(podId, 'there', options),
  }
  const readLogs = createReadLogs({ gateway, peers, localLogs, selfId: 'peer-ash', clock })
  const abort = new AbortController()
  const read = (
    text: string,
    options: { follow?: boolean; tail?: number | null } = {},
  ): AsyncIterable<LogView> =>
    readLogs({
      target: podTarget(world.log.state, text),
      container: null,
      follow: options.follow ?? false,
      tail: options.tail ?? null,
      signal: abort.signal,
    })
  return { world, clock, read, opened, abort }
}

const textsOf = async (views: AsyncIterable<LogView>): Promise<string[]> => {
  const all: string[] = []
  for await (const view of views) all.push(`${view.pod} ${view.stream === 'gap' ? 'GAP ' : ''}${view.line}`)
  return all
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve()
}

test('the lines of all pods come in the order of their time, from the node of each', async () => {
  const { read, opened } = logsOf(3, {
    1: [give(line(1, 'a'), line(5, 'e'))],
    2: [give(line(2, 'b'))],
    3: [give(line(3, 'c'), line(4, 'd'))],
  })
  assert.equal(await textsOf(read('web')), ['web.1 a', 'web.2 b', 'web.3 c', 'web.3 d', 'web.1 e'])
  assert.is(opened.filter(({ where }) => where === 'here').length, 1)
  assert.is(opened.filter(({ where }) => where === 'there').length, 2)
})

test('the tail counts per pod', async () => {
  const { read } = logsOf(1, { 1: [give(line(1, 'a'), line(2, 'b'), line(3, 'c'))] })
  assert.equal(await textsOf(read('web', { tail: 2 })), ['web.1 b', 'web.1 c'])
})

test('a node that does not answer leaves a gap, and the others are read', async () => {
  const unreachable = fail(new Failure('E_UNREACHABLE', 'node birch does not answer'))
  const { read } = logsOf(2, { 1: [unreachable], 2: [give(line(1, 'b'))] })
  const texts = await textsOf(read('web'))
  assert.equal(texts.sort(), ['web.1 GAP node birch does not answer', 'web.2 b'])
})

test('one slot is read alone', async () => {
  const { read } = logsOf(2, { 1: [give(line(1, 'a'))], 2: [give(line(2, 'b'))] })
  assert.equal(await textsOf(read('web.2')), ['web.2 b'])
})

test('following gives lines as they come and ends with the caller', async () => {
  const { read, abort } = logsOf(2, { 1: [stay(line(9, 'late'))], 2: [stay(line(1, 'early'))] })
  const texts = textsOf(read('web', { follow: true }))
  await turns()
  abort.abort()
  assert.equal((await texts).sort(), ['web.1 late', 'web.2 early'])
})

test('a pod that comes later is followed from its first line', async () => {
  const { world, read, opened, abort } = logsOf(1, { 1: [stay(line(1, 'a'))], 2: [stay(line(2, 'b'))] })
  const texts = textsOf(read('web', { follow: true, tail: 0 }))
  await turns()
  world.log.commit({ type: 'workload/Scale', name: 'web', count: 2, atMs: AT_MS })
  world.settle()
  await turns()
  abort.abort()
  assert.equal((await texts).sort(), ['web.1 a', 'web.2 b'])
  assert.equal(
    opened.map(({ slot, tail }) => [slot, tail]),
    [
      [1, 0],
      [2, null],
    ],
  )
})

test('after an interruption a follower gets one gap, and no line twice', async () => {
  const cut: Source = async function* () {
    yield line(1, 'a')
    yield line(2, 'b')
    throw new Failure('E_UNREACHABLE', 'node birch does not answer')
  }
  const still = fail(new Failure('E_UNREACHABLE', 'node birch does not answer'))
  const back = stay(line(1, 'a'), line(2, 'b'), line(3, 'c'))
  const { read, clock, abort } = logsOf(1, { 1: [cut, still, back] })
  const texts = textsOf(read('web', { follow: true }))
  for (let round = 0; round < 3; round++) {
    await turns()
    clock.advance(2_000)
  }
  await turns()
  abort.abort()
  assert.equal(await texts, ['web.1 a', 'web.1 b', 'web.1 GAP node birch does not answer', 'web.1 c'])
})

test('following one pod by its id ends when that pod has ended', async () => {
  const { world, read } = logsOf(1, { 1: [give(line(1, 'a'))] })
  const [pod] = world.log.state.pods.values()
  world.report({ id: pod!.id, state: 'stopped' })
  assert.equal(await textsOf(read(pod!.id, { follow: true })), ['web.1 a'])
})

test('a pod that has not started yet is waited for without a gap', async () => {
  const { read, clock, abort } = logsOf(1, {
    1: [fail(new Failure('E_NOT_FOUND', 'not started')), stay(line(1, 'a'))],
  })
  const texts = textsOf(read('web', { follow: true }))
  await turns()
  clock.advance(2_000)
  await turns()
  abort.abort()
  assert.equal(await texts, ['web.1 a'])
})

test('a slow reader slows the nodes down: one line of each pod waits', async () => {
  let givenCount = 0
  const endless: Source = async function* () {
    for (;;) yield line(++givenCount, 'x')
  }
  const { read, abort } = logsOf(1, { 1: [endless] })
  const views = read('web', { follow: true })[Symbol.asyncIterator]()
  await views.next()
  await turns()
  assert.ok(givenCount <= 3, `${givenCount} lines were read ahead of the reader`)
  abort.abort()
  await views.return?.()
})

test('too many pods for one request are refused at once', () => {
  const { read } = logsOf(101, {})
  assert.throws(
    () => read('web'),
    (thrown: unknown) => thrown instanceof Failure && thrown.code === 'E_INVALID',
  )
})

test.run()
