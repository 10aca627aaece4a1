import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { WakingTime } from '../../../node/consensus/measures/waking-time.ts'

const scene = () => {
  const at = { monotonicMs: 500, wallMs: 1_000_000 }
  const time = new WakingTime(1)
  const elapsedMs = () => time.ticks({ monotonicMs: () => at.monotonicMs, wallMs: () => at.wallMs })
  elapsedMs()
  return { at, elapsedMs }
}

test('it is the monotonic clock while both clocks run alike', () => {
  const { at, elapsedMs } = scene()
  at.monotonicMs += 25.4
  at.wallMs += 26
  assert.is(Math.round(elapsedMs() * 10), 254)
})

test('a sleep that only the wall clock shows is counted, once', () => {
  const { at, elapsedMs } = scene()
  at.monotonicMs += 1
  at.wallMs += 60_000
  assert.is(elapsedMs(), 60_000)
  at.monotonicMs += 10
  at.wallMs += 10
  assert.is(elapsedMs(), 60_010)
})

test('a wall clock that is set back takes nothing away, and hides no later sleep', () => {
  const { at, elapsedMs } = scene()
  at.monotonicMs += 10
  at.wallMs -= 3_600_000
  assert.is(elapsedMs(), 10)
  at.monotonicMs += 1
  at.wallMs += 30_000
  assert.is(elapsedMs(), 30_010)
})

test.run()
