import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CANDIDATES_KEPT_MAX, type PlacePolicy } from '../../../scheduler/index.ts'
import { constraint, World } from './fixtures.ts'

const policy = (facts: Partial<PlacePolicy>): { place: PlacePolicy } => ({
  place: { strategy: 'spread', constraints: [], spread: [], maxPerNode: null, ...facts },
})

const zoned = (): World => {
  const world = new World().init('ash')
  world.join('e1', { labels: { zone: 'eu', rack: 'a' } }).join('e2', { labels: { zone: 'eu', rack: 'b' } })
  return world.join('u1', { labels: { zone: 'us', rack: 'c' } })
}

test('spread gives every node as many pods of the workload as the next, and prefers emptier nodes', () => {
  const world = new World().init('ash', 'birch', 'cedar').apply({ count: 10 }).settle()
  assert.equal(Object.values(world.spread()).sort(), [3, 3, 4])
  const fullest = Object.entries(world.spread()).find(([, count]) => count === 4)![0]
  world.apply({ name: 'next', count: 2 }).settle()
  assert.is(world.spread('next')[fullest], 0)
})

test('labels are spread over before nodes, the first one first', () => {
  const world = zoned()
    .verdict('ash', 'dead')
    .apply({ count: 4, ...policy({ spread: ['zone'] }) })
    .settle()
  assert.equal(world.spread(), { ash: 0, e1: 1, e2: 1, u1: 2 })
})

test('a node without the label is a value of its own', () => {
  assert.equal(
    zoned()
      .apply({ count: 6, ...policy({ spread: ['zone'] }) })
      .settle()
      .spread(),
    { ash: 2, e1: 1, e2: 1, u1: 2 },
  )
})

test('binpack fills a node before it begins another', () => {
  const quarter = { resources: { cpuMillis: 1_000, memoryBytes: 0 } }
  const world = new World()
    .init('ash', 'birch', 'cedar')
    .apply({ count: 6, ...policy({ strategy: 'binpack' }) }, quarter)
  assert.equal(Object.values(world.settle().spread()).sort(), [0, 2, 4])
})

test('binpack of pods that reserve nothing keeps them together', () => {
  const world = new World()
    .init('ash', 'birch')
    .apply({ count: 4, ...policy({ strategy: 'binpack' }) })
    .settle()
  assert.equal(Object.values(world.spread()).sort(), [0, 4])
})

test('random uses all nodes and repeats with its seed', () => {
  const run = (seed: number): Record<string, number> => {
    const world = new World()
      .init('ash', 'birch', 'cedar')
      .apply({ count: 60, ...policy({ strategy: 'random' }) })
    world.seed = seed
    return world.settle().spread()
  }
  assert.ok(Object.values(run(1)).every(count => count >= 8))
  assert.equal(run(1), run(1))
  assert.is.not(JSON.stringify(run(1)), JSON.stringify(run(2)))
})

test('a heavy preference beats the strategy, a light one decides between equals', () => {
  const soft = (weight: number) => ({ ...constraint('zone', '==', 'us'), hard: false, weight })
  const heavy = zoned()
    .apply({ count: 4, ...policy({ constraints: [soft(80)] }) })
    .settle()
  assert.equal(heavy.spread(), { ash: 0, e1: 0, e2: 0, u1: 4 })
  const light = zoned()
    .apply({ count: 5, ...policy({ constraints: [soft(10)] }) })
    .settle()
  assert.equal(light.spread(), { ash: 1, e1: 1, e2: 1, u1: 2 })
})

test('a slot that failed twice on a node tries another', () => {
  const world = new World().init('ash', 'birch').apply({ name: 'heavy', count: 6 }).settle()
  const place = { constraints: [{ ...constraint('node.name', '==', 'ash'), hard: false, weight: 20 }] }
  world.apply({
    count: 1,
    restart: { policy: 'always', backoffMs: 0, backoffMsMax: 0, attemptsMax: 0 },
    ...policy(place),
  })
  const tried: string[] = []
  for (let round = 0; round < 3; round++) {
    world.step()
    tried.push(world.state.nodes.get(world.slot('web.1').node)!.name)
    world.obey(pod => (pod.workload === 'web' ? 'failed' : null))
  }
  assert.equal(tried, ['ash', 'ash', 'birch'])
})

test('the parts of a score add up to it, the chosen node comes first, the refused ones last', () => {
  const world = zoned()
    .verdict('ash', 'dead')
    .apply({ count: 3, ...policy({ spread: ['zone'] }) })
  world.step()
  for (const { decision, node } of world.live('web')) {
    const [first, ...others] = decision.candidates
    assert.is(first?.node, node)
    assert.is(decision.consideredCount, 4)
    assert.equal(others.at(-1), { node: 'id-ash', name: 'ash', score: null, parts: {}, refusal: 'is dead' })
    for (const { score, parts } of decision.candidates) {
      const sum = Object.values(parts).reduce((total, part) => total + part, 0)
      if (score !== null) assert.ok(Math.abs(sum - score) < 0.005)
    }
    const scores = decision.candidates.flatMap(({ score }) => score ?? [])
    assert.equal(
      scores,
      scores.toSorted((a, b) => b - a),
    )
  }
})

test('a decision keeps few candidates however many nodes there are, and every kind of refusal', () => {
  const world = new World().init('ash')
  for (let number = 0; number < 30; number++)
    world.join(`n${number}`, { labels: number % 2 ? { zone: 'eu' } : {} })
  world.verdict('n1', 'dead').apply({ count: 1, ...policy({ constraints: [constraint('zone', 'exists')] }) })
  world.step()
  const { candidates, consideredCount } = world.slot('web.1').decision
  assert.is(candidates.length, CANDIDATES_KEPT_MAX)
  assert.is(consideredCount, 31)
  assert.equal(
    new Set(candidates.map(({ refusal }) => refusal)),
    new Set([null, 'is dead', 'lacks label zone']),
  )
})

test.run()
