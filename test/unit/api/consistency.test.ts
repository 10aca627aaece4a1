import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { consistencyText, parseConsistency } from '../../../node/api/consistency.ts'
import { createFreshness } from '../../../node/api/freshness.ts'

test('the three forms are understood, and nothing else is', () => {
  assert.is(parseConsistency('local'), 'local')
  assert.is(parseConsistency('linear'), 'linear')
  assert.equal(parseConsistency('bounded:500ms'), { ageMsMax: 500 })
  assert.equal(parseConsistency('bounded:1.5s'), { ageMsMax: 1_500 })
  assert.equal(parseConsistency('bounded:0'), { ageMsMax: 0 })
  for (const text of [
    '',
    'LOCAL',
    'bounded',
    'bounded:',
    'bounded:-1s',
    'bounded:soon',
    'bounded:1e9d',
    'stale',
  ])
    assert.is(parseConsistency(text), null, text)
})

test('it is written as it is read', () => {
  for (const text of ['local', 'linear', 'bounded:500ms'])
    assert.is(consistencyText(parseConsistency(text)!), text)
})

/** Barriers that are answered when the test says so, on clocks that it moves. */
const scene = () => {
  const waiting: { resolve(index: number): void; reject(thrown: Error): void }[] = []
  const at = { monotonicMs: 0, wallMs: 1_000_000 }
  const freshness = createFreshness(
    {
      barrier: () =>
        new Promise<number>((resolve, reject) => {
          waiting.push({ resolve, reject })
        }),
    },
    { monotonicMs: () => at.monotonicMs, wallMs: () => at.wallMs },
  )
  const pass = (ms: number): void => {
    at.monotonicMs += ms
    at.wallMs += ms
  }
  return { freshness, waiting, at, pass }
}

test('the proof is as old as the question, not as the answer', async () => {
  const { freshness, waiting, pass } = scene()
  assert.is(freshness.provenAgeMs(), null)
  const renewed = freshness.renew(1_000)
  pass(300)
  assert.is(freshness.provenAgeMs(), null, 'nothing is proven before the answer')
  waiting[0]!.resolve(7)
  await renewed
  assert.is(freshness.provenAgeMs(), 300)
})

test('an answer that comes late does not undo a newer one, and a failure proves nothing', async () => {
  const { freshness, waiting, pass } = scene()
  const first = freshness.renew(1_000)
  pass(100)
  const second = freshness.renew(1_000)
  waiting[1]!.resolve(8)
  await second
  waiting[0]!.resolve(7)
  await first
  assert.is(freshness.provenAgeMs(), 0)
  pass(50)
  const third = freshness.renew(1_000)
  waiting[2]!.reject(new Error('no leader'))
  await third.catch(() => undefined)
  assert.is(freshness.provenAgeMs(), 50)
})

test('a machine that slept counts its sleep, though its monotonic clock stood still', async () => {
  const { freshness, waiting, at } = scene()
  const renewed = freshness.renew(1_000)
  waiting[0]!.resolve(7)
  await renewed
  at.wallMs += 3_600_000
  assert.is(freshness.provenAgeMs(), 3_600_000)
  at.wallMs -= 7_200_000
  at.monotonicMs += 20
  assert.is(freshness.provenAgeMs(), 20, 'a wall clock that was set back proves nothing')
})

test.run()
