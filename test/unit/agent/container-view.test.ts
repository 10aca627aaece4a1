import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type ContainerView,
  healthOf,
  laterState,
  reasonOf,
  reportOf,
  stateOf,
} from '../../../node/agent/container-view.ts'
import type { PodId } from '../../../scheduler/index.ts'

const view = (over: Partial<ContainerView> = {}): ContainerView => ({
  name: 'main',
  image: null,
  phase: 'running',
  runtimeId: 'r1',
  exitCode: null,
  health: 'none',
  restarts: 0,
  reason: null,
  ...over,
})

test('a pod runs when all its containers have, and has come as far as the best of them before', () => {
  assert.is(stateOf([view({ phase: 'waiting' })]), 'assigned')
  assert.is(stateOf([view({ phase: 'preparing' }), view({ phase: 'waiting' })]), 'preparing')
  assert.is(stateOf([view(), view({ phase: 'waiting' })]), 'starting')
  assert.is(stateOf([view(), view({ phase: 'done' })]), 'running')
  assert.is(stateOf([view({ phase: 'delayed', runtimeId: null })]), 'starting')
  assert.is(stateOf([view({ phase: 'delayed' })]), 'running')
})

test('a state never goes back', () => {
  assert.is(laterState('running', 'preparing'), 'running')
  assert.is(laterState('assigned', 'running'), 'running')
  assert.is(laterState('stopped', 'running'), 'stopped')
})

test('the pod is as healthy as its sickest container', () => {
  assert.is(healthOf([view(), view()]), 'none')
  assert.is(healthOf([view(), view({ health: 'healthy' })]), 'healthy')
  assert.is(healthOf([view({ health: 'healthy' }), view({ health: 'starting' })]), 'starting')
  assert.is(healthOf([view({ health: 'unhealthy' }), view({ health: 'starting' })]), 'unhealthy')
})

test('containers are named in the reason only where there are several', () => {
  assert.is(reasonOf([view()]), null)
  assert.is(reasonOf([view({ reason: 'pulling nginx' })]), 'pulling nginx')
  const several = [view({ reason: 'one' }), view({ name: 'side' }), view({ name: 'log', reason: 'two' })]
  assert.is(reasonOf(several), 'main: one; log: two')
})

test('a report sums the restarts and shows what each container is', () => {
  const views = [
    view({ restarts: 2 }),
    view({ name: 'side', phase: 'delayed', exitCode: 3, restarts: 1 }),
    view({ name: 'late', phase: 'waiting', runtimeId: null }),
  ]
  const report = reportOf({ id: 'p1' as PodId, state: 'running', reason: null }, views)
  assert.is(report.restarts, 3)
  assert.equal(
    report.containers.map(({ name, state, exitCode }) => [name, state, exitCode]),
    [
      ['main', 'running', null],
      ['side', 'exited', 3],
      ['late', 'waiting', null],
    ],
  )
})

test('however much an engine says, a report stays short', () => {
  const { reason } = reportOf({ id: 'p1' as PodId, state: 'failed', reason: 'no '.repeat(100_000) }, [])
  assert.is(reason?.length, 1_000)
})

test.run()
