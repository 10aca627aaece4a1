import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ENDED_KEPT_PER_SLOT, type PodId } from '../../../scheduler/index.ts'
import { id, World } from './fixtures.ts'

const oneRunning = (): World => new World().init('ash', 'birch').apply({ count: 1 }).settle()

test('a report about a pod of another node, an unknown or an ended pod is ignored', () => {
  const world = oneRunning()
  const pod = world.slot('web.1')
  const stranger = world.node('ash').id === pod.node ? id('birch') : id('ash')
  const report = {
    id: pod.id,
    state: 'failed',
    health: 'none',
    restarts: 0,
    reason: null,
    containers: [],
  } as const
  world.ok({ type: 'pod/Report', node: stranger, reports: [report] })
  world.ok({ type: 'pod/Report', node: pod.node, reports: [{ ...report, id: 'ghost' as PodId }] })
  assert.is(world.slot('web.1'), pod)
  world.report(pod, { state: 'failed' }).report(pod, { state: 'running' })
  assert.is(world.state.pods.get(pod.id)?.state, 'failed')
})

test('a state never goes back, and a node cannot say that its pod is lost', () => {
  const world = oneRunning()
  const pod = world.slot('web.1')
  world.report(pod, { state: 'preparing' }).report(pod, { state: 'lost' })
  assert.is(world.slot('web.1'), pod)
})

test('health and restarts are told while the state stays', () => {
  const world = oneRunning()
  world.report(world.slot('web.1'), { health: 'unhealthy', reason: 'timeout' })
  world.report(world.slot('web.1'), { health: 'healthy', restarts: 1, reason: null })
  assert.equal(world.told('pod/web.1'), ['assigned', 'running', 'unhealthy', 'restarted', 'healthy'])
  assert.is(world.slot('web.1').reason, null)
  world.report(world.slot('web.1'), { restarts: 0 })
  assert.is(world.slot('web.1').restarts, 1)
})

test('a report without news changes no row and tells nothing', () => {
  const world = oneRunning()
  const pod = world.slot('web.1')
  const told = world.events.length
  world.report(pod)
  assert.is(world.slot('web.1'), pod)
  assert.is(world.events.length, told)
})

test('the reason for a stop outlives the reports that follow it', () => {
  const world = oneRunning().ok({ type: 'workload/Scale', name: 'web', count: 0 })
  world.step()
  const pod = world.live('web')[0]!
  world.report(pod, { state: 'stopping', reason: null })
  assert.is(world.state.pods.get(pod.id)?.reason, 'scaled down to 0')
  world.report(pod, { state: 'stopped', reason: 'killed after 10 s' })
  assert.is(world.state.pods.get(pod.id)?.reason, 'killed after 10 s')
})

test('a slot keeps its last ended pods only, and a slot beyond the count one', () => {
  const world = oneRunning()
  for (let i = 0; i < 9; i++) {
    world.wait(100_000)
    world.report(world.slot('web.1'), { state: 'failed' })
    world.wait(100_000)
    world.settle()
  }
  assert.is(world.pods('web').length, ENDED_KEPT_PER_SLOT + 1)
  world.ok({ type: 'workload/Scale', name: 'web', count: 0 }).settle()
  assert.is(world.pods('web').length, 1)
})

test.run()
