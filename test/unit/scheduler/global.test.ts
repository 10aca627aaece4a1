import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { constraint, id, nodeFacts, World } from './fixtures.ts'

const agent = (facts = {}) => ({ name: 'agent', kind: 'global', ...facts }) as const

const slotOn = (world: World, name: string): number | undefined =>
  world.running('agent').find(pod => pod.node === id(name))?.slot

test('one pod runs on every node, also on those that join later', () => {
  const world = new World().init('ash', 'birch').apply(agent()).settle()
  assert.equal(world.spread('agent'), { ash: 1, birch: 1 })
  assert.equal(world.join('cedar').settle().spread('agent'), { ash: 1, birch: 1, cedar: 1 })
})

test('the pod of a dead node is lost and not replaced elsewhere; the node gets its slot back', () => {
  const world = new World().init('ash', 'birch', 'cedar').apply(agent()).settle()
  const slot = slotOn(world, 'birch')
  world.verdict('birch', 'dead').settle()
  assert.equal(world.spread('agent'), { ash: 1, birch: 0, cedar: 1 })
  world.join('elm').settle()
  assert.is.not(slotOn(world, 'elm'), slot)
  world.verdict('birch', 'alive').settle()
  assert.is(slotOn(world, 'birch'), slot)
})

test('a drained node loses its pod, and gets it back when it is activated', () => {
  const world = new World()
    .init('ash', 'birch')
    .apply(agent())
    .settle()
    .ok({ type: 'node/Drain', id: id('ash') })
    .settle()
  assert.equal(world.spread('agent'), { ash: 0, birch: 1 })
  assert.equal(
    world
      .ok({ type: 'node/Activate', id: id('ash') })
      .settle()
      .spread('agent'),
    { ash: 1, birch: 1 },
  )
})

test('only nodes that match the constraints and can run the pod are wanted', () => {
  const place = {
    strategy: 'spread',
    constraints: [constraint('zone', '==', 'eu')],
    spread: [],
    maxPerNode: null,
  } as const
  const world = new World().init('ash').join('birch', { labels: { zone: 'eu' } })
  world
    .join('cedar', { labels: { zone: 'eu' }, runtime: 'process' })
    .apply(agent({ place }))
    .settle()
  assert.equal(world.spread('agent'), { ash: 0, birch: 1, cedar: 0 })
  world.ok({ type: 'node/Update', node: nodeFacts('birch', { labels: { zone: 'us' } }) }).settle()
  assert.is(world.running('agent').length, 0)
  assert.match(world.pods('agent').at(-1)?.reason ?? '', 'no longer matches')
})

test('a node without room is pending, with the reason', () => {
  const world = new World().init('ash').join('birch', { capacity: { cpuMillis: 500, memoryBytes: 0 } })
  world.apply(agent(), { resources: { cpuMillis: 1_000, memoryBytes: 0 } }).settle()
  const pending = world.state.workloads.get('agent')!.pending
  assert.equal(
    pending.map(({ reason }) => reason),
    ['node birch does not fit: it has 0.5 of 1 CPU free'],
  )
})

test('an update rolls from node to node', () => {
  const world = new World()
    .init('ash', 'birch', 'cedar')
    .apply(agent())
    .settle()
    .apply(agent(), { image: 'new' })
  let stoppingMax = 0
  for (let round = 0; round < 30; round++) {
    world.step()
    stoppingMax = Math.max(stoppingMax, 3 - world.running('agent').length)
    world.obey()
  }
  assert.is(stoppingMax, 1)
  assert.ok(world.running('agent').every(pod => pod.generation === 2))
  assert.equal(world.spread('agent'), { ash: 1, birch: 1, cedar: 1 })
})

test.run()
