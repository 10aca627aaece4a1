/** What an agent makes of a pod's past: its own template during an update, and the reasons it tells. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { AgentWorld, containerSpec, workloadSpec } from '../../harness/agent-world.ts'

const check = {
  type: 'tcp',
  port: 'http',
  intervalMs: 1_000,
  timeoutMs: 500,
  startPeriodMs: 0,
  threshold: 3,
} as const

const httpPort = { name: 'http', container: 0, host: null, protocol: 'tcp' } as const
const checked = { pod: { labels: {}, containers: [containerSpec({ ports: [httpPort], health: check })] } }

const worldWith = (over: Parameters<typeof workloadSpec>[0] = {}) => {
  const world = new AgentWorld()
  world.must({ type: 'workload/Apply', spec: workloadSpec(over), checkIndex: null })
  return world
}

test('in the middle of an update a restarted node checks and restarts older pods by their own template', async () => {
  const world = worldWith(checked)
  world.boot()
  const id = world.assign('web')
  await world.run(500)
  assert.is(world.pod(id).health, 'healthy')
  const newer = [containerSpec({ command: ['serve', '--newer'] })]
  const spec = workloadSpec({ pod: { labels: {}, containers: newer } })
  world.must({ type: 'workload/Apply', spec, checkIndex: null })
  world.kill()
  world.boot()
  await world.run(200)
  assert.equal(world.containers(), ['web.1/main running'])
  assert.is(world.pod(id).health, 'healthy')
  assert.is(world.pod(id).restarts, 0)
  world.host.kill(world.host.containers()[0]!.state.key, 1)
  await world.run(2_000)
  const pod = world.pod(id)
  assert.is(pod.generation, 1)
  assert.is(pod.restarts, 1)
  assert.is(pod.health, 'healthy', 'the new run was checked again')
  assert.equal(world.host.containers()[0]?.run.spec.command, ['serve'])
})

test('what was wrong is told as the past once the pod runs again, and forgotten when it has run well', async () => {
  const world = worldWith()
  world.boot()
  const id = world.assign('web')
  await world.run(500)
  world.host.kill(world.host.containers()[0]!.state.key, 7)
  await world.run(500)
  assert.is(world.pod(id).reason, 'exited with code 7; tried again after 1 s')
  await world.run(1_500)
  assert.is(world.pod(id).reason, 'last run: exited with code 7')
  await world.run(9_000)
  assert.is(world.pod(id).reason, null)
})

test('why a pod is stopped is not hidden by what was wrong with it', async () => {
  const world = worldWith()
  world.boot()
  const id = world.assign('web')
  await world.run(500)
  world.host.kill(world.host.containers()[0]!.state.key, 7)
  await world.run(500)
  world.stopPod(id)
  await world.run(500)
  assert.is(world.pod(id).state, 'stopped')
  assert.is(world.pod(id).reason, 'scale')
})

test.run()
