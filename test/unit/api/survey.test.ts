import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createPeerApi, createResponder } from '../../../node/api/proxy.ts'
import { createSurveyor } from '../../../node/api/survey.ts'
import type { Transport } from '../../../node/transport/transport.ts'
import { type ApiWorld, apiWorld } from '../../harness/api-world.ts'

/** A surveyor on each node; `lossy` drops what is large. */
const surveyors = (world: ApiWorld, names: readonly string[], lossy: ReadonlySet<string> = new Set()) =>
  names.map(name => {
    const { transport, clock, node } = world.deps(name)
    const call: Transport['call'] = (to, protocol, request, options) => {
      const isLost = JSON.stringify(request).length > 1_500 && lossy.has(to)
      return isLost ? never(options.signal) : transport.call(to, protocol, request, options)
    }
    const peers = createPeerApi({ call }, clock)
    const survey = createSurveyor({ peers, state: () => world.log.state, self: node.id, clock })
    transport.onCall(
      'api',
      createResponder({
        dispatch: () => assert.unreachable() as never,
        localLogs: () => assert.unreachable() as never,
        digest: () => assert.unreachable() as never,
        survey,
        clock,
      }),
    )
    return { survey, peers }
  })

async function* never(signal: AbortSignal | undefined): AsyncGenerator<unknown> {
  await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
  yield null
}

test('each node sees every other, whoever asks', async () => {
  const [ash] = surveyors(apiWorld(['ash', 'birch', 'cedar']), ['ash', 'birch', 'cedar'])
  const own = await ash!.survey()
  assert.equal(
    own.sights.map(({ node, passesLarge, why }) => [node, passesLarge, why]),
    [
      ['birch', true, null],
      ['cedar', true, null],
    ],
  )
  assert.ok(own.sights.every(({ tookMs }) => tookMs !== null))
  assert.is(own.mtu, 65_536, 'of the loopback interface')
  const theirs = await ash!.peers.survey({ id: 'peer-birch', name: 'birch' }, AbortSignal.timeout(5_000))
  assert.equal(
    theirs.sights.map(({ node }) => node),
    ['ash', 'cedar'],
  )
})

test('a peer that does not answer has a reason, a path that loses large messages has none', async () => {
  const world = apiWorld(['ash', 'birch', 'cedar'])
  const [ash] = surveyors(world, ['ash', 'birch', 'cedar'], new Set(['peer-birch']))
  world.unreachable.add('peer-cedar')
  const [birch, cedar] = (await ash!.survey()).sights
  assert.equal([birch?.passesLarge, birch?.why], [false, null])
  assert.ok(birch?.tookMs !== null)
  assert.equal([cedar?.tookMs, cedar?.passesLarge], [null, null])
  assert.match(cedar?.why ?? '', /cedar does not answer/)
})

test('however many ask at once, the others are looked at once', async () => {
  const world = apiWorld(['ash', 'birch'])
  const [ash] = surveyors(world, ['ash', 'birch'])
  const [first, second] = [ash!.survey(), ash!.survey()]
  assert.is(first, second)
  await first
  assert.is.not(ash!.survey(), first)
})

test.run()
