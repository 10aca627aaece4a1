import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultOptions } from '../../../raft/index.ts'
import { createCluster, tokenCommand, type World } from './world.ts'

/** Patient followers: a leader may stand still for long and is a leader yet when it wakes. */
const PATIENT = { core: { ...defaultOptions(25), electionTicksMin: 60, electionTicksMax: 64 } }
const STALL_MS = (PATIENT.core.electionTicksMax * 25) / 2

/** Whoever leads in the newest term; null: nobody. */
const leaderId = ({ nodes }: World): string | null => {
  const leading = [...nodes.values()]
    .map(node => node.consensus.status())
    .filter(({ role }) => role === 'leader')
  return leading.sort((one, other) => other.term - one.term)[0]?.id ?? null
}

const write = (world: World, id: string) =>
  world.nodes.get(id)!.consensus.submit(tokenCommand(), { timeoutMs: 20_000 })

for (const seed of [1, 2, 3])
  test(`a leader that stood still hands over, and does not lead again for a while (${seed})`, async () => {
    const world = await createCluster(['a', 'b', 'c'], PATIENT, seed)
    const old = world.leader()
    await world.pass(300)
    old.clock.pause()
    await world.pass(STALL_MS + 100)
    assert.is(world.leader().id, old.id, 'nobody has lost patience yet')
    old.clock.resume()
    await world.until('another leads', () => ![null, old.id].includes(leaderId(world)), 500)
    assert.is(old.consensus.status().unfit, 'loop')
    const second = world.leader()
    await world.settle(write(world, second.id))
    world.kill(second.id)
    await world.until('the third leads', () => ![null, old.id, second.id].includes(leaderId(world)))
    await world.settle(write(world, world.leader().id))
    const third = world.leader()
    await world.start(second.id)
    await world.pass(31_000)
    assert.is(old.consensus.status().unfit, null, 'it is forgiven')
    assert.is(world.leader().id, third.id, 'and nothing changes for that')
  })

test('a leader whose disk hangs hands over while it hangs', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const old = world.leader()
  await world.settle(write(world, old.id))
  old.disk.setSlowness(1_000_000)
  const lost = write(world, old.id)
  await world.until('another leads', () => ![null, old.id].includes(leaderId(world)), 1_500)
  assert.is(old.consensus.status().unfit, 'disk')
  assert.ok((old.consensus.status().writes?.worstMs ?? 0) > 500)
  const outcome = await world.settle(write(world, world.leader().id))
  assert.is(outcome.ok, true)
  old.disk.setSlowness(1)
  lost.catch(() => undefined)
})

test('where all disks hang nobody hands over: it is no better elsewhere', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const old = world.leader()
  await world.settle(write(world, old.id))
  const { term } = old.consensus.status()
  for (const { disk } of world.nodes.values()) disk.setSlowness(2_000)
  const waiting = write(world, old.id)
  await world.settle(waiting)
  assert.equal([world.leader().id, world.leader().consensus.status().term], [old.id, term])
})

test('with nobody else to lead, one that would rather not does', async () => {
  const world = await createCluster(['a', 'b', 'c'], PATIENT)
  for (const { clock } of world.nodes.values()) clock.pause()
  await world.pass(STALL_MS + 100)
  for (const { clock } of world.nodes.values()) clock.resume()
  await world.pass(500)
  for (const { consensus } of world.nodes.values()) assert.is(consensus.status().unfit, 'loop')
  world.kill(world.leader().id)
  await world.until('somebody leads', () => leaderId(world) !== null)
  const outcome = await world.settle(write(world, world.leader().id))
  assert.is(outcome.ok, true)
})

test.run()
