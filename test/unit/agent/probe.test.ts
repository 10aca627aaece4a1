import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createActorSystem } from '../../../node/actor/system.ts'
import { type ProbeFact, probeActor } from '../../../node/agent/probe.actor.ts'
import type { ProbeResult } from '../../../node/agent/prober.ts'
import { silentLog } from '../../../node/log.ts'
import type { HealthCheck } from '../../../scheduler/index.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const target = {
  key: { cluster: 'c', node: 'n', pod: 'p', podName: 'web.1', container: 'main' },
  address: '127.0.0.1',
  ports: {},
}

const checkWith = (over: Partial<HealthCheck> = {}): HealthCheck =>
  ({
    type: 'tcp',
    port: 'http',
    intervalMs: 2_000,
    timeoutMs: 500,
    startPeriodMs: 0,
    threshold: 3,
    ...over,
  }) as HealthCheck

const flush = () => new Promise(resolve => setImmediate(resolve))

/** Runs a check for `forMs` against a truth over time; returns when it was asked and what was told. */
const watch = async (check: HealthCheck, isWell: (atMs: number) => boolean, forMs: number) => {
  const clock = virtualClock()
  const asked: number[] = []
  const told: string[] = []
  const prober = {
    async probe(): Promise<ProbeResult> {
      asked.push(clock.monotonicMs())
      return { ok: isWell(clock.monotonicMs()), text: 'no answer' }
    },
  }
  const owner = {
    path: 'owner',
    send: (fact: ProbeFact) => void told.push(`${clock.monotonicMs()} ${fact.verdict}`),
  }
  const system = createActorSystem({ clock, random: () => 0, log: silentLog })
  system.spawn('probe', () => probeActor({ check, target, runtimeId: 'r1', prober, owner }))
  for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs += 10) {
    await flush()
    clock.advance(10)
  }
  system.stop()
  return { asked, told }
}

test('the first question comes at once, and the next ones quickly until the first success', async () => {
  const { asked, told } = await watch(checkWith({ intervalMs: 10_000 }), atMs => atMs >= 700, 1_500)
  assert.is(asked[0], 0)
  assert.ok(asked.every((atMs, n) => n === 0 || atMs - (asked[n - 1] ?? 0) <= 150))
  assert.is(told.at(-1), '750 healthy')
})

test('after the first success questions keep to the interval', async () => {
  const { asked } = await watch(checkWith({ intervalMs: 1_000 }), () => true, 3_500)
  assert.equal(asked, [0, 1_000, 2_000, 3_000])
})

test('failures within the start period do not count', async () => {
  const check = checkWith({ startPeriodMs: 5_000, intervalMs: 500, threshold: 2 })
  const { told } = await watch(check, () => false, 4_900)
  assert.equal(told, ['0 failing'])
})

test('after the start period as many failures as the threshold, an interval apart, are the verdict', async () => {
  const check = checkWith({ startPeriodMs: 3_000, intervalMs: 1_000, threshold: 3 })
  const { told } = await watch(check, () => false, 5_500)
  assert.equal(told, ['0 failing', '5100 unhealthy'])
})

test('quick questions do not make failures count faster', async () => {
  const check = checkWith({ startPeriodMs: 0, intervalMs: 2_000, threshold: 3 })
  const { told } = await watch(check, () => false, 4_500)
  assert.equal(told, ['0 failing', '4200 unhealthy'])
})

test('a success ends the start period early', async () => {
  const check = checkWith({ startPeriodMs: 60_000, intervalMs: 1_000, threshold: 2 })
  const { told } = await watch(check, atMs => atMs < 1_500, 4_000)
  assert.equal(told, ['0 healthy', '3000 unhealthy'])
})

test('a success between failures starts the count anew', async () => {
  const check = checkWith({ intervalMs: 1_000, threshold: 2 })
  const { told } = await watch(check, atMs => Math.floor(atMs / 1_000) % 2 === 0, 8_000)
  assert.equal(told, ['0 healthy'])
})

test('a recovery after the verdict is told', async () => {
  const check = checkWith({ intervalMs: 1_000, threshold: 2 })
  const { told } = await watch(check, atMs => atMs < 500 || atMs >= 3_000, 4_000)
  assert.equal(told, ['0 healthy', '2000 unhealthy', '3000 healthy'])
})

test.run()
