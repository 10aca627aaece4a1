import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { countGivenUp, type WorkloadSpec } from '../../../scheduler/index.ts'
import { id, World } from './fixtures.ts'

const job = (restart: Partial<WorkloadSpec['restart']> = {}, count = 3): Partial<WorkloadSpec> => ({
  name: 'job',
  kind: 'batch',
  count,
  restart: { policy: 'on-failure', backoffMs: 10, backoffMsMax: 1_000, attemptsMax: 2, ...restart },
})

const ends = (world: World): string[] => world.pods('job').map(pod => pod.state)

test('every slot runs to completion once', () => {
  const world = new World()
    .init('ash')
    .apply(job())
    .settle(() => 'succeeded')
  assert.equal(ends(world), ['succeeded', 'succeeded', 'succeeded'])
  assert.is(world.nextPlan(), null)
})

test('more slots run when the count grows, and all again after a restart', () => {
  const world = new World()
    .init('ash')
    .apply(job())
    .settle(() => 'succeeded')
  world.ok({ type: 'workload/Scale', name: 'job', count: 4 }).settle(() => 'succeeded')
  assert.is(ends(world).length, 4)
  world.ok({ type: 'workload/Restart', name: 'job' }).settle(() => 'succeeded')
  assert.is(ends(world).length, 8)
})

test('a failing slot is tried attemptsMax times again and then counts as failed', () => {
  const world = new World()
    .init('ash')
    .apply(job({}, 1))
    .settle(() => 'failed')
  assert.equal(ends(world), ['failed', 'failed', 'failed'])
})

test('restarts inside a pod count as attempts', () => {
  const world = new World()
    .init('ash')
    .apply(job({ attemptsMax: 3 }, 1))
    .settle()
  world.report(world.slot('job.1'), { state: 'failed', restarts: 3 })
  assert.equal(ends(world.settle(() => 'failed')), ['failed'])
})

test('policy never tries once; without a limit it is tried until it succeeds', () => {
  assert.is(
    ends(
      new World()
        .init('ash')
        .apply(job({ policy: 'never' }, 1))
        .settle(() => 'failed'),
    ).length,
    1,
  )
  let tries = 0
  const world = new World().init('ash').apply(job({ attemptsMax: null }, 1))
  world.settle(() => (++tries < 30 ? 'failed' : 'succeeded'))
  assert.is(tries, 30)
  assert.is(ends(world).at(-1), 'succeeded')
})

test('a lost pod is run again and is no failed attempt', () => {
  const world = new World()
    .init('ash', 'birch')
    .apply(job({ policy: 'never' }, 2))
    .settle()
  world.verdict('ash', 'dead').settle(() => 'succeeded')
  assert.equal(world.pods('job').filter(pod => pod.state === 'succeeded').length, 2)
})

test('a drained node ends its batch pods before they start elsewhere', () => {
  const world = new World()
    .init('ash', 'birch')
    .apply(job({}, 2))
    .settle()
    .ok({ type: 'node/Drain', id: id('ash') })
  for (let round = 0; round < 20; round++) {
    world.step()
    assert.ok(world.live('job').length <= 2)
    world.obey()
  }
  assert.equal(world.spread('job'), { ash: 0, birch: 2 })
})

test('slots that are given up are counted, those that will be tried again are not', () => {
  const world = new World().init('ash')
  const restart = { policy: 'on-failure', backoffMs: 0, backoffMsMax: 0, attemptsMax: 1 } as const
  world.apply({ kind: 'batch', count: 2, restart }).step()
  const countNow = () => countGivenUp(world.state, world.state.workloads.get('web')!)
  world.report(world.slot('web.1'), { state: 'failed', restarts: 0 })
  assert.is(countNow(), 0)
  world.settle(pod => (pod.slot === 1 ? 'failed' : 'succeeded'))
  assert.is(countNow(), 1)
  world.ok({ type: 'workload/Scale', name: 'web', count: 0 })
  assert.is(countNow(), 0)
})

test.run()
