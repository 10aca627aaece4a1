/** Where the others are, when it changes: all at once, one by one, and when the one through whom all came never returns. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Machine } from './machine.ts'
import { Stage } from './stage.ts'

const FOUND_AGAIN_MS_MAX = 15_000

/** What a machine's replica says about where the others are. */
const addressesIn = (machine: Machine): readonly string[] =>
  [...(machine.node?.consensus.state().nodes.values() ?? [])]
    .filter(node => node.state !== 'left')
    .map(node => node.peerAddress)
    .sort()

const areKnownTo = (machines: readonly Machine[], all: readonly Machine[]): boolean => {
  const wanted = machines.map(machine => machine.facts.peerAddress).sort()
  return all.every(machine => addressesIn(machine).join() === wanted.join())
}

const moved = (machine: Machine): void => machine.moveTo(machine.facts.address.replace('10.0.0.', '10.9.9.'))

test('all addresses change while nobody runs, and the beacon brings everybody together again', async () => {
  const stage = await Stage.raise(5, [], { hasBeacon: true })
  const { world } = stage
  await stage.answer(stage.apply(stage.leader(), 5))
  await stage.settled()
  for (const machine of world.machines) world.kill(machine)
  await stage.pass(1_000)
  for (const machine of world.machines) moved(machine)
  for (const machine of world.machines) world.start(machine)
  await stage.until(
    'everybody is known under the new address',
    () => areKnownTo(world.machines, world.machines),
    FOUND_AGAIN_MS_MAX,
  )
  await stage.settled()
})

test('without a beacon, addresses may change one machine after the other until none is left as it was', async () => {
  const stage = await Stage.raise(5)
  const { world } = stage
  for (const machine of world.machines) {
    world.kill(machine)
    await stage.pass(500)
    moved(machine)
    world.start(machine)
    await stage.until(
      `${machine.name} is known under its new address`,
      () => areKnownTo(world.machines, world.machines),
      FOUND_AGAIN_MS_MAX,
    )
  }
  // Whoever starts now knows the others by what it was told meanwhile.
  for (const machine of world.machines) world.kill(machine)
  for (const machine of world.machines) world.start(machine)
  await stage.until('all are back', () => world.machines.every(machine => machine.node?.isReady() === true))
  await stage.settled()
})

test('the machine through which all joined is gone for ever: nobody needs it, and others join', async () => {
  const stage = await Stage.raise(5, [4])
  const { world } = stage
  const [seed, ...others] = world.machines as [Machine, ...Machine[]]
  const present = others.filter(machine => machine.isMember)
  const newcomer = others.find(machine => !machine.isMember) as Machine
  world.cutPower(seed)
  await stage.until('the seed is held for dead', () =>
    present.every(machine => machine.node?.consensus.state().nodes.get(seed.id)?.state === 'dead'),
  )
  for (const machine of present) world.kill(machine)
  for (const machine of present) world.start(machine)
  await stage.until('the others are one cluster again', () =>
    present.every(machine => machine.node?.isReady() === true),
  )
  const leader = stage.leader()
  assert.ok(leader)
  const removed = stage.submit(leader, { type: 'node/Leave', atMs: leader.clock.wallMs(), id: seed.id })
  assert.is((await stage.answer(removed)).ok, true)
  void world.join(newcomer)
  await stage.until('the newcomer is one of them', () => newcomer.node?.isReady() === true)
  await stage.until('everybody is known to everybody', () => areKnownTo(others, others))
  assert.is((await stage.answer(stage.apply(stage.leader(), 4))).ok, true)
  await stage.until('the work runs on all that are left', () =>
    others.every(machine => stage.running(machine).length === 1),
  )
})

test.run()
