/** Services: how many, where not, and what follows a failure. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nextDueMs, type PodState, reconcile } from '../../../scheduler/index.ts'
import { id, World } from './fixtures.ts'

const slots = (world: World): number[] =>
  world
    .running()
    .map(pod => pod.slot)
    .sort()

test('scaling down stops the highest slots first, scaling up fills the lowest', () => {
  const world = new World().init('ash', 'birch').apply({ count: 5 }).settle()
  world.ok({ type: 'workload/Scale', name: 'web', count: 2 })
  const stops = reconcile(world.state, world.nowMs).map(
    wish => wish.type === 'stop' && world.state.pods.get(wish.pod)!.slot,
  )
  assert.equal(stops, [5, 4, 3])
  assert.equal(slots(world.settle()), [1, 2])
  assert.equal(slots(world.ok({ type: 'workload/Scale', name: 'web', count: 3 }).settle()), [1, 2, 3])
})

test('a stopped workload keeps its count and gets its pods back', () => {
  const world = new World().init('ash').apply().settle().ok({ type: 'workload/Stop', name: 'web' }).settle()
  assert.equal(slots(world), [])
  assert.equal(slots(world.ok({ type: 'workload/Restart', name: 'web' }).settle()), [1, 2, 3])
})

test('the pods of a dead node are lost and replaced in one plan', () => {
  const world = new World().init('ash', 'birch', 'cedar').apply({ count: 6 }).settle().verdict('ash', 'dead')
  const types = world.step()!.changes.map(({ type }) => type)
  assert.equal(types, ['lose', 'lose', 'start', 'start'])
  const started = world.live().filter(pod => pod.state === 'assigned')
  assert.equal(
    started.map(pod => pod.decision.cause),
    ['replace dead node ash', 'replace dead node ash'],
  )
  assert.equal(world.settle().spread(), { ash: 0, birch: 3, cedar: 3 })
})

test('the pods of a node that left are replaced too', () => {
  const world = new World()
    .init('ash', 'birch')
    .apply({ count: 2 })
    .settle()
    .ok({ type: 'node/Leave', id: id('ash') })
  assert.equal(world.settle().spread(), { ash: 0, birch: 2 })
})

test('a slot of a pod that is being stopped is filled only after the pod has ended', () => {
  const world = new World()
    .init('ash')
    .apply({ count: 1 })
    .settle()
    .ok({ type: 'workload/Scale', name: 'web', count: 0 })
  world.step()
  world.ok({ type: 'workload/Scale', name: 'web', count: 1 })
  assert.is(world.nextPlan(), null)
  world.obey()
  assert.is(world.nextPlan()?.changes[0]?.type, 'start')
})

test('an unhealthy pod is the business of its node', () => {
  const world = new World().init('ash').apply({ count: 1 }).settle()
  world.report(world.slot('web.1'), { health: 'unhealthy' })
  assert.is(world.nextPlan(), null)
})

test('failed pods come back after a delay that doubles up to its limit', () => {
  const world = new World().init('ash').apply({ count: 1 })
  const delays: number[] = []
  for (let i = 0; i < 8; i++) {
    world.step()
    const { createdAtMs } = world.slot('web.1')
    world.report(world.slot('web.1'), { state: 'failed' })
    const due = nextDueMs(world.state, world.nowMs)!
    delays.push(due - createdAtMs)
    assert.is(world.nextPlan(), null)
    world.nowMs = due
  }
  assert.equal(delays, [1_000, 2_000, 4_000, 8_000, 30_000, 30_000, 30_000, 30_000])
})

test('a pod that ran well starts a new row of failures', () => {
  const world = new World().init('ash').apply({ count: 1 })
  for (const ranMs of [0, 0, 30_000, 0]) {
    world.settle()
    world.wait(ranMs)
    world.report(world.slot('web.1'), { state: 'failed' })
  }
  const last = world.pods('web').at(-1)!
  assert.is(nextDueMs(world.state, world.nowMs)! - last.createdAtMs, 2_000)
})

test('a clock that was wrong by years delays no slot by years', () => {
  const world = new World().init('ash').apply({ count: 1 })
  world.wait(1e11)
  world.step()
  world.report(world.slot('web.1'), { state: 'failed' })
  world.wait(-1e11)
  assert.is(world.nextPlan()?.changes[0]?.type, 'start')
})

const afterEnd = (policy: 'always' | 'on-failure' | 'never', end: PodState): number => {
  const world = new World().init('ash')
  world.apply({ count: 1, restart: { policy, backoffMs: 0, backoffMsMax: 0, attemptsMax: 0 } }).settle()
  world.report(world.slot('web.1'), { state: end }).settle()
  return world.running().length
}

test('what a service does after an end is its policy: a lost or failed pod, a clean exit', () => {
  assert.is(afterEnd('always', 'failed'), 1)
  assert.is(afterEnd('always', 'succeeded'), 1)
  assert.is(afterEnd('on-failure', 'failed'), 1)
  assert.is(afterEnd('on-failure', 'succeeded'), 0)
  assert.is(afterEnd('never', 'failed'), 0)
  assert.is(afterEnd('never', 'stopped'), 1)
})

test('a slot that is done runs again after a restart', () => {
  const world = new World().init('ash')
  world
    .apply({ count: 1, restart: { policy: 'never', backoffMs: 0, backoffMsMax: 0, attemptsMax: 0 } })
    .settle()
  world.report(world.slot('web.1'), { state: 'succeeded' }).settle()
  assert.is(world.ok({ type: 'workload/Restart', name: 'web' }).settle().running().length, 1)
})

test.run()
