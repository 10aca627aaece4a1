import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Constraint, ContainerSpec, NodeFacts, PlacePolicy } from '../../../scheduler/index.ts'
import { constraint, container, id, World } from './fixtures.ts'

const policy = (facts: Partial<PlacePolicy> = {}): PlacePolicy => ({
  strategy: 'spread',
  constraints: [],
  spread: [],
  maxPerNode: null,
  ...facts,
})

/** The names of the nodes that took a pod, of two pods of which none may share a node. */
const chosen = (
  constraints: readonly Constraint[],
  facts: readonly Partial<NodeFacts>[] = ZONES,
): string[] => {
  const world = new World().init('ash')
  for (const [number, one] of facts.entries()) world.join(`n${number}`, one)
  world.ok({ type: 'node/Leave', id: id('ash') })
  world.apply({ count: 9, place: policy({ constraints, maxPerNode: 1 }) }).settle()
  const { n0, n1, n2 } = world.spread()
  return Object.entries({ n0, n1, n2 }).flatMap(([name, count]) => (count ? [name] : []))
}

const ZONES = [{ labels: { zone: 'eu-1' } }, { labels: { zone: 'us-1' } }, {}]

test('each operator chooses its nodes; a missing label passes != and notin only', () => {
  assert.equal(chosen([]), ['n0', 'n1', 'n2'])
  assert.equal(chosen([constraint('zone', '==', 'eu-1')]), ['n0'])
  assert.equal(chosen([constraint('zone', '!=', 'eu-1')]), ['n1', 'n2'])
  assert.equal(chosen([constraint('zone', 'in', 'eu-1', 'us-1')]), ['n0', 'n1'])
  assert.equal(chosen([constraint('zone', 'notin', 'eu-1')]), ['n1', 'n2'])
  assert.equal(chosen([constraint('zone', 'exists')]), ['n0', 'n1'])
  assert.equal(chosen([constraint('zone', 'regex', '^(eu|as)-\\d$')]), ['n0'])
})

test('name, id, address and runtime of a node are attributes like labels', () => {
  assert.equal(chosen([constraint('node.name', '==', 'n1')]), ['n1'])
  assert.equal(chosen([constraint('node.id', 'in', 'id-n0', 'id-n2')]), ['n0', 'n2'])
  assert.equal(chosen([constraint('node.address', '==', '10.1.1.1')], [{ address: '10.1.1.1' }]), ['n0'])
  assert.equal(chosen([constraint('node.runtime', '==', 'docker')], [{ runtime: 'docker' }, {}]), ['n0'])
})

const runnable = (...containers: ContainerSpec[]): string[] => {
  const world = new World().init('ash').join('n0', { runtime: 'docker' }).join('n1', { runtime: 'process' })
  world.ok({ type: 'node/Leave', id: id('ash') }).join('n2')
  world.apply({ count: 9, place: policy({ maxPerNode: 1 }), pod: { labels: {}, containers } }).settle()
  return world
    .running()
    .map(pod => world.state.nodes.get(pod.node)!.name)
    .sort()
}

test('images need an engine, bare commands the host, a mix of both the simulated runtime', () => {
  const command = container({ name: 'command', image: null, command: ['true'] })
  assert.equal(runnable(container()), ['n0', 'n2'])
  assert.equal(runnable(command), ['n1', 'n2'])
  assert.equal(runnable(container(), command), ['n2'])
})

test('what pods reserve until they have ended is not given twice', () => {
  const half = { resources: { cpuMillis: 2_000, memoryBytes: 0 } }
  const world = new World().init('ash').apply({ count: 3 }, half).settle()
  assert.is(world.running().length, 2)
  world.ok({ type: 'workload/Remove', name: 'web' }).apply({ name: 'next', count: 1 }, half)
  world.step()
  assert.is(world.live('next').length, 0, 'the removed pods have not ended')
  assert.is(world.settle().running('next').length, 1)
})

test('a fixed host port is given once per address', () => {
  const ports = [{ name: 'http', container: 80, host: 80, protocol: 'tcp' as const }]
  const world = new World().init('ash', 'birch').apply({ count: 3 }, { ports }).settle()
  assert.equal(world.spread(), { ash: 1, birch: 1 })
  world.apply({ name: 'dns', count: 2 }, { ports: [{ ...ports[0]!, protocol: 'udp' }] }).settle()
  assert.equal(world.spread('dns'), { ash: 1, birch: 1 })
})

const reasonFor = (prepare: (world: World) => World): string | undefined =>
  prepare(new World().init('ash', 'birch', 'cedar'))
    .settle()
    .state.workloads.get('web')!.pending[0]?.reason

test('the reason why no node fits counts the nodes by what rules them out, in words', () => {
  const place = policy({ constraints: [constraint('zone', '==', 'eu')] })
  const reason = reasonFor(world =>
    world
      .join('elm', { labels: { zone: 'eu' }, capacity: { cpuMillis: 500, memoryBytes: 0 } })
      .verdict('ash', 'dead')
      .apply({ place }, { resources: { cpuMillis: 1_000, memoryBytes: 0 } }),
  )
  assert.is(reason, 'no node fits: 1 node is dead, 2 nodes lack label zone=eu, 1 node has 0.5 of 1 CPU free')
})

test('every filter has its own words', () => {
  const says = (
    words: string,
    facts: Parameters<World['apply']>[0],
    one: Partial<ContainerSpec> = {},
  ): void =>
    assert.is(
      reasonFor(world => world.apply(facts, one)),
      `no node fits: 3 nodes ${words}`,
    )
  const constrained = (one: Constraint) => ({ place: policy({ constraints: [one] }) })
  says('lack label zone in (a, b)', constrained(constraint('zone', 'in', 'a', 'b')))
  says('lack label zone', constrained(constraint('zone', 'exists')))
  says('lack label zone matching /^a/', constrained(constraint('zone', 'regex', '^a')))
  says('have node.runtime=fake', constrained(constraint('node.runtime', '!=', 'fake')))
  says('have node.runtime in (fake)', constrained(constraint('node.runtime', 'notin', 'fake')))
  says(
    'have at most 4 GiB of 4.5 GiB of memory free',
    {},
    { resources: { cpuMillis: 0, memoryBytes: 4.5 * 2 ** 30 } },
  )
  says('run 1 of at most 1 pods of web', { count: 4, place: policy({ maxPerNode: 1 }) })
  const ports = (count: number, host: number | null) =>
    [...Array(count).keys()].map(number => ({
      name: `p${number}`,
      container: number + 1,
      host,
      protocol: 'tcp' as const,
    }))
  says('have port 80/tcp taken', { count: 4 }, { ports: ports(1, 80) })
  says('have too few ports left in their range', { count: 4 }, { ports: ports(60, null) })
})

test('a node that cannot run the pod says so', () => {
  const world = new World()
    .init('ash')
    .join('oak', { runtime: 'docker' })
    .ok({ type: 'node/Leave', id: id('ash') })
  world.apply({}, { image: null, command: ['true'] }).settle()
  assert.is(
    world.state.workloads.get('web')!.pending[0]?.reason,
    'no node fits: 1 node cannot run commands without an image',
  )
})

test('without any node there is no node', () => {
  const world = new World()
    .init('ash')
    .ok({ type: 'node/Leave', id: id('ash') })
    .apply()
    .settle()
  assert.is(world.state.workloads.get('web')!.pending[0]?.reason, 'no node fits: there is no node')
})

test.run()
