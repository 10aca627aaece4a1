/** Who is given up, when, and what becomes of the work: two nodes, whole zones, many at once, nodes that come and go, and that ail. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '../../node/errors.ts'
import type { Command, Node, NodeId } from '../../scheduler/index.ts'
import type { Machine } from './machine.ts'
import { Stage } from './stage.ts'
import { zoneOf } from './writes.ts'

type WithoutTime<C> = C extends unknown ? Omit<C, 'atMs'> : never

const others = (stage: Stage, ...not: readonly (Machine | null)[]): Machine[] =>
  stage.world.machines.filter(machine => !not.includes(machine))

const runningOn = (stage: Stage, machines: readonly Machine[]): number =>
  machines.reduce((sum, machine) => sum + stage.running(machine).length, 0)

/** As the leader has it. */
const rowOf = (stage: Stage, machine: Machine): Node => {
  const row = stage.leader()?.node?.consensus.state().nodes.get(machine.id)
  assert.ok(row, `the leader knows ${machine.id}`)
  return row
}

const isDead = (stage: Stage, machine: Machine): boolean => rowOf(stage, machine).state === 'dead'

const say = async (stage: Stage, command: WithoutTime<Command>): Promise<void> => {
  const leader = stage.leader()
  const atMs = leader?.clock.wallMs() ?? 0
  assert.ok((await stage.answer(stage.submit(leader, { ...command, atMs } as Command))).ok)
}

/** Milliseconds until it is so. */
const untilMs = async (stage: Stage, what: string, isSo: () => boolean): Promise<number> => {
  const sinceMs = stage.world.timeline.nowMs()
  await stage.until(what, isSo)
  return stage.world.timeline.nowMs() - sinceMs
}

const withWork = async (machineCount: number, podCount: number): Promise<Stage> => {
  const stage = await Stage.raise(machineCount)
  await stage.answer(stage.apply(stage.leader(), podCount))
  await stage.settled()
  return stage
}

test('of two nodes the one that votes gives the other up, and does all the work', async () => {
  const stage = await withWork(2, 4)
  const leader = stage.leader()
  const [other] = others(stage, leader)
  assert.ok(leader && other)
  stage.world.cutPower(other)
  const tookMs = await untilMs(stage, 'all work is on the one', () => stage.running(leader).length === 4)
  assert.ok(tookMs < 5_000, `${tookMs} ms`)
  assert.is(rowOf(stage, other).state, 'dead')
  stage.revive(other)
  await stage.settled()
})

test('of two nodes the one that does not vote decides nothing, runs on, and is told the truth', async () => {
  const stage = await withWork(2, 4)
  const voter = stage.leader()
  const [other] = others(stage, voter)
  assert.ok(voter && other?.node)
  stage.world.cutPower(voter)
  await stage.pass(30_000)
  assert.is(stage.leader(), null)
  assert.is(stage.running(other).length, 2, 'its own containers run on')
  assert.is(
    other.node.consensus.state().nodes.get(voter.id)?.state,
    'alive',
    'nobody may decide that it is dead',
  )
  const refused = await stage.answer(stage.apply(other, 6).catch((thrown: unknown) => thrown))
  assert.instance(refused, Failure)
  assert.ok(['E_NO_LEADER', 'E_NO_QUORUM'].includes((refused as Failure).code))
  stage.revive(voter)
  await stage.settled()
  assert.is(runningOn(stage, stage.world.machines), 4)
})

test('of two nodes the one that does not vote takes over when a person says so', async () => {
  const stage = await withWork(2, 4)
  const voter = stage.leader()
  const [other] = others(stage, voter)
  assert.ok(voter && other?.node)
  stage.world.cutPower(voter)
  await stage.until('no leader is known', () => other.node?.consensus.status().leader === null)
  await stage.answer(other.node.consensus.recover())
  await stage.until('it runs everything', () => stage.running(other).length === 4)
  assert.ok((await stage.answer(stage.apply(other, 6))).ok, 'and decides')
  await stage.until('more work runs', () => stage.running(other).length === 6)
  stage.revive(voter)
  let hasLed = false
  await stage.until('the former voter belongs to it', () => {
    const status = voter.node?.consensus.status()
    hasLed ||= status?.role === 'leader'
    return status?.epoch.number === 1
  })
  assert.not.ok(hasLed, 'it asked before it led')
  await stage.settled()
})

const inZone = (stage: Stage, zone: string): Machine[] =>
  stage.world.machines.filter(machine => zoneOf(machine.position) === zone)

for (const isLeaders of [false, true])
  test(`a zone that is lost as a whole${isLeaders ? ', the leader with it,' : ''} is waited for ten seconds, then its work moves`, async () => {
    const stage = await withWork(9, 9)
    const leader = stage.leader()
    const zone = ['north', 'south', 'west'].find(
      name => inZone(stage, name).includes(leader as Machine) === isLeaders,
    ) as string
    const lost = inZone(stage, zone)
    for (const machine of lost) stage.world.cutPower(machine)
    await stage.until('somebody leads', () => stage.leader() !== null)
    await stage.pass(8_000)
    for (const machine of lost) assert.not.ok(isDead(stage, machine), 'it may come back')
    const rest = others(stage, ...lost)
    await stage.until('its work is on the others', () => runningOn(stage, rest) === 9, 10_000)
    for (const machine of lost) assert.ok(isDead(stage, machine))
    for (const machine of lost) stage.revive(machine)
    await stage.settled()
  })

test('a zone that is cut off for a few seconds moves nothing: no container is started or stopped', async () => {
  const stage = await withWork(9, 9)
  const zone = ['north', 'south'].find(name => !inZone(stage, name).includes(stage.leader() as Machine))
  const group = new Set(inZone(stage, zone as string).map(({ id }) => id))
  const idsOf = () =>
    stage.world.machines.flatMap(({ host }) => host.containers().map(({ state }) => state.runtimeId)).sort()
  const before = idsOf()
  const heal = stage.world.weather.part({ group, isOneWay: false })
  await stage.pass(6_000)
  heal()
  await stage.settled()
  assert.equal(idsOf(), before)
})

test('where the policy says never, the work of a lost zone waits until it is back', async () => {
  const stage = await withWork(9, 9)
  await say(stage, { type: 'cluster/SetZoneLoss', waitMs: null })
  const zone = ['north', 'south'].find(name => !inZone(stage, name).includes(stage.leader() as Machine))
  const lost = inZone(stage, zone as string)
  for (const machine of lost) stage.world.cutPower(machine)
  await stage.pass(60_000)
  for (const machine of lost) assert.not.ok(isDead(stage, machine))
  assert.is(runningOn(stage, others(stage, ...lost)), 6)
  for (const machine of lost) stage.revive(machine)
  await stage.settled()
})

test('when two of five vanish at once, the leader doubts itself before it believes that', async () => {
  const stage = await withWork(5, 10)
  const lost = others(stage, stage.leader()).slice(0, 2)
  for (const machine of lost) stage.world.cutPower(machine)
  await stage.pass(4_500)
  for (const machine of lost) assert.not.ok(isDead(stage, machine))
  const rest = others(stage, ...lost)
  const tookMs = await untilMs(stage, 'their work is on the others', () => runningOn(stage, rest) === 10)
  assert.ok(tookMs < 5_000, `${tookMs} ms`)
  for (const machine of lost) stage.revive(machine)
  await stage.settled()
})

test('a leader that alone does not reach some nodes gives up none of them', async () => {
  const stage = await withWork(5, 10)
  const leader = stage.leader()
  assert.ok(leader)
  const unreached = others(stage, leader).slice(0, 2)
  const heal = stage.world.weather.sever(
    leader.id,
    unreached.map(({ id }) => id),
  )
  const told: string[] = []
  for (let second = 0; second < 30; second++) {
    await stage.pass(1_000)
    const state = others(stage, leader)[2]?.node?.consensus.state()
    for (const { id } of unreached) if (state?.nodes.get(id)?.state === 'dead') told.push(id)
  }
  assert.equal(told, [], 'the others reach them')
  heal()
  await stage.settled()
})

test('a node that comes and goes is on probation: new work goes elsewhere, and to it again afterwards', async () => {
  const stage = await withWork(4, 4)
  const [flapping] = others(stage, stage.leader())
  assert.ok(flapping)
  for (let time = 0; time < 3; time++) {
    stage.world.kill(flapping)
    await stage.until('it is given up', () => isDead(stage, flapping))
    stage.world.start(flapping)
    await stage.settled()
  }
  assert.is(rowOf(stage, flapping).losses, 3)
  const backAtMs = stage.world.timeline.nowMs()
  await stage.answer(stage.apply(stage.leader(), 10))
  await stage.settled()
  assert.is(stage.running(flapping).length, 0, 'it was lost three times: a minute of probation')
  await stage.pass(61_000 - (stage.world.timeline.nowMs() - backAtMs))
  await stage.answer(stage.apply(stage.leader(), 14))
  await stage.settled()
  assert.ok(stage.running(flapping).length > 0, 'it is trusted again')
})

test('where nothing else fits, a node on probation is better than none', async () => {
  const stage = await withWork(2, 2)
  const leader = stage.leader()
  const [flapping] = others(stage, leader)
  assert.ok(leader && flapping)
  for (let time = 0; time < 2; time++) {
    stage.world.kill(flapping)
    await stage.until('it is given up', () => isDead(stage, flapping))
    stage.world.start(flapping)
    await stage.settled()
  }
  await say(stage, { type: 'node/Drain', id: leader.id })
  await stage.until('the other one has the work', () => stage.running(flapping).length === 2)
  await stage.settled()
})

/** Something is written now and then, so that each disk shows how it is. */
const busyFor = async (stage: Stage, ms: number): Promise<void> => {
  for (let passedMs = 0; passedMs < ms; passedMs += 500) {
    void stage.apply(stage.leader(), 8).catch(() => undefined)
    await stage.pass(500)
  }
}

test('a machine whose disk ails for a minute is drained with the reason, and an operator has the last word', async () => {
  const stage = await withWork(4, 8)
  const [ailing] = others(stage, stage.leader())
  assert.ok(ailing)
  ailing.disk.setSlowness(4_000)
  await busyFor(stage, 40_000)
  assert.ok(rowOf(stage, ailing).schedulable, 'not at once')
  await busyFor(stage, 80_000)
  assert.not.ok(rowOf(stage, ailing).schedulable)
  assert.match(rowOf(stage, ailing).ailing ?? '', /^health \d+ of 100: its disk takes \d+ ms for a write/)
  await stage.until('its work has moved', () => runningOn(stage, others(stage, ailing)) === 8, 120_000)
  await say(stage, { type: 'node/Activate', id: ailing.id as NodeId })
  await stage.pass(400_000)
  assert.ok(rowOf(stage, ailing).schedulable, 'whatever its disk does')
  ailing.disk.setSlowness(1)
  await stage.settled()
})

test.run()
