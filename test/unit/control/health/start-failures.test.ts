// A pod that fails everywhere is its workload's fault; one that fails on one node only is the node's.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startFailuresOf } from '../../../../node/control/health/start-failures.ts'
import { id, World } from '../../scheduler/fixtures.ts'

const failuresOn = (world: World, name = 'ash'): readonly string[] =>
  startFailuresOf(world.state, world.nowMs).get(id(name)) ?? []

/** Three pods run, one on each node; that of ash has ended like this. */
const world = (ranMs: number): World => {
  const all = new World().init('ash', 'birch', 'cedar').apply().settle()
  const pod = all.running().find(({ node }) => node === id('ash'))
  assert.ok(pod)
  all.wait(ranMs)
  return all.report(pod, { state: 'failed', reason: 'exit code 127' })
}

test('a pod that fails at once where others of its workload run counts against the node', () => {
  const all = world(1_000)
  assert.equal(failuresOn(all), ['web'])
  assert.equal(failuresOn(all, 'birch'), [])
  all.wait(600_000)
  assert.equal(failuresOn(all), [], 'it is forgotten')
})

test('one that ran for a while and then failed does not', () => {
  assert.equal(failuresOn(world(60_000)), [])
})

test('what fails everywhere counts against nobody', () => {
  const all = new World().init('ash', 'birch', 'cedar').apply()
  all.step()
  all.obey(() => 'failed')
  for (const name of ['ash', 'birch', 'cedar']) assert.equal(failuresOn(all, name), [])
})

test('one that restarts again and again and does not become ready counts, and no more when it is', () => {
  const all = new World().init('ash', 'birch', 'cedar').apply().settle()
  const pod = all.running().find(({ node }) => node === id('ash'))
  assert.ok(pod)
  all.report(pod, { state: 'running', health: 'unhealthy', restarts: 2 })
  assert.equal(failuresOn(all), [])
  all.report(pod, { state: 'running', health: 'unhealthy', restarts: 3 })
  assert.equal(failuresOn(all), ['web'])
  all.report(pod, { state: 'running', health: 'healthy', restarts: 3 })
  assert.equal(failuresOn(all), [])
})

test('a node on which another pod of the workload runs well is not at fault', () => {
  const all = new World().init('ash', 'birch').apply({ count: 4 }).settle()
  const [pod] = all.running().filter(({ node }) => node === id('ash'))
  assert.ok(pod)
  all.report(pod, { state: 'failed', reason: 'exit code 127' })
  assert.equal(failuresOn(all), [])
})

test.run()
