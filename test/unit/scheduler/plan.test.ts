import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PENDING_KEPT_MAX, PLAN_CHANGES_MAX, place, reconcile } from '../../../scheduler/index.ts'
import { constraint, World } from './fixtures.ts'

const impossible = {
  strategy: 'spread',
  constraints: [constraint('gpu', 'exists')],
  spread: [],
  maxPerNode: null,
} as const

test('there is no plan when nothing is to be done', () => {
  assert.is(new World().init('ash').nextPlan(), null)
  assert.is(new World().init('ash').apply().settle().nextPlan(), null)
})

test('equal states, seeds and times give equal plans', () => {
  const planOf = (): unknown => new World().init('ash', 'birch', 'cedar').apply({ count: 9 }).nextPlan()
  assert.equal(planOf(), planOf())
})

test('a plan is bounded, and the next one goes on', () => {
  const world = new World().init('ash', 'birch').apply({ count: 450 })
  const sizes: (number | undefined)[] = []
  for (let i = 0; i < 4; i++) sizes.push(world.step()?.changes.length)
  assert.equal(sizes, [PLAN_CHANGES_MAX, PLAN_CHANGES_MAX, 50, undefined])
})

test('losses leave room for the successors, whose slots are lost in the same plan', () => {
  const world = new World().init('ash', 'birch').apply({ count: 300 }).settle().verdict('ash', 'dead')
  const types = world.step()!.changes.map(({ type }) => type)
  assert.is(types.filter(type => type === 'lose').length, PLAN_CHANGES_MAX / 2)
  assert.is(types.filter(type => type === 'start').length, PLAN_CHANGES_MAX / 2)
  assert.equal(world.settle().spread(), { ash: 0, birch: 300 })
})

test('a slot whose loss has to wait for the next plan is not filled before', () => {
  const world = new World().init('ash').apply({ count: 120 }).settle()
  for (let slot = 1; slot <= 10; slot++) world.report(world.slot(`web.${slot}`), { state: 'stopped' })
  world.settle().join('birch').verdict('ash', 'dead').step()
  assert.is(world.slot('web.1').state, 'running', 'it is the youngest and lost last')
  assert.equal(world.settle().spread(), { ash: 0, birch: 120 })
})

test('workloads take turns in small chunks', () => {
  const world = new World().init('ash').apply({ name: 'a', count: 12 }).apply({ name: 'b', count: 7 })
  const wishes = reconcile(world.state, world.nowMs).filter(wish => wish.type === 'start')
  const order = place(world.state, wishes, 1, world.nowMs)
    .placed.map(({ wish }) => wish.workload)
    .join('')
  assert.is(order, 'aaaaabbbbbaaaaabbaa')
})

test('one big workload does not keep a small one out of the first plan', () => {
  const world = new World().init('ash').apply({ name: 'a', count: 1_000 }).apply({ name: 'b', count: 3 })
  world.step()
  assert.is(world.live('b').length, 3)
})

test('a pending slot keeps the time since when it waits, and is struck out when it starts', () => {
  const world = new World().init('ash').apply({ count: 1, place: impossible })
  const sinceMs = world.nowMs
  world.step()
  world.wait(5_000)
  world.ok({ type: 'workload/Scale', name: 'web', count: 2 }).step()
  const pending = world.state.workloads.get('web')!.pending
  assert.equal(
    pending.map(entry => [entry.slot, entry.sinceMs]),
    [
      [1, sinceMs],
      [2, sinceMs + 5_000],
    ],
  )
  world.join('oak', { labels: { gpu: '1' } }).step()
  assert.equal(world.state.workloads.get('web')!.pending, [])
})

test('pending slots go away with a smaller count and with a stop', () => {
  const world = new World().init('ash').apply({ count: 3, place: impossible })
  world.step()
  world.ok({ type: 'workload/Scale', name: 'web', count: 1 }).step()
  assert.is(world.state.workloads.get('web')!.pending.length, 1)
  world.ok({ type: 'workload/Stop', name: 'web' }).step()
  assert.equal(world.state.workloads.get('web')!.pending, [])
})

test('the record of pending slots is bounded', () => {
  const world = new World().init('ash').apply({ count: 5_000, place: impossible })
  world.step()
  assert.is(world.state.workloads.get('web')!.pending.length, PENDING_KEPT_MAX)
  assert.is(world.nextPlan(), null)
})

test('what cannot be placed does not hold up what can', () => {
  const world = new World()
    .init('ash')
    .apply({ name: 'a', count: 500, place: impossible })
    .apply({ name: 'b', count: 3 })
  world.step()
  assert.is(world.live('b').length, 3)
})

test.run()
