import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultOptions } from '../../../raft/index.ts'
import { createCluster, tokenCommand, type World } from './world.ts'

const TICK_MS = 25
const LEASE_TICKS = 16
const LEASING = { tickMs: TICK_MS, core: { ...defaultOptions(TICK_MS), leaseTicks: LEASE_TICKS } }

const isAnswered = async (world: World, id: string, withinMs: number): Promise<boolean> => {
  const read = world.nodes.get(id)!.consensus.barrier({ timeoutMs: withinMs })
  return world.settle(
    read.then(
      () => true,
      () => false,
    ),
  )
}

const cutOff = (world: World, id: string): void =>
  world.cut(...[...world.nodes.keys()].filter(other => other !== id).map(other => [id, other] as const))

test('under a lease a leader answers alone, for as long as it lasts', async () => {
  const world = await createCluster(['a', 'b', 'c'], LEASING)
  const leader = world.leader()
  await world.pass(300)
  cutOff(world, leader.id)
  assert.ok(await isAnswered(world, leader.id, 5), 'within a few turns, without an answer from anybody')
  await world.pass(LEASE_TICKS * TICK_MS)
  assert.not(await isAnswered(world, leader.id, 50))
})

test('without leases, which is the default, it asks each time', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const leader = world.leader()
  await world.pass(300)
  cutOff(world, leader.id)
  assert.not(await isAnswered(world, leader.id, 50))
})

test('a leader that stood still longer than its lease answers nothing by it when it wakes', async () => {
  const world = await createCluster(['a', 'b', 'c'], LEASING)
  const old = world.leader()
  await world.pass(300)
  old.clock.pause()
  cutOff(world, old.id)
  await world.pass(3_000)
  const next = world.leader().id === old.id ? null : world.leader()
  assert.ok(next, 'the others have elected another')
  const outcome = await world.settle(next.consensus.submit(tokenCommand(), { timeoutMs: 5_000 }))
  const read = old.consensus.barrier({ timeoutMs: 60_000 })
  let granted: number | null = null
  read.then(
    index => {
      granted = index
    },
    () => undefined,
  )
  world.cut()
  old.clock.resume()
  await world.until('it is answered', () => granted !== null)
  assert.ok(granted! >= outcome.index, 'by the new leader, with all that it has acknowledged')
})

test.run()
