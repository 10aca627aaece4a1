import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { steadyBehavior } from '../../../node/runtime/fake-host.ts'
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

const worldWith = (
  over: Parameters<typeof workloadSpec>[0] = {},
  behaviorOf: ConstructorParameters<typeof AgentWorld>[0] = () => steadyBehavior,
) => {
  const world = new AgentWorld(behaviorOf)
  world.must({ type: 'workload/Apply', spec: workloadSpec(over), checkIndex: null })
  return world
}

const checked = { pod: { labels: {}, containers: [containerSpec({ ports: [httpPort], health: check })] } }

test('an assigned pod is started and reported running', async () => {
  const world = worldWith()
  world.boot()
  const id = world.assign('web')
  await world.run(300)
  const pod = world.pod(id)
  assert.is(pod.state, 'running')
  assert.is(pod.health, 'none')
  assert.is(pod.reason, null)
  assert.equal(world.containers(), ['web.1/main running'])
  assert.equal(pod.containers, [
    { name: 'main', image: null, runtimeId: 'fake-1', state: 'running', exitCode: null },
  ])
})

test('a checked pod becomes healthy within a fraction of a second of being so', async () => {
  const world = worldWith(checked)
  world.boot()
  const id = world.assign('web')
  await world.run(100)
  assert.is(world.pod(id).health, 'starting')
  await world.run(300)
  assert.is(world.pod(id).health, 'healthy')
})

test('nothing is started or ended before the replica has caught up', async () => {
  const world = worldWith()
  world.isReady = false
  world.boot()
  world.assign('web')
  await world.run(500)
  assert.equal(world.containers(), [])
  world.agent?.send({ type: 'agent/Ready' })
  await world.run(500)
  assert.equal(world.containers(), ['web.1/main running'])
})

test('a restarted node adopts what runs, without a restart and without losing its health', async () => {
  const world = worldWith(checked)
  world.boot()
  const id = world.assign('web')
  await world.run(1_000)
  world.host.kill(world.host.containers()[0]!.state.key, 1)
  await world.run(3_000)
  assert.is(world.pod(id).restarts, 1)
  const before = world.pod(id)
  world.kill()
  world.log.submitted = []
  world.boot()
  await world.run(3_000)
  assert.is(world.pod(id).containers[0]?.runtimeId, before.containers[0]?.runtimeId)
  assert.is(world.pod(id).restarts, 1)
  const healths = world.log.submitted.flatMap(command =>
    command.type === 'pod/Report' ? command.reports.map(report => report.health) : [],
  )
  assert.not.ok(healths.some(health => health !== 'healthy'))
})

test('an exit that happened while the node was down is found and followed by a restart', async () => {
  const world = worldWith()
  world.boot()
  const id = world.assign('web')
  await world.run(500)
  world.kill()
  world.host.kill(world.host.containers()[0]!.state.key, 7)
  await world.run(100)
  world.boot()
  await world.run(500)
  assert.match(world.pod(id).reason ?? '', /exited with code 7/)
  await world.run(1_500)
  assert.is(world.pod(id).restarts, 1)
  assert.equal(world.containers(), ['web.1/main running'])
})

test('a service that ends well is restarted all the same', async () => {
  const behaviorOf = (_: unknown, startCount: number) =>
    startCount === 0
      ? { ...steadyBehavior, exit: { afterMs: 100, code: 0, outOfMemory: false } }
      : steadyBehavior
  const world = worldWith({}, behaviorOf)
  world.boot()
  const id = world.assign('web')
  await world.run(2_000)
  assert.is(world.pod(id).state, 'running')
  assert.is(world.pod(id).restarts, 1)
})

test('the reason says that memory ran out', async () => {
  const behaviorOf = () => ({ ...steadyBehavior, exit: { afterMs: 100, code: 137, outOfMemory: true } })
  const world = worldWith({}, behaviorOf)
  world.boot()
  const id = world.assign('web')
  await world.run(400)
  assert.match(world.pod(id).reason ?? '', /exited with code 137: out of memory; tried again after 1 s/)
  assert.is(world.pod(id).health, 'unhealthy')
})

test('a batch pod that exits 0 has succeeded and keeps its container for the logs', async () => {
  const behaviorOf = () => ({ ...steadyBehavior, exit: { afterMs: 100, code: 0, outOfMemory: false } })
  const restart = { policy: 'on-failure', backoffMs: 100, backoffMsMax: 1_000, attemptsMax: 2 } as const
  const world = worldWith({ kind: 'batch', restart }, behaviorOf)
  world.boot()
  const id = world.assign('web')
  await world.run(500)
  assert.is(world.pod(id).state, 'succeeded')
  assert.equal(world.containers(), ['web.1/main exited'])
  world.must({ type: 'workload/Remove', name: 'web' })
  await world.run(200)
  assert.equal(world.containers(), [])
})

test('after as many restarts as allowed the pod fails with the last reason', async () => {
  const behaviorOf = () => ({ ...steadyBehavior, exit: { afterMs: 50, code: 3, outOfMemory: false } })
  const restart = { policy: 'on-failure', backoffMs: 100, backoffMsMax: 1_000, attemptsMax: 2 } as const
  const world = worldWith({ restart }, behaviorOf)
  world.boot()
  const id = world.assign('web')
  await world.run(3_000)
  const pod = world.pod(id)
  assert.is(pod.state, 'failed')
  assert.is(pod.restarts, 2)
  assert.is(pod.reason, 'exited with code 3')
})

test('a missing image is tried again, and the reason is visible all the while', async () => {
  const failure = {
    at: 'prepare',
    code: 'E_IMAGE_MISSING',
    message: 'The image nginx:9 is not there.',
  } as const
  const behaviorOf = () => ({ ...steadyBehavior, failure: isThere ? null : failure })
  let isThere = false
  const world = worldWith({}, behaviorOf)
  world.boot()
  const id = world.assign('web')
  for (let n = 0; n < 20; n++) {
    await world.run(200)
    assert.match(world.pod(id).reason ?? '', /The image nginx:9 is not there/)
    assert.is(world.pod(id).state, n === 0 ? world.pod(id).state : 'starting')
  }
  isThere = true
  await world.run(9_000)
  assert.is(world.pod(id).state, 'running')
  assert.is(world.pod(id).reason, null)
  assert.is(world.pod(id).restarts, 0)
})

test('an engine that is away is waited for, which is no failure of the pod', async () => {
  const restart = { policy: 'on-failure', backoffMs: 100, backoffMsMax: 1_000, attemptsMax: 1 } as const
  const world = worldWith({ restart })
  world.host.setAvailable(false)
  world.boot()
  const id = world.assign('web')
  await world.run(5_000)
  assert.match(world.pod(id).reason ?? '', /engine does not answer/)
  assert.is(world.pod(id).state, 'assigned')
  world.host.setAvailable(true)
  await world.run(1_500)
  assert.is(world.pod(id).state, 'running')
  assert.is(world.pod(id).restarts, 0)
})

test('an exit while the engine was away is noticed when it is back', async () => {
  const world = worldWith()
  world.boot()
  const id = world.assign('web')
  await world.run(500)
  world.host.setAvailable(false)
  world.host.kill(world.host.containers()[0]!.state.key, 9)
  await world.run(500)
  world.host.setAvailable(true)
  await world.run(2_000)
  assert.is(world.pod(id).restarts, 1)
  assert.equal(world.containers(), ['web.1/main running'])
})

test('a container that fails its health check is restarted with the check’s own words', async () => {
  const behaviorOf = (_: unknown, startCount: number) => ({
    ...steadyBehavior,
    isHealthy: (elapsedMs: number) => elapsedMs > 100 && (startCount > 0 || elapsedMs < 2_000),
  })
  const world = worldWith(checked, behaviorOf)
  world.boot()
  const id = world.assign('web')
  await world.run(1_900)
  assert.is(world.pod(id).health, 'healthy')
  await world.run(3_000)
  assert.is(world.pod(id).health, 'unhealthy')
  assert.match(world.pod(id).reason ?? '', /health check failed: tcp: no answer \(3 times\)/)
  await world.run(2_000)
  assert.is(world.pod(id).health, 'healthy')
  assert.is(world.pod(id).restarts, 1)
})

test('a pod that is not wanted is stopped with grace, reported and removed', async () => {
  const world = worldWith({}, () => ({ ...steadyBehavior, stopMs: 400 }))
  world.boot()
  const id = world.assign('web')
  await world.run(500)
  world.stopPod(id)
  await world.run(200)
  assert.is(world.pod(id).state, 'stopping')
  await world.run(500)
  assert.is(world.pod(id).state, 'stopped')
  assert.equal(world.containers(), [])
})

test('a pod stopped while it is being prepared leaves nothing behind', async () => {
  const world = worldWith({}, () => ({ ...steadyBehavior, prepareMs: 60_000 }))
  world.boot()
  const id = world.assign('web')
  await world.run(300)
  assert.is(world.pod(id).state, 'preparing')
  world.stopPod(id)
  await world.run(300)
  assert.is(world.pod(id).state, 'stopped')
  assert.equal(world.containers(), [])
})

test('a pod stopped while it is being started leaves nothing behind', async () => {
  const world = worldWith({}, () => ({ ...steadyBehavior, startMs: 1_000 }))
  world.boot()
  const id = world.assign('web')
  await world.run(300)
  assert.is(world.pod(id).state, 'starting')
  world.stopPod(id)
  await world.run(3_000)
  assert.is(world.pod(id).state, 'stopped')
  assert.equal(world.containers(), [])
})

test('a node that was dead ends what has been given to others meanwhile', async () => {
  const world = worldWith()
  world.boot()
  const id = world.assign('web')
  await world.run(500)
  world.kill()
  world.must({ type: 'node/Verdict', id: world.pod(id).node, state: 'dead', reason: 'silent' })
  world.must({
    type: 'plan/Apply',
    plan: { basedOnIndex: world.log.state().index, changes: [{ type: 'lose', pod: id, reason: 'dead' }] },
  })
  await world.run(100)
  assert.equal(world.containers(), ['web.1/main running'])
  world.boot()
  await world.run(500)
  assert.equal(world.containers(), [])
  assert.is(world.pod(id).state, 'lost')
})

test('a pod declared lost while its node still runs is ended without a report', async () => {
  const world = worldWith()
  world.boot()
  const id = world.assign('web')
  await world.run(500)
  world.must({ type: 'node/Verdict', id: world.pod(id).node, state: 'dead', reason: 'silent' })
  world.must({
    type: 'plan/Apply',
    plan: { basedOnIndex: world.log.state().index, changes: [{ type: 'lose', pod: id, reason: 'dead' }] },
  })
  world.log.submitted = []
  await world.run(500)
  assert.equal(world.containers(), [])
  assert.equal(world.log.submitted, [])
})

test('reports wait for a leader, and the latest one arrives', async () => {
  const world = worldWith()
  world.boot()
  world.log.isReachable = false
  const id = world.assign('web')
  await world.run(5_000)
  assert.is(world.pod(id).state, 'assigned')
  world.log.isReachable = true
  await world.run(3_500)
  assert.is(world.pod(id).state, 'running')
  const states = world.log.submitted.flatMap(command =>
    command.type === 'pod/Report' ? command.reports.map(report => report.state) : [],
  )
  assert.equal(states, ['running'])
})

test('a report that never reached the rows is sent again', async () => {
  const world = worldWith()
  world.boot()
  world.log.isForgetful = true
  const id = world.assign('web')
  await world.run(1_000)
  assert.is(world.pod(id).state, 'assigned')
  world.log.isForgetful = false
  await world.run(5_500)
  assert.is(world.pod(id).state, 'running')
  world.log.submitted = []
  await world.run(30_000)
  assert.equal(world.log.submitted, [])
})

test('a pod whose machine was restarted is started again in place and counts it', async () => {
  const world = worldWith()
  world.boot()
  const id = world.assign('web')
  await world.run(500)
  world.kill()
  world.host.crash()
  world.boot()
  await world.run(500)
  assert.is(world.pod(id).state, 'running')
  assert.is(world.pod(id).restarts, 1)
})

test('the others begin after the first container and follow it into a new network', async () => {
  const containers = [containerSpec(), containerSpec({ name: 'side' })]
  const world = worldWith({ pod: { labels: {}, containers } })
  world.boot()
  const id = world.assign('web')
  await world.run(65)
  assert.equal(world.containers(), ['web.1/main running'])
  await world.run(300)
  assert.equal(world.containers(), ['web.1/main running', 'web.1/side running'])
  assert.is(world.pod(id).state, 'running')
  const sideBefore = world.pod(id).containers[1]?.runtimeId
  world.host.kill(world.host.containers()[0]!.state.key, 1)
  await world.run(4_000)
  assert.equal(world.containers(), ['web.1/main running', 'web.1/side running'])
  assert.is.not(world.pod(id).containers[1]?.runtimeId, sideBefore)
})

test('the same story twice gives the same reports', async () => {
  const tell = async () => {
    const world = worldWith(checked, (_, startCount) => ({
      ...steadyBehavior,
      exit: startCount < 2 ? { afterMs: 700, code: 1, outOfMemory: false } : null,
    }))
    world.boot()
    for (let slot = 1; slot <= 3; slot++) world.assign('web', slot)
    await world.run(6_000)
    return world.log.submitted
  }
  assert.equal(await tell(), await tell())
})

test.run()
