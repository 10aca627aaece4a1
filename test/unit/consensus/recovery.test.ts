import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ASK_MS_MAX } from '../../../node/consensus/life/sole-voter.ts'
import { Failure } from '../../../node/errors.ts'
import type { Outcome } from '../../../scheduler/index.ts'
import { createCluster, hasCaughtUp, type TestNode, tokenCommand, type World } from './world.ts'

const write = (node: TestNode, id: string): Promise<Outcome> =>
  node.consensus.submit(tokenCommand(id), { timeoutMs: 5_000 })

const has = (node: TestNode | undefined, id: string): boolean =>
  node?.consensus.state().tokens.has(id) === true

/** Three nodes, of which `c` is the only one left. */
const lastOfThree = async (): Promise<{ world: World; last: TestNode }> => {
  const world = await createCluster(['a', 'b', 'c'])
  await world.settle(write(world.leader(), 'before'))
  await world.until('all have it', () => hasCaughtUp(world))
  world.kill('a')
  world.kill('b')
  const last = world.nodes.get('c')!
  await world.until('the leader is given up', () => last.consensus.status().leader === null)
  return { world, last }
}

const recovered = async (): Promise<{ world: World; last: TestNode }> => {
  const { world, last } = await lastOfThree()
  await world.settle(last.consensus.recover())
  await world.until('it leads', () => last.leadership.at(-1) === true)
  await world.settle(write(last, 'after'))
  return { world, last }
}

/** What the quorum keeper would do. */
const learn = (world: World, last: TestNode, learners: readonly string[]): Promise<void> =>
  world.settle(last.consensus.changeConfiguration({ voters: ['c'], learners }))

test('the last of three founds the cluster anew with all that it holds, and takes writes', async () => {
  const { last } = await recovered()
  assert.ok(has(last, 'before'))
  assert.ok(has(last, 'after'))
  const { voters, learners, epoch, hasQuorum } = last.consensus.status()
  assert.equal(
    { voters, learners, epoch: epoch.number, hasQuorum },
    { voters: ['c'], learners: [], epoch: 1, hasQuorum: true },
  )
})

test('nothing is recovered while a leader lives', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const thrown = await world.settle(
    world.nodes
      .get('c')!
      .consensus.recover()
      .catch((one: unknown) => one),
  )
  assert.instance(thrown, Failure)
  assert.is((thrown as Failure).code, 'E_CONFLICT')
  assert.is(world.leader().consensus.status().epoch.number, 0)
  await world.settle(write(world.leader(), 'undisturbed'))
})

test('an entry whose fate is unknown is kept: somebody may have been told that it is committed', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  await world.settle(world.leader().consensus.transferLeadership({ to: 'c', timeoutMs: 2_000 }))
  await world.until('it leads', () => world.nodes.get('c')!.leadership.at(-1) === true)
  const last = world.nodes.get('c')!
  world.kill('a')
  world.kill('b')
  void write(last, 'unknown').catch(() => undefined)
  await world.until('the leader steps down', () => last.consensus.status().role !== 'leader')
  assert.not.ok(has(last, 'unknown'))
  await world.settle(last.consensus.recover())
  await world.until('it leads', () => last.leadership.at(-1) === true)
  assert.ok(has(last, 'unknown'))
})

test('members that have not answered since the recovery were never heard, so nobody counts on them', async () => {
  const { world, last } = await recovered()
  await learn(world, last, ['a', 'b'])
  for (const { id, lastContactMs } of last.consensus.status().followers) assert.is(lastContactMs, null, id)
})

test('old voters that come back, even as a majority with a leader and a write of their own, give way and rejoin', async () => {
  const { world, last } = await recovered()
  world.cut(['a', 'c'], ['b', 'c'])
  const [a, b] = [await world.start('a'), await world.start('b')]
  await world.until('the old majority has a leader', () => [a, b].some(one => one.leadership.at(-1) === true))
  const oldLeader = (): TestNode => [a, b].find(one => one.leadership.at(-1) === true)!
  const { term } = last.consensus.status()
  while (oldLeader().consensus.status().term <= term) {
    const giver = oldLeader()
    await world.settle(giver.consensus.transferLeadership({ timeoutMs: 2_000 }))
    await world.until('the other leads', () => giver.leadership.at(-1) === false && oldLeader() !== undefined)
  }
  const old = oldLeader()
  for (const id of ['stray-1', 'stray-2', 'stray-3']) await world.settle(write(old, id))
  assert.ok(old.consensus.state().index > last.consensus.state().index, 'its log is the longer one')
  world.cut()
  // They speak first: the recovered node does not count them among its members yet.
  await world.until('both are in the new epoch', () =>
    [a, b].every(one => one.consensus.status().epoch.number === 1),
  )
  await learn(world, last, ['a', 'b'])
  await world.until('all agree', () => new Set([a, b, last].map(one => one.consensus.digest())).size === 1)
  for (const node of [a, b, last]) assert.not.ok(has(node, 'stray-1'), `${node.id} gave up what it held`)
  for (const node of [a, b, last]) assert.ok(has(node, 'after'))
  assert.is(last.consensus.status().term, term, 'nobody disturbed it, not even with a greater term')
  await world.settle(last.consensus.changeConfiguration({ voters: ['a', 'b', 'c'], learners: [] }))
  world.kill('c')
  await world.until('another leads', () => [a, b].some(one => one.leadership.at(-1) === true))
  await world.settle(write(world.leader(), 'later'))
})

test('an old voter cannot elect itself with the vote of the recovered node, nor take it down with a higher term', async () => {
  const { world, last } = await recovered()
  const { term } = last.consensus.status()
  const a = await world.start('a')
  await world.until('it has heard', () => a.consensus.status().epoch.number === 1)
  await world.pass(3_000)
  assert.is(last.consensus.status().term, term)
  assert.is(last.consensus.status().role, 'leader')
  assert.equal(a.leadership, [])
})

test('a node that falls between giving up its log and getting the new one goes on where it was', async () => {
  const { world, last } = await recovered()
  const a = await world.start('a')
  await world.until('it has heard', () => a.consensus.status().epoch.number === 1)
  assert.is(a.disk.durable()?.entries.length, 0)
  world.kill('a')
  const again = await world.start('a')
  assert.is(again.consensus.status().epoch.number, 1)
  assert.equal(again.consensus.status().voters, [])
  await learn(world, last, ['a', 'b'])
  await world.until('it has the state', () => has(again, 'after'))
})

test('two recoveries that know nothing of each other never mix', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  await world.until('all have caught up', () => hasCaughtUp(world))
  world.kill('a')
  const [b, c] = [world.nodes.get('b')!, world.nodes.get('c')!]
  world.cut(['b', 'c'])
  for (const node of [b, c]) {
    await world.until('no leader is left', () => node.consensus.status().leader === null)
    await world.settle(node.consensus.recover())
    await world.until('it leads', () => node.leadership.at(-1) === true)
    await world.settle(write(node, `of-${node.id}`))
  }
  world.cut()
  await world.settle(b.consensus.changeConfiguration({ voters: ['b'], learners: ['c'] }))
  await world.pass(3_000)
  assert.ok(has(b, 'of-b') && !has(b, 'of-c'))
  assert.ok(has(c, 'of-c') && !has(c, 'of-b'))
})

test('a joiner enters a recovered cluster like any other', async () => {
  const { world, last } = await recovered()
  const d = await world.start('d')
  await learn(world, last, ['d'])
  await world.until('it has the state', () => has(d, 'after'))
  assert.is(d.consensus.digest(), last.consensus.digest())
  await world.settle(last.consensus.changeConfiguration({ voters: ['c', 'd'], learners: [] }))
  await world.settle(write(d, 'together'))
})

test('a recovered cluster can be recovered again', async () => {
  const { world, last } = await recovered()
  const d = await world.start('d')
  await learn(world, last, ['d'])
  await world.until('it has the state', () => has(d, 'after'))
  world.kill('c')
  await world.until('no leader is left', () => d.consensus.status().leader === null)
  await world.settle(d.consensus.recover())
  await world.until('it leads', () => d.leadership.at(-1) === true)
  assert.is(d.consensus.status().epoch.number, 2)
  const back = await world.start('c')
  await world.settle(d.consensus.changeConfiguration({ voters: ['d'], learners: ['c'] }))
  await world.until('all agree', () => back.consensus.digest() === d.consensus.digest())
})

/** Of two nodes `a` votes and `b` learns; both have the same log, and then both are down. */
const sleepingPair = async (): Promise<World> => {
  const world = await createCluster(['a'])
  await world.start('b')
  const a = world.nodes.get('a')!
  await world.settle(a.consensus.changeConfiguration({ voters: ['a'], learners: ['b'] }))
  await world.settle(write(a, 'before'))
  await world.until('both have it', () => hasCaughtUp(world))
  world.kill('a')
  world.kill('b')
  return world
}

test('a sole voter that was left behind leads no more when it comes back: it asks first', async () => {
  const world = await sleepingPair()
  const b = await world.start('b')
  await world.until('nobody leads', () => b.consensus.status().leader === null)
  await world.settle(b.consensus.recover())
  await world.until('it leads', () => b.leadership.at(-1) === true)
  const a = await world.start('a')
  const lost = write(a, 'lost').catch((one: unknown) => one)
  await world.until('it has heard', () => a.consensus.status().epoch.number === 1)
  assert.equal(a.leadership, [], 'it never led')
  assert.not.ok(has(a, 'lost'))
  await world.settle(b.consensus.changeConfiguration({ voters: ['b'], learners: ['a'] }))
  await world.settle(lost)
  assert.is(has(a, 'lost'), has(b, 'lost'), 'what was acknowledged is in the cluster')
})

test('a sole voter leads as soon as the others know of no recovery', async () => {
  const world = await sleepingPair()
  await world.start('b')
  const a = await world.start('a')
  await world.until('it leads', () => a.leadership.at(-1) === true, 2_000)
  await world.settle(write(a, 'after'))
})

test('a sole voter whose only companion is gone starts by itself, a little later', async () => {
  const world = await sleepingPair()
  const a = await world.start('a')
  await world.pass(ASK_MS_MAX - 100)
  assert.equal(a.leadership, [], 'the other one may be slow to answer')
  await world.until('it leads', () => a.leadership.at(-1) === true, 1_500)
  await world.settle(write(a, 'after'))
})

test('a sole voter that nobody else belongs to leads at once', async () => {
  const world = await createCluster(['a'])
  world.kill('a')
  const a = await world.start('a')
  await world.until('it leads', () => a.leadership.at(-1) === true, 50)
})

test.run()
