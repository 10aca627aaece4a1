import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Port } from '../../../scheduler/index.ts'
import { id, nodeFacts, SECRET, World } from './fixtures.ts'

const dynamic = (name: string, inner = 80) =>
  ({ name, container: inner, host: null, protocol: 'tcp' }) as const

const hosts = (world: World, workload = 'web'): number[] =>
  world.live(workload).flatMap(pod => pod.ports.map(({ host }) => host))

test('dynamic ports come from the range of the node, one after the other', () => {
  const world = new World()
    .init('ash')
    .apply({ count: 3 }, { ports: [dynamic('http'), dynamic('admin', 81)] })
    .settle()
  assert.equal(hosts(world), [20_000, 20_001, 20_002, 20_003, 20_004, 20_005])
  assert.equal(world.slot('web.1').ports[0], {
    name: 'http',
    owner: 'main',
    container: 80,
    host: 20_000,
    protocol: 'tcp',
  })
})

test('a replaced pod gets another port: its predecessor may still be letting go of the old one', () => {
  const world = new World()
    .init('ash')
    .apply({ count: 1 }, { ports: [dynamic('http')] })
    .settle()
  const seen = new Set(hosts(world))
  for (let round = 0; round < 5; round++) {
    world.wait(60_000)
    world.report(world.slot('web.1'), { state: 'failed' })
    world.wait(60_000)
    world.settle()
    assert.not(seen.has(hosts(world)[0]!))
    seen.add(hosts(world)[0]!)
  }
})

test('at the end of the range the search goes on at its start, past what is in use', () => {
  const world = new World().init('ash')
  world.ok({ type: 'node/Update', node: nodeFacts('ash', { portRange: [30_000, 30_002] }) })
  world.apply({ count: 3 }, { ports: [dynamic('http')] }).settle()
  const middle = world.live('web').find(pod => pod.ports[0]!.host === 30_001)!
  world.report(middle, { state: 'failed' })
  world.wait(60_000)
  world.settle()
  assert.equal(hosts(world).sort(), [30_000, 30_001, 30_002])
})

test('nodes at one address share its ports, nodes at two do not', () => {
  const world = new World().init('ash', 'birch')
  world.apply({ count: 2 }, { ports: [dynamic('http')] }).settle()
  assert.equal(hosts(world), [20_000, 20_000])
  const { address } = world.node('ash')
  world.ok({ type: 'node/Join', node: nodeFacts('twin', { address }), tokenId: 't1', secretHash: SECRET })
  world.ok({ type: 'node/Leave', id: id('birch') })
  world.apply({ name: 'next', count: 2 }, { ports: [dynamic('http')] }).settle()
  const taken = [...hosts(world), ...hosts(world, 'next')]
  assert.is(new Set(taken).size, taken.length)
})

test('a fixed port inside the range is not handed out again', () => {
  const fixed = { name: 'http', container: 80, host: 20_000, protocol: 'tcp' } as const
  const world = new World()
    .init('ash')
    .apply({ count: 1 }, { ports: [dynamic('admin', 81), fixed] })
    .settle()
  assert.equal(hosts(world), [20_001, 20_000])
})

test('one number serves both protocols', () => {
  const udp: Port = { ...dynamic('dns', 53), protocol: 'udp' }
  const world = new World()
    .init('ash')
    .apply({ count: 1 }, { ports: [udp] })
    .settle()
  world.apply({ name: 'next', count: 1 }, { ports: [{ ...udp, protocol: 'tcp', host: 20_000 }] }).settle()
  assert.equal(hosts(world, 'next'), [20_000])
})

test.run()
