import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explain } from '../../../scheduler/index.ts'
import { constraint, id, World } from './fixtures.ts'

const slotOf = (world: World, target: string) => {
  const explanation = explain(world.state, target)
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
  assert.equal(wouldChange, ['To make room: start a node with label zone=eu, or drop the constraint.'])
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
  const explanation = explain(world.state, 'web')
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
  const byName = explain(world.state, 'ash')
  if (byName?.type !== 'node') throw new Error('ash is a node')
  assert.is(byName.cpuMillisReserved, 1_000)
  assert.is(byName.sentences[1], 'It holds 2 pods, which reserve 1 of 4 CPU and 2 GiB of 4 GiB of memory.')
  assert.equal(explain(world.state, id('ash')), byName)
})

test('a pod of a removed workload is explained while it lasts; an unknown name is null', () => {
  const world = new World()
    .init('ash')
    .apply({ count: 1 })
    .settle()
    .ok({ type: 'workload/Remove', name: 'web' })
  assert.match(slotOf(world, 'web.1').sentences[0] ?? '', 'was removed')
  assert.is(explain(world.state, 'nobody'), null)
  assert.is(explain(world.state, 'nobody.1'), null)
})

test.run()
