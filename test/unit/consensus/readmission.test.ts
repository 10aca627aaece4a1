import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readmit } from '../../../node/api/native/recovery/readmission.ts'
import { Failure } from '../../../node/errors.ts'
import { foundCluster } from '../../../node/founding.ts'
import type { NodeFacts, NodeId } from '../../../scheduler/index.ts'
import { createCluster, type World } from './world.ts'

const facts = (id: string): NodeFacts => ({
  id: id as NodeId,
  name: id,
  address: '10.0.0.1',
  peerAddress: '10.0.0.1:7701',
  apiAddress: null,
  labels: {},
  capacity: { cpuMillis: 0, memoryBytes: 0 },
  runtime: 'fake',
  portRange: [20_000, 29_999],
  version: '1',
})

/** Whose roster knows `c`; the others need not be known for this. */
const clusterThatKnows = async (ids: readonly string[], member: string): Promise<World> => {
  const world = await createCluster(ids)
  const init = { type: 'cluster/Init', atMs: 1, cluster: foundCluster(1), node: facts(member) } as const
  await world.settle(world.leader().consensus.submit(init, { timeoutMs: 5_000 }))
  return world
}

const codeOf = (world: World, promise: Promise<void>): Promise<string> =>
  world.settle(
    promise.then(
      () => 'done',
      (thrown: unknown) => (thrown instanceof Failure ? thrown.code : String(thrown)),
    ),
  )

test('a voter that lost its log is out of a committed membership before it is in one again', async () => {
  const world = await clusterThatKnows(['a', 'b', 'c'], 'c')
  const leader = world.leader()
  world.kill('c')
  await world.settle(readmit(leader.consensus, 'c' as NodeId))
  const entries = leader.disk.durable()?.entries ?? []
  const memberships = entries.flatMap(entry =>
    entry.type === 'configuration' ? [entry.configuration.voters.join('')] : [],
  )
  assert.equal(memberships.slice(-2), ['ab', 'abc'])
  assert.equal(leader.consensus.status().voters, ['a', 'b', 'c'])
  assert.is(leader.consensus.status().isJoint, false)
})

test('a learner is taken out, and the quorum keeper takes it in again', async () => {
  const world = await clusterThatKnows(['a', 'b', 'c'], 'c')
  const leader = world.leader()
  await world.settle(leader.consensus.changeConfiguration({ voters: ['a', 'b'], learners: ['c'] }))
  await world.settle(readmit(leader.consensus, 'c' as NodeId))
  const { voters, learners } = leader.consensus.status()
  assert.equal({ voters, learners }, { voters: ['a', 'b'], learners: [] })
})

test('only the leader lets anybody in, only members are let in, and never without a quorum of the others', async () => {
  const world = await clusterThatKnows(['a', 'b', 'c'], 'c')
  const leader = world.leader()
  const follower = [...world.nodes.values()].find(node => node !== leader)
  assert.is(await codeOf(world, readmit(follower!.consensus, 'c' as NodeId)), 'E_NO_LEADER')
  assert.is(await codeOf(world, readmit(leader.consensus, 'stranger' as NodeId)), 'E_NODE_LEFT')
  const alone = await clusterThatKnows(['a'], 'a')
  assert.is(await codeOf(alone, readmit(alone.leader().consensus, 'a' as NodeId)), 'E_NO_QUORUM')
})

test.run()
