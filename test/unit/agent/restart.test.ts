import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { engineDelayMs, restartDelayMs, sequelOf } from '../../../node/agent/restart.ts'
import type { RestartPolicy } from '../../../scheduler/index.ts'

const policyOf = (policy: RestartPolicy['policy'], attemptsMax: number | null = null): RestartPolicy => ({
  policy,
  backoffMs: 1_000,
  backoffMsMax: 30_000,
  attemptsMax,
})

test('exit code 0 is a success, except where the container is to run always', () => {
  assert.is(sequelOf(policyOf('never'), 0, 0), 'succeeded')
  assert.is(sequelOf(policyOf('on-failure'), 0, 0), 'succeeded')
  assert.is(sequelOf(policyOf('always'), 0, 0), 'restart')
})

test('a failure is final under never, and otherwise followed by a restart', () => {
  for (const exitCode of [1, 137, null]) {
    assert.is(sequelOf(policyOf('never'), exitCode, 0), 'failed')
    assert.is(sequelOf(policyOf('on-failure'), exitCode, 99), 'restart')
    assert.is(sequelOf(policyOf('always'), exitCode, 99), 'restart')
  }
})

test('the attempts allowed are restarts: the next end after them is final', () => {
  assert.is(sequelOf(policyOf('always', 2), 1, 1), 'restart')
  assert.is(sequelOf(policyOf('always', 2), 1, 2), 'failed')
  assert.is(sequelOf(policyOf('on-failure', 0), 1, 0), 'failed')
  assert.is(sequelOf(policyOf('on-failure', 0), 0, 0), 'succeeded')
})

test('the delay doubles up to its maximum and stays a number for ever', () => {
  const delays = [0, 1, 2, 3, 4, 5, 6, 10_000].map(restarts => restartDelayMs(policyOf('always'), restarts))
  assert.equal(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  assert.equal([0, 1, 2, 5, 10_000].map(engineDelayMs), [500, 1_000, 2_000, 10_000, 10_000])
})

test.run()
