import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '../../node/errors.ts'
import { Stage } from './stage.ts'

test('a write whose leader dies between append and commit is applied once when it is sent again', async () => {
  const stage = await Stage.raise(3)
  const { world } = stage
  const leader = stage.leader()
  assert.ok(leader)
  world.onMoment = (moment, machine) => {
    if (moment !== 'append' || machine !== leader) return
    world.onMoment = () => undefined
    world.timeline.plan(0, () => world.cutPower(machine))
  }
  void stage.submit(leader, { type: 'node/Drain', atMs: 1, id: leader.id }, 'again').catch(() => undefined)
  await stage.until('the leader is struck', () => leader.program === null)
  await stage.until('another leads', () => stage.leader() !== null)
  const outcome = await stage.answer(
    stage.submit(stage.leader(), { type: 'node/Drain', atMs: 1, id: leader.id }, 'again'),
  )
  assert.is(outcome.ok, true)
  stage.revive(leader)
  await stage.settled()
  assert.is(leader.node?.consensus.state().requests.get('again')?.index, outcome.index)
})

test('a leader that is cut off refuses writes, its pods are replaced, and after healing each runs once', async () => {
  const stage = await Stage.raise(5)
  await stage.answer(stage.apply(stage.leader(), 10))
  await stage.settled()
  const old = stage.leader()
  assert.ok(old)
  assert.is(stage.running(old).length, 2)
  const friend = stage.world.machines.find(machine => machine !== old)
  assert.ok(friend)
  const heal = stage.world.weather.part({ group: new Set([old.id, friend.id]), isOneWay: false })
  await stage.until('the majority has a leader of its own', () => stage.leader() !== old)
  const refused = await stage.answer(stage.apply(old, 5).catch((thrown: unknown) => thrown))
  assert.instance(refused, Failure)
  assert.is((refused as Failure).code, 'E_NO_QUORUM')
  await stage.until('the majority runs all ten', () =>
    stage.world.machines
      .filter(machine => machine !== old && machine !== friend)
      .every(machine => stage.running(machine).length >= 3),
  )
  assert.is(stage.running(old).length, 2, 'the minority keeps its containers')
  heal()
  await stage.settled()
  const everywhere = stage.world.machines.flatMap(machine => stage.running(machine))
  assert.is(everywhere.length, 10)
  assert.is(new Set(everywhere).size, 10)
})

test('a leader whose disk is full gives up its place, and writes go on', async () => {
  const stage = await Stage.raise(3)
  const old = stage.leader()
  assert.ok(old)
  old.disk.setFull(true)
  void stage.apply(old, 3).catch(() => undefined)
  await stage.until('another leads', () => stage.leader() !== null && stage.leader() !== old)
  const outcome = await stage.answer(stage.apply(stage.leader(), 4))
  assert.is(outcome.ok, true)
  old.disk.setFull(false)
  await stage.settled()
})

test('a leader whose disk stands still hands over, though everybody hears it', async () => {
  const stage = await Stage.raise(3)
  const old = stage.leader()
  assert.ok(old)
  old.disk.setSlowness(2_000)
  void stage.apply(old, 3).catch(() => undefined)
  await stage.until('another leads', () => stage.leader() !== null && stage.leader() !== old)
  const outcome = await stage.answer(stage.apply(stage.leader(), 4))
  assert.is(outcome.ok, true)
  old.disk.setSlowness(1)
  const second = stage.leader()
  assert.ok(second)
  stage.world.kill(second)
  await stage.until('a third leads', () => ![null, old, second].includes(stage.leader()))
  stage.world.start(second)
  await stage.settled()
})

test('a leader that stood still hands over when it wakes, and whoever is drained does not take over', async () => {
  const stage = await Stage.raise(3)
  const old = stage.leader()
  const [drained, third] = stage.world.machines.filter(machine => machine !== old)
  assert.ok(old && drained && third)
  const drain = { type: 'node/Drain', atMs: old.clock.wallMs(), id: drained.id } as const
  assert.is((await stage.answer(stage.submit(old, drain))).ok, true)
  // Until the leader has heard of it with an answer to a heartbeat.
  await stage.pass(500)
  old.clock.pause()
  await stage.pass(530)
  old.clock.resume()
  await stage.until('the third leads', () => stage.leader() === third)
  assert.is(old.node?.consensus.status().unfit, 'loop')
  assert.is(drained.node?.consensus.status().unfit, 'drained')
  await stage.settled()
})

test('a leader that is told to stop hands over first, and no election timeout passes', async () => {
  const stage = await Stage.raise(3)
  const old = stage.leader()
  assert.ok(old)
  const startedMs = stage.world.timeline.nowMs()
  stage.world.stop(old)
  await stage.until('another leads', () => stage.leader() !== null && stage.leader() !== old)
  assert.ok(stage.world.timeline.nowMs() - startedMs < 100, 'the handing over takes a few round trips')
  await stage.until('it has stopped', () => old.program === null)
  const outcome = await stage.answer(stage.apply(stage.leader(), 4))
  assert.is(outcome.ok, true)
  stage.world.start(old)
  await stage.settled()
})

test('a node that lost power comes back to empty hands and gets work again', async () => {
  const stage = await Stage.raise(3)
  await stage.answer(stage.apply(stage.leader(), 6))
  await stage.settled()
  const lost = stage.world.machines.find(machine => machine !== stage.leader())
  assert.ok(lost)
  stage.world.cutPower(lost)
  await stage.until(
    'its pods are replaced',
    () =>
      stage.world.machines.filter(machine => machine !== lost).flatMap(machine => stage.running(machine))
        .length === 6,
  )
  stage.revive(lost)
  await stage.settled()
})

test('containers outlive a kill of all node programs, and none is started again', async () => {
  const stage = await Stage.raise(3)
  await stage.answer(stage.apply(stage.leader(), 6))
  await stage.settled()
  const idsOf = () =>
    stage.world.machines.flatMap(({ host }) => host.containers().map(({ state }) => state.runtimeId)).sort()
  const before = idsOf()
  for (const machine of stage.world.machines) stage.world.kill(machine)
  await stage.pass(2_000)
  for (const machine of stage.world.machines) stage.world.start(machine)
  await stage.settled()
  assert.equal(idsOf(), before)
})

test('a leader that the roster holds dead comes to life again', async () => {
  const stage = await Stage.raise(3)
  const leader = stage.leader()
  assert.ok(leader)
  const verdict = {
    type: 'node/Verdict',
    atMs: 1,
    id: leader.id,
    state: 'dead',
    reason: 'a mistake',
  } as const
  await stage.answer(stage.submit(leader, verdict))
  await stage.settled()
})

test('a node that was away while another joined and came to lead finds its way back', async () => {
  const stage = await Stage.raise(4, [3])
  const away = stage.world.machines.find(machine => machine !== stage.leader())
  const late = stage.machine('node-4')
  assert.ok(away)
  stage.world.cutPower(away)
  void stage.world.join(late)
  await stage.until('the newcomer votes', () => {
    const status = stage.leader()?.node?.consensus.status()
    return status?.voters.includes(late.id) === true && !status.isJoint
  })
  const leader = stage.leader()?.node?.consensus
  assert.ok(leader)
  await stage.answer(leader.transferLeadership({ to: late.id, timeoutMs: 2_000 }))
  await stage.until('the newcomer leads', () => stage.leader() === late)
  stage.revive(away)
  await stage.settled()
})

test('the quorum dies, the last node founds the cluster anew, and the old voters come back without harm', async () => {
  const stage = await Stage.raise(3)
  const { world } = stage
  await stage.answer(stage.apply(stage.leader(), 6))
  await stage.settled()
  const last = world.machines.find(machine => machine !== stage.leader())
  const others = world.machines.filter(machine => machine !== last)
  assert.ok(last)
  const own = last.host.containers().map(({ state }) => state.runtimeId)
  for (const machine of others) world.kill(machine)
  await stage.until('no leader is left', () => last.node?.consensus.status().leader === null)
  const node = last.node
  assert.ok(node)
  await stage.answer(node.consensus.recover())
  await stage.until('it runs all six', () => stage.running(last).length === 6)
  const kept = new Set(last.host.containers().map(({ state }) => state.runtimeId))
  for (const id of own) assert.ok(kept.has(id), `${id} was started again`)

  for (const machine of others) world.start(machine)
  await stage.until('all three vote in the new epoch', () =>
    world.machines.every(machine => {
      const status = machine.node?.consensus.status()
      return status?.epoch.number === 1 && status.voters.length === 3
    }),
  )
  assert.is(stage.leader(), last, 'nobody took its place')
  await stage.settled()
  world.cutPower(last)
  await stage.until('an old voter leads', () => stage.leader() !== null && stage.leader() !== last)
  assert.is((await stage.answer(stage.apply(stage.leader(), 3))).ok, true)
})

test.run()
