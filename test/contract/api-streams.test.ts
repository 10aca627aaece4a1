import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { STREAMS_MAX } from '../../node/api/exchange.ts'
import type { EventView, LogView } from '../../node/api/native/schema.ts'
import { ask, follow } from '../harness/api-client.ts'
import { closeAll, house } from '../harness/api-house.ts'
import { AT_MS, spec } from '../harness/api-world.ts'

const streams = suite('api streams')
streams.after.each(closeAll)

streams('events are followed as they happen, and the client may go away', async () => {
  const { world, local } = await house()
  const stream = await follow(local, `/tutti/v1/events?follow=1&from=${world.log.state.index + 1}`)
  assert.is(stream.headers['content-type'], 'application/x-ndjson')
  world.apply(spec('web'))
  const event = await stream.next<EventView>()
  assert.equal(
    [event?.subject, event?.verb, event?.index],
    ['workload/web', 'created', world.log.state.index],
  )
  stream.close()
})

streams('when the client hangs up, the work for it ends', async () => {
  const ended = Promise.withResolvers<void>()
  const { world, local } = await house(['ash'], {
    localLogs: async function* (_pod, _container, { signal }) {
      yield { container: 'main', atMs: AT_MS, stream: 'stdout', line: 'first' }
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
      ended.resolve()
    },
  })
  world.apply(spec('web'))
  world.settle()
  const stream = await follow(local, '/tutti/v1/logs/web?follow=1')
  assert.is((await stream.next<LogView>())?.line, 'first')
  stream.close()
  await ended.promise
})

streams('a reader that does not read holds no more than the socket does', async () => {
  let givenCount = 0
  const { world, local } = await house(['ash'], {
    localLogs: async function* (_pod, _container, { signal }) {
      while (!signal.aborted) {
        givenCount++
        yield { container: 'main', atMs: AT_MS + givenCount, stream: 'stdout', line: 'x'.repeat(10_000) }
      }
    },
  })
  world.apply(spec('web'))
  world.settle()
  const stream = await follow(local, '/tutti/v1/logs/web?follow=1')
  await stream.next()
  let before = -1
  // Until a whole round trip passes without one more line being asked for.
  while (before !== givenCount) {
    before = givenCount
    for (let round = 0; round < 5; round++) await ask(local, '/tutti/v1/version')
  }
  assert.ok(givenCount < 1_000, `${givenCount} lines of 10 kB were made for a reader that sleeps`)
  stream.close()
})

streams('logs of a workload come from the nodes of its pods, in order', async () => {
  const { world, local } = await house(['ash', 'birch', 'cedar'])
  world.apply(spec('web', { count: 3 }))
  world.settle()
  for (const pod of world.log.state.pods.values())
    world.lines.set(
      pod.id,
      [1, 2].map(second => ({
        container: 'main',
        atMs: AT_MS + second * 1_000 + pod.slot,
        stream: 'stdout' as const,
        line: `${second}.${pod.slot}`,
      })),
    )
  const read = async (path: string): Promise<LogView[]> =>
    (await ask(local, path)).text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
  assert.equal(
    (await read('/tutti/v1/logs/web')).map(({ line }) => line),
    ['1.1', '1.2', '1.3', '2.1', '2.2', '2.3'],
  )
  assert.equal(
    (await read('/tutti/v1/logs/web.2?tail=1')).map(({ pod, line }) => [pod, line]),
    [['web.2', '2.2']],
  )
  const cedar = (await read('/tutti/v1/logs/web@cedar'))[0]
  assert.is(cedar?.node, 'cedar')
  world.unreachable.add('peer-cedar')
  const gaps = (await read('/tutti/v1/logs/web')).filter(({ stream }) => stream === 'gap')
  assert.equal(
    gaps.map(({ node, line }) => [node, line]),
    [['cedar', 'node cedar does not answer']],
  )
})

streams('more open streams than a node takes are refused, and one that ends makes room', async () => {
  const { local } = await house()
  const open = []
  for (let count = 0; count < STREAMS_MAX; count++)
    open.push(await follow(local, '/tutti/v1/events?follow=1'))
  const refused = await ask(local, '/tutti/v1/events?follow=1')
  assert.equal([refused.status, refused.error().code], [429, 'E_BUSY'])
  assert.is((await ask(local, '/tutti/v1/status')).status, 200)
  open[0]?.close()
  // The server learns of the hang-up by the socket: asked until it has.
  let next = await follow(local, '/tutti/v1/events?follow=1')
  while (next.status === 429) next = await follow(local, '/tutti/v1/events?follow=1')
  assert.is(next.status, 200)
  for (const stream of [...open, next]) stream.close()
})

streams('bad parameters of streams are refused before they open', async () => {
  const { world, local } = await house()
  world.apply(spec('web'))
  world.settle()
  for (const path of [
    'events?from=-1',
    'events?from=x',
    'events?follow=perhaps',
    'logs/web?tail=1e9',
    'logs/web?tail=',
  ])
    assert.is((await ask(local, `/tutti/v1/${path}`)).status, 400, path)
  const unknown = await ask(local, '/tutti/v1/logs/web?follow=1&container=mian')
  assert.equal([unknown.status, unknown.error().facts.guess], [404, 'main'])
})

streams.run()
