import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { MemberState } from '../../../gossip/index.ts'
import { controllerActor } from '../../../node/control/controller.actor.ts'
import type { Command, NodeFacts, NodeId, Outcome, WorkloadSpec } from '../../../scheduler/index.ts'
import { createWorld, type TestNode, type World } from '../consensus/world.ts'

type WithoutTime<C> = C extends unknown ? Omit<C, 'atMs'> : never

/** A consensus world with a controller on each node, and gossip that believes what the test says. */
type Controlled = {
  readonly world: World
  start(id: string): Promise<TestNode>
  believe(id: string, state: MemberState): void
  submit(command: WithoutTime<Command>): Promise<Outcome>
}

const HASH = 'f'.repeat(64)

const facts = (id: string, protocol?: number): NodeFacts => ({
  id: id as NodeId,
  name: `node-${id}`,
  address: '127.0.0.1',
  peerAddress: '127.0.0.1:7701',
  apiAddress: null,
  labels: {},
  capacity: { cpuMillis: 4_000, memoryBytes: 2 ** 33 },
  runtime: 'fake',
  portRange: [20_000, 20_100],
  version: '1',
  ...(protocol === undefined ? {} : { protocol }),
})

const web: WorkloadSpec = {
  name: 'web',
  kind: 'service',
  count: 4,
  pod: {
    labels: {},
    containers: [
      {
        name: 'web',
        image: null,
        command: ['serve'],
        env: {},
        ports: [],
        resources: { cpuMillis: 100, memoryBytes: 0 },
        health: null,
      },
    ],
  },
  place: { strategy: 'spread', constraints: [], spread: [], maxPerNode: null },
  restart: { policy: 'always', backoffMs: 100, backoffMsMax: 1_000, attemptsMax: null },
  update: { parallelism: 1, order: 'stop-first' },
}

const controlled = async (ids: readonly string[]): Promise<Controlled> => {
  const world = createWorld()
  const gossip = new Map<string, MemberState>()
  const self: Controlled = {
    world,
    async start(id) {
      const node = await world.start(id, { bootstrap: id === ids[0] })
      const members = () =>
        [...gossip].map(([one, state]) => ({ id: one, incarnation: 0, state, addresses: [], metadata: {} }))
      const doubts = () =>
        [...gossip]
          .filter(([, state]) => state === 'dead')
          .map(([one]) => ({
            id: one,
            state: 'dead' as const,
            sinceMs: node.clock.monotonicMs(),
            confirmedBy: [...gossip.keys()].filter(other => other !== one),
          }))
      const seed = () => Math.floor(node.random() * 2 ** 32)
      const controller = node.system.spawn('controller', () =>
        controllerActor({ id, consensus: node.consensus, members, doubts, seed }),
      )
      listeners.add(() => controller.send({ type: 'controller/MembersChanged' }))
      return node
    },
    believe(id, state) {
      gossip.set(id, state)
      for (const tell of listeners) tell()
    },
    submit: command =>
      world.settle(
        world.leader().consensus.submit({ atMs: world.leader().clock.wallMs(), ...command } as Command, {
          timeoutMs: 5_000,
        }),
      ),
  }
  const listeners = new Set<() => void>()
  for (const id of ids) {
    gossip.set(id, 'alive')
    await self.start(id)
  }
  await world.until('the founder leads', () => world.nodes.get(ids[0]!)!.leadership.at(-1) === true)
  const cluster = { id: 'c', name: 'test', publicKey: 'p', privateKey: 's', createdAtMs: 1 }
  await self.submit({ type: 'cluster/Init', cluster, node: facts(ids[0]!) })
  const token = { id: 't', kind: 'join', secretHash: HASH, role: 'viewer', labels: {}, uses: 100 } as const
  await self.submit({ type: 'token/Create', token: { ...token, expiresAtMs: Number.MAX_SAFE_INTEGER } })
  for (const id of ids.slice(1)) {
    assert.ok((await self.submit({ type: 'node/Join', node: facts(id), tokenId: 't', secretHash: HASH })).ok)
    assert.ok((await self.submit({ type: 'node/Update', node: facts(id) })).ok, 'its first word')
  }
  return self
}

/** Empty while a change is under way, or not known everywhere: until then a joint phase may need its old voters. */
const voters = (world: World): string => {
  const leader = world.leader().consensus.status()
  const members = [...world.nodes.values()].filter(({ id }) =>
    [...leader.voters, ...leader.learners].includes(id),
  )
  const known = members.map(node => {
    const status = node.consensus.status()
    return status.isJoint ? '' : status.voters.join('')
  })
  return new Set(known).size === 1 ? known[0]! : ''
}

const podsOn = (node: TestNode, id: string): number =>
  node.consensus.state().podsByNode.get(id as NodeId)?.size ?? 0

test('nodes that join become voters by themselves', async () => {
  const { world } = await controlled(['a', 'b', 'c', 'd'])
  await world.until('three vote', () => voters(world).length === 3, 3_000)
  assert.is(world.leader().consensus.status().learners.length, 1)
})

test('a workload is placed within a tenth of a second, spread over the nodes', async () => {
  const { world, submit } = await controlled(['a', 'b'])
  assert.ok((await submit({ type: 'workload/Apply', spec: web, checkIndex: null })).ok)
  await world.until('four pods', () => world.leader().consensus.state().pods.size === 4, 100)
  assert.is(podsOn(world.leader(), 'a'), 2)
  assert.is(podsOn(world.leader(), 'b'), 2)
})

test('once gossip gives a silent node up, its pods are replaced at once; when it is back it is alive again', async () => {
  const all = await controlled(['a', 'b', 'c'])
  const { world, submit, believe } = all
  await submit({ type: 'workload/Apply', spec: web, checkIndex: null })
  await world.until('three vote', () => voters(world).length === 3)
  await world.until('four pods', () => world.leader().consensus.state().pods.size === 4)
  const victim = [...world.nodes.keys()].find(
    id => id !== world.leader().id && podsOn(world.leader(), id) > 0,
  )!
  world.kill(victim, { silently: true })
  await world.pass(1_000)
  assert.is(
    world
      .leader()
      .consensus.state()
      .nodes.get(victim as NodeId)?.state,
    'alive',
    'silence alone is no verdict',
  )
  believe(victim, 'dead')
  const isReplaced = (): boolean => {
    const live = [...world.leader().consensus.state().pods.values()].filter(pod => pod.state === 'assigned')
    return live.length === 4 && live.every(pod => pod.node !== victim)
  }
  await world.until('its pods are elsewhere', isReplaced, 100)
  await world.pass(10_000)
  assert.is(voters(world).length, 3, 'two of three are enough, and every write stays on two disks')
  world.cut()
  await all.start(victim)
  believe(victim, 'alive')
  const stateOf = () =>
    world
      .leader()
      .consensus.state()
      .nodes.get(victim as NodeId)?.state
  await world.until('it is alive', () => stateOf() === 'alive', 6_000)
  await world.until('three vote again', () => voters(world).length === 3, 6_000)
})

test('a new leader finishes what the dead one left, the dead leader itself included', async () => {
  const { world, submit, believe } = await controlled(['a', 'b', 'c'])
  await submit({ type: 'workload/Apply', spec: web, checkIndex: null })
  await world.until('three vote', () => voters(world).length === 3)
  await world.until('four pods', () => world.leader().consensus.state().pods.size === 4)
  const old = world.leader().id
  world.kill(old)
  believe(old, 'dead')
  await world.until(
    'another leads',
    () => [...world.nodes.values()].some(node => node.leadership.at(-1) === true),
    2_000,
  )
  const stateOf = () =>
    world
      .leader()
      .consensus.state()
      .nodes.get(old as NodeId)?.state
  await world.until('the verdict', () => stateOf() === 'dead', 500)
  await world.until(
    'four live pods',
    () => {
      const live = [...world.leader().consensus.state().pods.values()].filter(pod => pod.state === 'assigned')
      return live.length === 4 && live.every(pod => pod.node !== old)
    },
    200,
  )
})

test('a loss is counted once every member understands that, and not before', async () => {
  const all = await controlled(['a', 'b', 'c'])
  const { world, submit, believe } = all
  await world.until('three vote', () => voters(world).length === 3)
  const victim = [...world.nodes.keys()].find(id => id !== world.leader().id)!
  const row = () =>
    world
      .leader()
      .consensus.state()
      .nodes.get(victim as NodeId)!
  const loseAndReturn = async (): Promise<void> => {
    world.kill(victim, { silently: true })
    believe(victim, 'dead')
    await world.until('it is dead', () => row().state === 'dead', 3_000)
    world.cut()
    await all.start(victim)
    believe(victim, 'alive')
    await world.until('it is alive', () => row().state === 'alive', 6_000)
  }
  await submit({ type: 'node/Update', node: facts('a', 2) })
  await submit({ type: 'node/Update', node: facts('b', 2) })
  await loseAndReturn()
  assert.is(row().losses, undefined, 'c speaks the protocol of before')
  await submit({ type: 'node/Update', node: facts('c', 2) })
  await loseAndReturn()
  assert.is(row().losses, 1)
})

test('a node that leaves is out of the configuration at once, a leader after handing over', async () => {
  const { world, submit } = await controlled(['a', 'b', 'c', 'd'])
  await world.until('three vote', () => voters(world).length === 3)
  const leader = world.leader().id
  await submit({ type: 'node/Leave', id: leader as NodeId })
  await world.until(
    'it is out',
    () => {
      const leading = [...world.nodes.values()].filter(node => node.leadership.at(-1) === true)
      const status = leading[0]?.consensus.status()
      return (
        status !== undefined &&
        status.id !== leader &&
        ![...status.voters, ...status.learners].includes(leader)
      )
    },
    3_000,
  )
  await world.until('three vote', () => voters(world).length === 3, 3_000)
})

test.run()
