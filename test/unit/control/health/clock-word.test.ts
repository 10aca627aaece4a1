import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { clockMetadata, nextClockWord, skewMsOf } from '../../../../node/control/health/clock-word.ts'

test('a clock that agrees is not spoken of, and one that differs by a power of two', () => {
  assert.is(nextClockWord(0, null), 0)
  assert.is(nextClockWord(0, 200), 0)
  assert.is(nextClockWord(0, 300), 256)
  assert.is(nextClockWord(0, -3_100), -4_096)
})

test('the word stays while it fits, and is given up well below where it began', () => {
  assert.is(nextClockWord(1_024, 1_900), 1_024)
  assert.is(nextClockWord(1_024, 2_100), 2_048)
  assert.is(nextClockWord(1_024, -1_024), -1_024)
  assert.is(nextClockWord(256, 130), 256)
  assert.is(nextClockWord(256, 120), 0)
  assert.is(nextClockWord(256, null), 256, 'nobody to ask is no news')
})

test('what is said can be read, and nonsense says nothing', () => {
  const told = (metadata: Readonly<Record<string, string>>) =>
    skewMsOf({ id: 'n', incarnation: 1, state: 'alive', addresses: [], metadata })
  for (const word of [0, 512, -65_536, nextClockWord(0, 1e20)]) assert.is(told(clockMetadata(word)), word)
  for (const skewMs of ['', 'x', '1e9', '99999999999999', '--1']) assert.is(told({ skewMs }), 0)
  assert.is(skewMsOf(undefined), 0)
})

test.run()
