import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isReady, type WorkloadSpec } from '../../../scheduler/index.ts'
import { World } from './fixtures.ts'

const updating = (update: WorkloadSpec['update'], count = 4): World =>
  new World()
    .init('ash', 'birch')
    .apply({ count, update })
    .settle()
    .apply({ count, update }, { image: 'new' })

/** Runs to rest and returns the lowest count of ready pods and the highest count of live ones on the way. */
const watch = (world: World): { readyMin: number; liveMax: number } => {
  let readyMin = Number.POSITIVE_INFINITY
  let liveMax = 0
  for (let round = 0; round < 200; round++) {
    const isPlanned = world.step() !== null
    readyMin = Math.min(
      readyMin,
      world.live('web').filter(pod => isReady(pod) && pod.desired === 'running').length,
    )
    liveMax = Math.max(liveMax, world.live('web').length)
    if (!world.obey() && !isPlanned) return { readyMin, liveMax }
  }
  throw new Error('the update does not end')
}

test('stop-first replaces parallelism pods at a time and never runs more than were asked', () => {
  const world = updating({ parallelism: 1, order: 'stop-first' })
  assert.equal(watch(world), { readyMin: 3, liveMax: 4 })
  assert.ok(world.running().every(pod => pod.generation === 2))
  assert.equal(watch(updating({ parallelism: 3, order: 'stop-first' })), { readyMin: 1, liveMax: 4 })
})

test('start-first keeps every slot served', () => {
  assert.equal(watch(updating({ parallelism: 2, order: 'start-first' })), { readyMin: 4, liveMax: 6 })
})

test('the update stands still while a new pod is not healthy, and goes on when it is', () => {
  const world = updating({ parallelism: 1, order: 'stop-first' })
  world.step()
  world.obey()
  world.step()
  world.report(world.slot('web.1'), { state: 'running', health: 'starting' })
  assert.is(world.nextPlan(), null)
  world.report(world.slot('web.1'), { health: 'unhealthy' })
  assert.is(world.nextPlan(), null)
  world.report(world.slot('web.1'), { health: 'healthy' })
  assert.is(world.nextPlan()?.changes[0]?.type, 'stop')
})

test('a new pod that fails holds the update up: the other slots keep their old pods', () => {
  const world = updating({ parallelism: 1, order: 'stop-first' })
  for (let round = 0; round < 20; round++) {
    world.step()
    world.obey(pod => (pod.generation === 2 ? 'failed' : null))
    world.wait(5_000)
  }
  assert.equal(
    world
      .running()
      .map(pod => pod.slot)
      .sort(),
    [2, 3, 4],
  )
})

test('with start-first a failing update costs no slot its old pod', () => {
  const world = updating({ parallelism: 1, order: 'start-first' })
  for (let round = 0; round < 20; round++) {
    world.step()
    world.obey(pod => (pod.generation === 2 ? 'failed' : null))
    world.wait(5_000)
  }
  assert.is(world.running().filter(pod => pod.generation === 1).length, 4)
})

test('a rollback replaces the failing pods first', () => {
  const world = updating({ parallelism: 1, order: 'stop-first' })
  world.step()
  world.obey()
  world.step()
  world.report(world.slot('web.1'), { state: 'running', health: 'unhealthy' })
  world.apply({ count: 4, update: { parallelism: 1, order: 'stop-first' } }, { image: 'old' })
  const stops = world
    .step()!
    .changes.flatMap(change => (change.type === 'stop' ? world.state.pods.get(change.pod)!.slot : []))
  assert.equal(stops, [1])
  assert.ok(
    world
      .settle()
      .running()
      .every(pod => pod.generation === 3),
  )
})

test('a third generation during a start-first update never leaves three pods in a slot', () => {
  const update = { parallelism: 1, order: 'start-first' } as const
  const world = updating(update, 1)
  world.step()
  world.apply({ count: 1, update }, { image: 'newest' })
  assert.ok(watch(world).liveMax <= 2)
  assert.equal(
    world.running().map(pod => pod.generation),
    [3],
  )
})

test('empty slots are filled with the new generation at once, whatever the parallelism', () => {
  const world = updating({ parallelism: 1, order: 'stop-first' }).ok({
    type: 'workload/Scale',
    name: 'web',
    count: 8,
  })
  const starts = world.step()!.changes.filter(({ type }) => type === 'start')
  assert.is(starts.length, 4)
})

test('an update spreads the new pods as evenly as the old ones were', () => {
  assert.equal(updating({ parallelism: 1, order: 'start-first' }, 6).settle().spread(), { ash: 3, birch: 3 })
})

test.run()
