import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createGateway, type Watched } from '../../../node/api/gateway.ts'
import { Failure } from '../../../node/errors.ts'
import { AT_MS, apiWorld, spec } from '../../harness/api-world.ts'
import { fakeLog } from '../../harness/fake-consensus.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const gatewayOf = (log = fakeLog()) => {
  const world = apiWorld(['ash'], log)
  const { consensus } = world.deps('ash')
  const clock = virtualClock(AT_MS)
  return { world, consensus, clock, gateway: createGateway({ consensus, clock }) }
}

const failureOf = (work: Promise<unknown>): Promise<Failure> =>
  work.then(
    () => assert.unreachable('it should fail') as never,
    (thrown: unknown) => thrown as Failure,
  )

const write = { requestId: 'r1', timeoutMs: 1_000, by: { who: 'local', from: null } }

test('a command is applied once, however often it is retried', async () => {
  const { gateway } = gatewayOf()
  const intent = { type: 'workload/Apply', spec: spec('web'), checkIndex: null } as const
  const first = await gateway.submit(intent, write)
  assert.is(await gateway.submit(intent, write), first)
  assert.is(gateway.state().workloads.get('web')?.createdIndex, first)
})

test('a refusal says what was probably meant', async () => {
  const { world, gateway } = gatewayOf()
  world.apply(spec('web'))
  const failure = await failureOf(gateway.submit({ type: 'workload/Scale', name: 'wbe', count: 2 }, write))
  assert.is(failure.code, 'E_NOT_FOUND')
  assert.is(failure.facts.guess, 'web')
  assert.match(failure.hint ?? '', 'web')
  const strange = await failureOf(
    gateway.submit({ type: 'workload/Stop', name: 'zzz' }, { ...write, requestId: 'r2' }),
  )
  assert.is(strange.hint, 'tutti jobs')
})

test('a failure of consensus says what still works and what to try', async () => {
  const { consensus, gateway } = gatewayOf()
  consensus.fail(new Failure('E_NO_LEADER', 'no leader'))
  const failure = await failureOf(gateway.submit({ type: 'workload/Stop', name: 'web' }, write))
  assert.is(failure.code, 'E_NO_LEADER')
  assert.match(failure.why ?? '', /reads still work/)
  assert.ok(failure.hint)
  assert.is((await failureOf(gateway.read('linear', 10))).code, 'E_NO_LEADER')
  assert.is(await gateway.read('local', 10), gateway.state())
})

test('a bounded read asks the leader only when the last answer is too old', async () => {
  const { consensus, clock, gateway } = gatewayOf()
  const bounded = { ageMsMax: 500 }
  consensus.pretend({ ageMs: 9_000 })
  await gateway.read(bounded, 10)
  assert.is(gateway.status().ageMs, 0, 'the age that is told is the one that was found out')
  consensus.fail(new Failure('E_NO_QUORUM', 'no quorum'))
  clock.advance(500)
  assert.is(await gateway.read(bounded, 10), gateway.state())
  assert.is(gateway.status().ageMs, 500)
  clock.advance(1)
  const failure = await failureOf(gateway.read(bounded, 10))
  assert.is(failure.code, 'E_NO_QUORUM')
  assert.match(failure.message, 'no bounded:500ms read is possible now: no quorum')
  assert.match(failure.why ?? '', 'asked it 501 ms ago')
  assert.match(failure.hint ?? '', 'local')
  consensus.fail(null)
  await gateway.read(bounded, 10)
  assert.is(gateway.status().ageMs, 0)
})

const texts = async (watched: AsyncIterable<Watched>): Promise<string[]> => {
  const all: string[] = []
  for await (const item of watched)
    all.push(item.type === 'gap' ? `gap ${item.fromIndex}` : `${item.event.subject} ${item.event.verb}`)
  return all
}

test('watching gives what is kept, then ends', async () => {
  const { world, gateway } = gatewayOf()
  const before = gateway.state().index
  world.apply(spec('web'))
  const { signal } = new AbortController()
  const all = await texts(gateway.watch({ fromIndex: before + 1, follow: false, signal }))
  assert.equal(all, ['workload/web created'])
})

test('a follower gets every event once and in order, also those that come while it is busy', async () => {
  const { world, gateway } = gatewayOf()
  const abort = new AbortController()
  const fromIndex = gateway.state().index + 1
  const seen: number[] = []
  const done = (async () => {
    for await (const item of gateway.watch({ fromIndex, follow: true, signal: abort.signal })) {
      if (item.type === 'gap') continue
      seen.push(item.event.index)
      if (seen.length < 20) world.apply(spec(`web-${seen.length}`))
      if (seen.length === 20) abort.abort()
    }
  })()
  await Promise.resolve()
  world.apply(spec('web'))
  await done
  assert.equal(
    seen,
    Array.from({ length: 20 }, (_, count) => fromIndex + count),
  )
})

test('a follower that is too slow learns that events are gone, and goes on', async () => {
  const log = fakeLog({ eventsKeptMax: 3 })
  const { world, gateway } = gatewayOf(log)
  const abort = new AbortController()
  const fromIndex = log.state.index + 1
  const watched = gateway.watch({ fromIndex, follow: true, signal: abort.signal })[Symbol.asyncIterator]()
  world.apply(spec('a'))
  assert.is((await watched.next()).value?.type, 'event')
  for (const name of ['b', 'c', 'd', 'e', 'f']) world.apply(spec(name))
  assert.equal((await watched.next()).value, { type: 'gap', fromIndex: fromIndex + 1 })
  const rest = [await watched.next(), await watched.next(), await watched.next()]
  const subjects = rest.map(({ value }) => (value?.type === 'event' ? value.event.subject : 'gap'))
  assert.equal(subjects, ['workload/d', 'workload/e', 'workload/f'])
  abort.abort()
  assert.is((await watched.next()).done, true)
})

test('a follower that leaves leaves nothing behind', async () => {
  const { world, gateway, consensus } = gatewayOf()
  let listeners = 0
  const subscribe = consensus.subscribe.bind(consensus)
  const counting = createGateway({
    consensus: {
      ...consensus,
      subscribe(listener) {
        listeners++
        const end = subscribe(listener)
        return () => {
          listeners--
          end()
        }
      },
    },
    clock: virtualClock(),
  })
  const abort = new AbortController()
  const watched = texts(
    counting.watch({ fromIndex: gateway.state().index + 1, follow: true, signal: abort.signal }),
  )
  await Promise.resolve()
  assert.is(listeners, 1)
  world.apply(spec('web'))
  abort.abort()
  await watched
  assert.is(listeners, 0)
})

test('a watcher on a node that a recovery took back goes on from there, and is told so', async () => {
  const { consensus, clock } = gatewayOf()
  const event = (index: number) => ({ index, atMs: AT_MS, subject: `entry/${index}`, verb: 'came', text: '' })
  let index = 10
  let kept = [event(9), event(10)]
  let ring = (): void => undefined
  const gateway = createGateway({
    clock,
    consensus: {
      ...consensus,
      state: () => ({ ...consensus.state(), index }),
      eventsFrom: from => ({ events: kept.filter(one => one.index >= from), truncated: false }),
      subscribe(listener) {
        ring = () => listener({ state: consensus.state(), events: [] })
        return () => undefined
      },
    },
  })
  const signal = AbortSignal.timeout(5_000)
  const watched = gateway.watch({ fromIndex: 9, follow: true, signal })[Symbol.asyncIterator]()
  await watched.next()
  await watched.next()
  const next = watched.next()
  index = 7
  kept = []
  ring()
  assert.equal((await next).value, { type: 'gap', fromIndex: 8 })
  const later = watched.next()
  index = 8
  kept = [event(8)]
  ring()
  assert.equal((await later).value, { type: 'event', event: event(8) })
})

test.run()
