import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { steadyBehavior } from '../../../node/runtime/fake-host.ts'
import { isEnded, type PodId } from '../../../scheduler/index.ts'
import { AgentWorld, containerSpec, workloadSpec } from '../../harness/agent-world.ts'
import { type Prng, prng } from '../../harness/prng.ts'

const SEEDS = 40
const SLOTS = 4
const ACTS = 60
const httpPort = { name: 'http', container: 0, host: null, protocol: 'tcp' } as const

const health = {
  type: 'tcp',
  port: 'http',
  intervalMs: 500,
  timeoutMs: 200,
  startPeriodMs: 500,
  threshold: 2,
} as const

/** A world whose containers are slow, fail to start and end by themselves until `calm` is called. */
const stormyWorld = (dice: Prng) => {
  let isCalm = false
  const world = new AgentWorld(() => {
    if (isCalm) return steadyBehavior
    const refusal = {
      at: dice.pick(['prepare', 'start'] as const),
      code: 'E_PORT_IN_USE',
      message: 'taken',
    } as const
    return {
      ...steadyBehavior,
      prepareMs: dice.between(1, 400),
      startMs: dice.between(1, 400),
      stopMs: dice.between(1, 1_500),
      failure: dice.chance(0.2) ? refusal : null,
      exit: dice.chance(0.4)
        ? { afterMs: dice.between(0, 900), code: dice.between(0, 2), outOfMemory: false }
        : null,
    }
  })
  const containers = [containerSpec({ ports: [httpPort], health }), containerSpec({ name: 'side' })]
  const restart = { policy: 'always', backoffMs: 100, backoffMsMax: 800, attemptsMax: null } as const
  const spec = workloadSpec({ count: SLOTS, restart, pod: { labels: {}, containers } })
  world.must({ type: 'workload/Apply', spec, checkIndex: null })
  const calm = () => {
    isCalm = true
    world.host.setAvailable(true)
    world.log.isReachable = true
    if (world.system === null) world.boot()
  }
  return { world, calm }
}

const liveIn = (world: AgentWorld, slot: number): PodId | null => {
  const pods = [...world.log.state().pods.values()]
  return pods.find(pod => pod.slot === slot && !isEnded(pod.state))?.id ?? null
}

const act = (world: AgentWorld, dice: Prng): void => {
  const slot = dice.between(1, SLOTS)
  const live = liveIn(world, slot)
  switch (dice.between(0, 9)) {
    case 0:
    case 1:
    case 8:
    case 9:
      if (live === null) world.assign('web', slot)
      return
    case 2:
      if (live !== null && dice.chance(0.5) && world.pod(live).desired === 'running') world.stopPod(live)
      return
    case 3: {
      const containers = world.host.containers()
      if (containers.length > 0) world.host.kill(dice.pick(containers).state.key, 1)
      return
    }
    case 4:
      world.host.setAvailable(dice.chance(0.7))
      return
    case 5:
      world.log.isReachable = dice.chance(0.7)
      return
    case 6:
      if (world.system === null) world.boot()
      else if (dice.chance(0.3)) world.kill()
      return
    default:
      if (dice.chance(0.2)) {
        world.kill()
        world.host.crash()
      }
  }
}

const expectPeace = (world: AgentWorld, seed: number): void => {
  const wanted: string[] = []
  for (const pod of world.log.state().pods.values()) {
    const name = `${pod.workload}.${pod.slot}`
    if (pod.desired === 'stopped') assert.is(pod.state, 'stopped', `seed ${seed}: ${name} has stopped`)
    if (isEnded(pod.state)) continue
    wanted.push(`${name}/main running`, `${name}/side running`)
    assert.is(pod.state, 'running', `seed ${seed}: ${name} runs (${pod.reason})`)
    assert.is(pod.health, 'healthy', `seed ${seed}: ${name} is healthy (${pod.reason})`)
    const runtimeIds = world.host
      .containers()
      .filter(({ state }) => state.key.pod === pod.id)
      .map(({ state }) => state.runtimeId)
      .sort()
    assert.equal(
      pod.containers.map(status => status.runtimeId).sort(),
      runtimeIds,
      `seed ${seed}: ${name}’s row is true`,
    )
  }
  assert.equal(world.containers(), wanted.sort(), `seed ${seed}: exactly what is wanted runs`)
}

test('after any storm the node runs exactly what it was assigned, and its rows say so', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const dice = prng(seed, 'agent-storm')
    const { world, calm } = stormyWorld(dice)
    world.boot()
    for (let n = 0; n < ACTS; n++) {
      act(world, dice)
      await world.run(dice.between(1, 40) * 10)
    }
    calm()
    await world.run(50_000)
    expectPeace(world, seed)
    world.kill()
  }
})

test.run()
