import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createLogsOf } from '../../../node/agent/logs.ts'
import { Failure } from '../../../node/errors.ts'
import type { ContainerState, LogLine, Runtime } from '../../../node/runtime/runtime.ts'
import { emptyState, type Pod, type PodId, type State } from '../../../scheduler/index.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const POD = 'p1' as PodId
type Wanted = Parameters<Runtime['logs']>[1]

const container = (name: string, runtimeId: string): ContainerState => ({
  key: { cluster: 'c', node: 'n', pod: POD, podName: 'web.1', container: name },
  runtimeId,
  state: 'running',
  exitCode: null,
  outOfMemory: false,
  startedAtMs: 0,
  probe: { address: '', ports: {} },
})

const stateWith = (over: Partial<Pod> | null): State => {
  const pods =
    over === null
      ? []
      : [[POD, { id: POD, state: 'running', containers: [], ...over } as unknown as Pod] as const]
  return { ...emptyState(), pods: new Map(pods) }
}

const lines = (...all: [atMs: number, line: string][]): LogLine[] =>
  all.map(([atMs, line]) => ({ atMs, stream: 'stdout', line }))

const world = (outputs: Record<string, LogLine[]>) => {
  const clock = virtualClock()
  const containers = Object.keys(outputs).map(id => container(id.split('#')[0] ?? id, id))
  const shown = { state: stateWith({}), containers, asked: [] as Wanted[] }
  const runtime: Pick<Runtime, 'list' | 'logs'> = {
    list: async () => shown.containers,
    async *logs(key, wanted) {
      shown.asked.push(wanted)
      const current = shown.containers.find(other => other.key.container === key.container)
      yield* outputs[current?.runtimeId ?? ''] ?? []
    },
  }
  return { clock, shown, logsOf: createLogsOf({ runtime, clock, state: () => shown.state }) }
}

const signal = new AbortController().signal
const past = { follow: false, tail: null, signal }

const read = async (source: AsyncIterable<{ container: string; line: string }>): Promise<string[]> => {
  const all: string[] = []
  for await (const { container: name, line } of source) all.push(`${name} ${line}`)
  return all
}

test('the containers of a pod are read as one story in the order of time', async () => {
  const { logsOf } = world({ main: lines([1, 'a'], [4, 'd'], [5, 'e']), side: lines([2, 'b'], [3, 'c']) })
  assert.equal(await read(logsOf(POD, null, past)), ['main a', 'side b', 'side c', 'main d', 'main e'])
})

test('one container may be chosen, and the wishes are handed on', async () => {
  const { logsOf, shown } = world({ main: lines([1, 'a']), side: lines([2, 'b']) })
  assert.equal(await read(logsOf(POD, 'side', { ...past, tail: 7 })), ['side b'])
  assert.equal(
    shown.asked.map(({ tail, follow }) => [tail, follow]),
    [[7, false]],
  )
})

test('a pod or container that is not here is a clear failure', async () => {
  const { logsOf, shown } = world({ main: [] })
  const failureOf = async (source: AsyncIterable<unknown>): Promise<Failure> => {
    try {
      for await (const _ of source);
    } catch (thrown) {
      return thrown as Failure
    }
    throw new Error('it should have failed')
  }
  const wrong = await failureOf(logsOf(POD, 'nobody', past))
  assert.is(wrong.code, 'E_NOT_FOUND')
  assert.is(wrong.hint, 'one of main')
  shown.containers = []
  shown.state = stateWith(null)
  assert.instance(await failureOf(logsOf(POD, null, past)), Failure)
})

test('a follower goes on with the next run of a container and ends with the pod', async () => {
  const { logsOf, shown, clock } = world({ 'main#1': lines([1, 'first']) })
  const outputs = read(logsOf(POD, null, { follow: true, tail: 1, signal }))
  const turn = async () => {
    for (let n = 0; n < 5; n++) await new Promise(resolve => setImmediate(resolve))
    clock.advance(600)
  }
  await turn()
  await turn()
  shown.containers = [container('main', 'main#2')]
  await turn()
  await turn()
  shown.state = stateWith({ state: 'failed' })
  await turn()
  assert.equal(await outputs, ['main first'])
  assert.equal(
    shown.asked.map(({ tail }) => tail),
    [1, null],
  )
})

test('a follower of a pod that is only being prepared waits, and may give up', async () => {
  const { logsOf, shown } = world({})
  const abort = new AbortController()
  const outputs = read(logsOf(POD, null, { follow: true, tail: null, signal: abort.signal }))
  await new Promise(resolve => setImmediate(resolve))
  abort.abort()
  assert.equal(await outputs, [])
  assert.equal(shown.asked, [])
})

test.run()
