import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explain } from '../../../scheduler/index.ts'
import { constraint, id, World } from './fixtures.ts'

const slotOf = (world: World, target: string) => {
  const explanation = explain(world.state, target, world.nowMs)
  if (explanation?.type !== 'slot') throw new Error(`${target} is no slot`)
  return explanation
}

test('a slot tells its decision, its candidates and what would have changed the choice', () => {
  const world = new World()
    .init('ash', 'birch')
    .join('cedar')
    .verdict('cedar', 'dead')
    .apply({ count: 1 })
    .settle()
  const { pod, decision, wouldChange, sentences, pendingReason, past } = slotOf(world, 'web.1')
  const there = world.state.nodes.get(pod!.node)!.name
  const other = there === 'ash' ? 'birch' : 'ash'
  assert.is(decision?.candidates[0]?.node, pod?.node)
  assert.is(pendingReason, null)
  assert.equal(past, [])
  assert.is(sentences[0], `web.1 is running on ${there}.`)
  assert.ok(sentences.some(sentence => sentence === 'cedar was ruled out: it is dead.'))
  assert.ok(wouldChange.some(sentence => sentence.includes(other)))
})

test('a pod id leads to its slot, also of a pod that has ended, with the reasons of then', () => {
  const world = new World().init('ash', 'birch').apply({ count: 1 }).settle()
  const old = world.slot('web.1')
  world.verdict(old.node.replace('id-', ''), 'dead').settle()
  assert.is(slotOf(world, old.id).pod, world.state.pods.get(old.id))
  assert.is(slotOf(world, old.id).decision?.cause, 'scale')
  const { past, pod } = slotOf(world, 'web.1')
  assert.is.not(pod?.id, old.id)
  assert.equal(
    past.map(one => [one.id, one.state]),
    [[old.id, 'lost']],
  )
})

test('a slot without a pod tells why, and what would make room', () => {
  const place = {
    strategy: 'spread',
    constraints: [constraint('zone', '==', 'eu')],
    spread: [],
    maxPerNode: null,
  } as const
  const world = new World().init('ash').apply({ count: 1, place })
  assert.is(
    slotOf(world, 'web.1').pendingReason,
    'no node fits: 1 node lacks label zone=eu',
    'also before a plan',
  )
  world.step()
  const { pendingReason, pod, candidatesNow, wouldChange } = slotOf(world, 'web.1')
  assert.is(pendingReason, 'no node fits: 1 node lacks label zone=eu')
  assert.is(pod, null)
  assert.equal(
    candidatesNow.map(({ refusal }) => refusal),
    ['lacks label zone=eu'],
  )
  assert.equal(wouldChange, ['What would help: start a node with label zone=eu, or drop the constraint.'])
})

test('a slot in back-off and one that is done say so', () => {
  const world = new World().init('ash').apply({ count: 1 }).settle()
  world.report(world.slot('web.1'), { state: 'failed', reason: 'exit code 1' })
  assert.is(slotOf(world, 'web.1').pendingReason, 'its last pod failed; the next starts 1 s after that')
  const done = new World()
    .init('ash')
    .apply({ count: 1, restart: { policy: 'never', backoffMs: 0, backoffMsMax: 0, attemptsMax: 0 } })
  done.settle(() => 'failed')
  assert.match(slotOf(done, 'web.1').pendingReason ?? '', 'restart policy')
})

test('a workload counts its pods and names the slots that have none', () => {
  const place = { strategy: 'spread', constraints: [], spread: [], maxPerNode: 1 } as const
  const world = new World().init('ash', 'birch').apply({ count: 3, place }).settle()
  const explanation = explain(world.state, 'web', world.nowMs)
  if (explanation?.type !== 'workload') throw new Error('web is a workload')
  const { wantedCount, liveCount, readyCount, pendingCount, slots, sentences } = explanation
  assert.equal(
    { wantedCount, liveCount, readyCount, pendingCount },
    { wantedCount: 3, liveCount: 2, readyCount: 2, pendingCount: 1 },
  )
  assert.equal(
    slots.map(({ slot, pod }) => [slot, pod !== null]),
    [
      [1, true],
      [2, true],
      [3, false],
    ],
  )
  assert.match(sentences.at(-1) ?? '', 'web.3 has no pod: no node fits')
})

test('a node tells what it holds and what is reserved of it, by name and by id', () => {
  const world = new World()
    .init('ash')
    .apply({ count: 2 }, { resources: { cpuMillis: 500, memoryBytes: 2 ** 30 } })
    .settle()
  const byName = explain(world.state, 'ash', world.nowMs)
  if (byName?.type !== 'node') throw new Error('ash is a node')
  assert.is(byName.cpuMillisReserved, 1_000)
  assert.is(byName.sentences[1], 'It holds 2 pods, which reserve 1 of 4 CPU and 2 GiB of 4 GiB of memory.')
  assert.equal(explain(world.state, id('ash'), world.nowMs), byName)
})

test('a slot that nobody asks for says so', () => {
  const world = new World().init('ash').apply({ count: 2 }).settle()
  assert.equal(slotOf(world, 'web.9').sentences, ['web.9 is not wanted: web asks for 2 pods.'])
  world.ok({ type: 'workload/Scale', name: 'web', count: 1 }).settle()
  assert.equal(slotOf(world, 'web.2').sentences.slice(0, 1), ['web.2 was stopped on ash: scaled down to 1.'])
  assert.equal(slotOf(world, 'web.2').sentences.slice(-1), ['web.2 is not wanted: web asks for 1 pod.'])
  world.ok({ type: 'workload/Stop', name: 'web' }).settle()
  assert.equal(slotOf(world, 'web.1').sentences.at(-1), 'web.1 is not wanted: web is stopped.')
  assert.equal(explain(world.state, 'web', world.nowMs)?.sentences, ['web is stopped.'])
})

test('the slot of a node that no longer matches is not wanted, one that failed for good says why', () => {
  const never = { policy: 'never', backoffMs: 0, backoffMsMax: 0, attemptsMax: null } as const
  const world = new World().init('ash', 'birch').apply({ kind: 'global', count: 0, restart: never }).settle()
  const onAsh = world.running().find(pod => pod.node === id('ash'))!
  const name = `web.${onAsh.slot}`
  world.report(onAsh, { state: 'failed', reason: 'exited with code 1' })
  assert.is(
    slotOf(world, name).pendingReason,
    'its last pod failed (exited with code 1), and the restart policy allows no other',
  )
  world.ok({ type: 'node/Drain', id: id('ash') })
  assert.is(slotOf(world, name).pendingReason, null)
  assert.match(slotOf(world, name).sentences.at(-1) ?? '', 'is not wanted: web runs one pod on each')
})

test('a batch counts its successes, and states are told in words that fit', () => {
  const world = new World().init('ash').apply({ kind: 'batch', count: 3 }).settle()
  world.report(world.slot('web.1'), { state: 'succeeded' })
  world.report(world.slot('web.2'), {
    reason: 'exited with code 1; tried again after 1 s',
    containers: [{ name: 'main', image: null, runtimeId: '1', state: 'exited', exitCode: 1 }],
  })
  assert.equal(explain(world.state, 'web', world.nowMs)?.sentences, [
    'web runs as a batch: 3 wanted, 2 live, 2 ready, 1 succeeded.',
  ])
  assert.is(slotOf(world, 'web.1').sentences[0], 'web.1 has succeeded on ash.')
  assert.is(
    slotOf(world, 'web.2').sentences[0],
    'web.2 waits to be restarted on ash: exited with code 1; tried again after 1 s.',
  )
})

test('a node that has gone or takes nothing says so', () => {
  const world = new World().init('ash', 'birch', 'cedar').ok({ type: 'node/Drain', id: id('birch') })
  const first = (name: string) => explain(world.state, name, world.nowMs)?.sentences.join(' ')
  assert.is(first('birch'), 'birch is alive and drained: it gets no new pods. It holds no pods.')
  world.verdict('birch', 'dead').ok({ type: 'node/Leave', id: id('cedar') })
  assert.is(first('birch'), 'birch is dead, and was drained. It holds no pods.')
  assert.is(first('cedar'), 'cedar has left the cluster. It holds no pods.')
  world.apply({ count: 1 }).settle()
  assert.match(first('ash') ?? '', 'It holds 1 pod, which reserves 0 of 4 CPU')
})

test('a pod of a removed workload is explained while it lasts; an unknown name is null', () => {
  const world = new World()
    .init('ash')
    .apply({ count: 1 })
    .settle()
    .ok({ type: 'workload/Remove', name: 'web' })
  assert.match(slotOf(world, 'web.1').sentences[0] ?? '', 'was removed')
  assert.is(explain(world.state, 'nobody', world.nowMs), null)
  assert.is(explain(world.state, 'nobody.1', world.nowMs), null)
})

test.run()
