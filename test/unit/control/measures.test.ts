// What a node says in gossip of how it fares: at once when it is rare, merged and seldom when it is not.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LOOK_MS, Measures, pauseMsOf } from '../../../node/control/measures.ts'

const calm = { size: 5, diskMs: 4, skewMs: 0 }

test('nothing is said while nothing has changed by much', () => {
  const measures = new Measures()
  assert.not(measures.look({ nowMs: 0, size: 5, diskMs: null, skewMs: null }))
  assert.equal(measures.metadata(), {})
  assert.ok(measures.look({ nowMs: LOOK_MS, ...calm }))
  assert.equal(measures.metadata(), { diskMs: '4' })
  assert.not(measures.look({ nowMs: 9 * LOOK_MS, ...calm, diskMs: 6, skewMs: 200 }))
})

test('what changes before it is time goes into one word', () => {
  const measures = new Measures()
  const size = 160
  assert.is(pauseMsOf(size), 10 * LOOK_MS)
  assert.ok(measures.look({ nowMs: 0, ...calm, size }))
  assert.not(measures.look({ nowMs: LOOK_MS, ...calm, size, diskMs: 64 }))
  assert.not(measures.look({ nowMs: 5 * LOOK_MS, ...calm, size, diskMs: 64, skewMs: 1_000 }))
  assert.equal(measures.metadata(), { diskMs: '4' })
  assert.ok(measures.look({ nowMs: 10 * LOOK_MS, ...calm, size, diskMs: 64, skewMs: 1_000 }))
  assert.equal(measures.metadata(), { diskMs: '64', skewMs: '1024' })
})

test('what passes before it is time is not said', () => {
  const measures = new Measures()
  measures.look({ nowMs: 0, ...calm, size: 160 })
  assert.not(measures.look({ nowMs: LOOK_MS, ...calm, size: 160, diskMs: 500 }))
  assert.not(measures.look({ nowMs: 60 * LOOK_MS, ...calm, size: 160 }))
})

test('after a long time a change is said at the next look, however large the cluster', () => {
  const measures = new Measures()
  measures.look({ nowMs: 0, ...calm, size: 1_000 })
  assert.ok(measures.look({ nowMs: pauseMsOf(1_000), ...calm, size: 1_000, diskMs: 500 }))
})

test('all nodes together say no more a second with a thousand of them than with sixteen', () => {
  const wordsPerSecond = (size: number): number => {
    const measures = new Measures()
    const forMs = 10 * pauseMsOf(1_000)
    let words = 0
    // Everything changes all the time.
    for (let nowMs = 0; nowMs < forMs; nowMs += LOOK_MS)
      words += measures.look({ nowMs, size, diskMs: nowMs % (2 * LOOK_MS) === 0 ? 4 : 400, skewMs: 0 })
        ? 1
        : 0
    return (size * words * 1_000) / forMs
  }
  const few = wordsPerSecond(16)
  for (const size of [100, 1_000])
    assert.ok(wordsPerSecond(size) <= 1.1 * few, `${wordsPerSecond(size)} of ${few}`)
})

test.run()
