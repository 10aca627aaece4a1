import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Outcome } from '../../scheduler/index.ts'
import { type Prng, prng } from '../harness/prng.ts'
import { Electorate } from './electorate.ts'
import type { Machine } from './machine.ts'
import { zoneOf } from './writes.ts'

const COUNT = 9
/** A replacement, and an exchange for a better spread. */
const CHANGES_PER_STEP_MAX = 2

const names = (machines: readonly Machine[]): string =>
  machines
    .map(({ name }) => name)
    .sort()
    .join(' ')

const inZone = ({ stage }: Electorate, zone: string): readonly Machine[] =>
  stage.world.machines.filter(machine => zoneOf(machine.position) === zone)

/** After one death or return: writes are accepted exactly while the living are a majority of the voters, and the keeper repairs. */
const step = async (electorate: Electorate, what: string): Promise<void> => {
  const { hasMajority, history } = electorate
  const [living, votersBefore] = [names(electorate.alive), names(electorate.voters)]
  const changesBefore = history.length
  if (hasMajority)
    assert.is.not(await electorate.write(), null, `${what}: ${living} of ${votersBefore} write`)
  else assert.ok(await electorate.refuses(), `${what}: ${living} of ${votersBefore} refuse`)
  await electorate.rested()
  const changeCount = history.length - changesBefore
  assert.ok(changeCount <= CHANGES_PER_STEP_MAX, `${what}: ${changeCount} changes`)
  if (!hasMajority) assert.is(changeCount, 0, 'nothing can be decided')
}

const assertRepaired = (electorate: Electorate, what: string): void => {
  const { alive, voters } = electorate
  const expected = alive.length >= 4 ? 5 : 3
  assert.is(voters.length, expected, `${what}: ${names(voters)} vote`)
  const missing = voters.filter(voter => voter.program === null)
  assert.is(
    missing.length,
    Math.max(0, expected - alive.length),
    `${what}: ${names(missing)} vote and are dead`,
  )
}

type Fell = (electorate: Electorate, dice: Prng) => Machine

const descendAndReturn = async (seed: number, pick: Fell): Promise<void> => {
  const electorate = await Electorate.raise(COUNT, seed)
  const { stage, history } = electorate
  const dice = prng(seed, 'descent')
  assert.is(electorate.spread, '2,2,1')
  const fallen: Machine[] = []
  while (electorate.alive.length > 1) {
    const victim = pick(electorate, dice)
    const isVoter = electorate.voters.includes(victim)
    const changesBefore = history.length
    if (dice.chance(0.5)) stage.world.kill(victim)
    else stage.world.cutPower(victim)
    fallen.push(victim)
    await step(electorate, `death of ${victim.name}`)
    if (electorate.hasMajority) assertRepaired(electorate, `death of ${victim.name}`)
    if (!isVoter) assert.is(history.length, changesBefore, 'the death of a learner changes nothing')
  }
  assert.is(electorate.hasMajority, false, 'one of three')
  for (const machine of dice.shuffle(fallen)) {
    stage.revive(machine)
    await step(electorate, `return of ${machine.name}`)
  }
  assert.is(electorate.voters.length, 5)
  assert.is(electorate.spread, '2,2,1')
  await stage.settled()
}

for (const seed of [1, 2, 3]) {
  test(`from nine nodes to one and back, the leader dying each time (seed ${seed})`, () =>
    descendAndReturn(seed, ({ stage, alive }, dice) => stage.leader() ?? dice.pick(alive)))

  test(`from nine nodes to one and back, any node dying (seed ${seed})`, () =>
    descendAndReturn(seed, ({ alive }, dice) => dice.pick(alive)))
}

for (const zone of ['north', 'south', 'west'])
  test(`a whole zone dies at once (${zone}): writes go on, its voters are replaced, and its return restores the spread`, async () => {
    const electorate = await Electorate.raise(COUNT, 5)
    const { stage } = electorate
    const lost = inZone(electorate, zone)
    for (const machine of lost) stage.world.cutPower(machine)
    await step(electorate, `loss of ${zone}`)
    assert.is(electorate.spread, '3,2')
    for (const machine of lost) assert.not(electorate.voters.includes(machine), `${machine.name} votes`)
    for (const machine of lost) stage.revive(machine)
    await step(electorate, `return of ${zone}`)
    assert.is(electorate.spread, '2,2,1')
    await stage.settled()
  })

test('of two zones the smaller part may be lost, and not the larger', async () => {
  const electorate = await Electorate.raise(COUNT, 5, [2, 5, 8])
  assert.is(electorate.spread, '3,2')
  const votersIn = (zone: string) =>
    inZone(electorate, zone).filter(machine => electorate.voters.includes(machine))
  const small = votersIn('north').length === 2 ? 'north' : 'south'
  for (const machine of inZone(electorate, small)) electorate.stage.world.cutPower(machine)
  await step(electorate, `loss of ${small}`)
  assert.is(electorate.spread, '3', 'they bear one more loss')
  for (const machine of inZone(electorate, small)) electorate.stage.revive(machine)
  await step(electorate, `return of ${small}`)
  assert.is(electorate.spread, '3,2')
  const large = votersIn('north').length === 3 ? 'north' : 'south'
  for (const machine of inZone(electorate, large)) electorate.stage.world.cutPower(machine)
  assert.not(electorate.hasMajority)
  await step(electorate, `loss of ${large}`)
})

test('seven nodes vote when somebody asks for it, then three, one step at a time', async () => {
  const electorate = await Electorate.raise(COUNT, 9)
  const { stage, history } = electorate
  const ask = async (votersMax: number): Promise<void> => {
    await stage.answer(stage.submit(stage.leader(), { type: 'cluster/SetVoters', atMs: 0, votersMax }))
    await electorate.rested()
  }
  await ask(7)
  assert.is(electorate.spread, '3,2,2')
  await ask(3)
  assert.is(electorate.spread, '1,1,1')
  assert.equal(
    history.slice(-3).map(voters => voters.length),
    [7, 5, 3],
  )
  await stage.settled()
})

test('a voter that comes and goes loses its vote once, and does not win it back in turn', async () => {
  const electorate = await Electorate.raise(7, 6)
  const { stage, history } = electorate
  const unsteady = electorate.voters.find(voter => voter !== stage.leader()) as Machine
  const changesBefore = history.length
  for (let round = 0; round < 10; round++) {
    stage.world.kill(unsteady)
    await stage.pass(7_000)
    stage.revive(unsteady)
    await stage.pass(7_000)
  }
  const changeCount = history.length - changesBefore
  assert.ok(changeCount <= CHANGES_PER_STEP_MAX, `${changeCount} changes`)
  assert.not(electorate.voters.includes(unsteady))
  await stage.settled()
})

test('a voter whose disk has become slow gives its vote to one with a fast disk', async () => {
  const electorate = await Electorate.raise(COUNT, 7)
  const { stage } = electorate
  const slow = electorate.voters.find(voter => voter !== stage.leader()) as Machine
  slow.disk.setSlowness(200)
  for (let second = 0; second < 60; second++) {
    assert.is.not(await electorate.write(), null)
    await stage.pass(1_000)
  }
  assert.not(electorate.voters.includes(slow))
  assert.is(electorate.spread, '2,2,1')
  slow.disk.setSlowness(1)
  await electorate.rested()
  await stage.settled()
})

/** Far less than the shortest election timeout. */
const HANDOVER_MS_MAX = 100

/** Writes through the followers, one each 20 ms, while leadership moves. */
const writesDuring = async (
  { stage }: Electorate,
  act: (leader: Machine) => void,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly slowestMs: number }> => {
  const leader = stage.leader() as Machine
  const others = stage.world.machines.filter(machine => machine !== leader)
  const outcomes: Promise<Outcome>[] = []
  let slowestMs = 0
  for (let write = 0; write < 100; write++) {
    if (write === 50) act(leader)
    const sinceMs = stage.world.timeline.nowMs()
    const machine = others[write % others.length] as Machine
    const outcome = stage.submit(machine, { type: 'node/Activate', atMs: 0, id: machine.id })
    outcomes.push(outcome)
    void outcome.finally(() => {
      slowestMs = Math.max(slowestMs, stage.world.timeline.nowMs() - sinceMs)
    })
    await stage.pass(20)
  }
  const settled = await stage.answer(Promise.all(outcomes))
  return { outcomes: settled, slowestMs }
}

test('a leader that is told to stop hands over: one term, no election, and no write fails or waits for one', async () => {
  const electorate = await Electorate.raise(5, 8)
  const reignsBefore = electorate.reigns.length
  const termBefore = electorate.reigns.at(-1)!
  const old = electorate.stage.leader() as Machine
  const { outcomes, slowestMs } = await writesDuring(electorate, leader =>
    electorate.stage.world.stop(leader),
  )
  assert.ok(outcomes.every(({ ok }) => ok))
  assert.ok(slowestMs < HANDOVER_MS_MAX, `a write took ${slowestMs} ms`)
  assert.equal(electorate.reigns.slice(reignsBefore), [termBefore + 1])
  assert.is(old.program, null)
  electorate.stage.revive(old)
  await electorate.stage.settled()
})

test('a leader that is drained hands over: one term, no election, and no write fails or waits for one', async () => {
  const electorate = await Electorate.raise(5, 8)
  const { stage, reigns } = electorate
  const reignsBefore = reigns.length
  const termBefore = reigns.at(-1)!
  const old = stage.leader() as Machine
  const { outcomes, slowestMs } = await writesDuring(
    electorate,
    leader => void stage.submit(leader, { type: 'node/Drain', atMs: 0, id: leader.id }),
  )
  assert.ok(outcomes.every(({ ok }) => ok))
  assert.ok(slowestMs < HANDOVER_MS_MAX, `a write took ${slowestMs} ms`)
  assert.equal(reigns.slice(reignsBefore), [termBefore + 1])
  assert.is.not(stage.leader(), old)
  await stage.settled()
})

test.run()
