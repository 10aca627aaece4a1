// Consensus on nodes that get the log through others: they write, read and know their age like everybody else.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultOptions } from '../../../raft/index.ts'
import { createCluster, hasCaughtUp, type TestNode, tokenCommand, type World } from './world.ts'

const TICK_MS = 25
const CORE = { ...defaultOptions(TICK_MS), directLearnersMax: 0, relayFanOut: 1 }

/** a, which leads, b and c vote; d and e get the log through b and c. */
const createRelayed = async (options = {}): Promise<World> => {
  const world = await createCluster(['a', 'b', 'c', 'd', 'e'], { core: CORE, ...options })
  await world.settle(
    world.leader().consensus.changeConfiguration({ voters: ['a', 'b', 'c'], learners: ['d', 'e'] }),
  )
  await world.until('they get the log through others', () => ['d', 'e'].every(id => isRelayed(world, id)))
  return world
}

const isRelayed = (world: World, id: string): boolean =>
  world
    .leader()
    .consensus.status()
    .followers.find(one => one.id === id)?.progress === 'relay'

const write = async (world: World, node: TestNode, id: string): Promise<number> => {
  const outcome = await world.settle(node.consensus.submit(tokenCommand(id), { timeoutMs: 5_000 }))
  assert.ok(outcome.ok)
  return outcome.index
}

test('a node behind a relay writes through the leader, and has it when it is answered', async () => {
  const world = await createRelayed()
  const node = world.nodes.get('d')!
  assert.is(node.consensus.status().role, 'learner')
  await write(world, node, 'mine')
  assert.ok(node.consensus.state().tokens.has('mine'))
})

test('a commit reaches those behind relays at once, not with the next heartbeat', async () => {
  const world = await createRelayed()
  await world.until('all have caught up', () => hasCaughtUp(world))
  await write(world, world.leader(), 'news')
  await world.until('all have it', () => hasCaughtUp(world), 20)
})

test('a barrier behind a relay covers every write acknowledged before', async () => {
  const world = await createRelayed()
  const index = await write(world, world.leader(), 'before')
  const node = world.nodes.get('e')!
  assert.ok((await world.settle(node.consensus.barrier({ timeoutMs: 5_000 }))) >= index)
  assert.ok(node.consensus.state().index >= index)
})

test('the age of the state behind a relay is that of a heartbeat, and grows when the relay is cut off', async () => {
  const world = await createRelayed()
  const ageOf = (id: string): number => world.nodes.get(id)!.consensus.status().ageMs ?? Number.NaN
  for (let look = 0; look < 20; look++) {
    await world.pass(30)
    assert.ok(ageOf('d') < 200, `${ageOf('d')} ms`)
  }
  world.cut(['d', 'a'], ['d', 'b'], ['d', 'c'])
  await world.pass(5_000)
  assert.ok(ageOf('d') >= 4_800, `${ageOf('d')} ms`)
  assert.is(world.nodes.get('d')!.consensus.status().leader, null)
})

test('the leader hears of those behind relays often enough to judge their lives', async () => {
  const world = await createRelayed()
  for (let look = 0; look < 20; look++) {
    await world.pass(30)
    for (const { id, lastContactMs, contactEveryMs } of world.leader().consensus.status().followers) {
      assert.is(contactEveryMs, 100)
      assert.ok(lastContactMs !== null && lastContactMs < 300, `${id}: ${lastContactMs} ms`)
    }
  }
  world.kill('d', { silently: true })
  await world.pass(400)
  const lost = world
    .leader()
    .consensus.status()
    .followers.find(({ id }) => id === 'd')
  assert.ok((lost?.lastContactMs ?? 0) >= 300, `${lost?.lastContactMs} ms`)
})

test('a relay whose process is killed costs those behind it no election timeout', async () => {
  const world = await createRelayed()
  world.kill('b')
  await write(world, world.leader(), 'after')
  await world.until('all have it', () => hasCaughtUp(world), 150)
})

test('a node behind a relay that was away longer than the log reaches back gets a snapshot', async () => {
  const world = await createRelayed({ snapshotEntries: 10 })
  world.kill('d')
  for (let i = 0; i < 100; i++) await write(world, world.leader(), `s${i}`)
  const back = await world.start('d')
  await world.until('it has caught up', () => hasCaughtUp(world))
  assert.ok(back.consensus.status().snapshotIndex > 50)
  await world.until('it gets the log through others again', () => isRelayed(world, 'd'))
})

test.run()
