import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { age, bytes, cores, elapsed, parseDuration, span } from '../../../cli/output/time.ts'

test('durations are read with their unit, a bare number is seconds', () => {
  const cases: readonly (readonly [string, number | null])[] = [
    ['500ms', 500],
    ['5s', 5000],
    ['1.5m', 90_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['30', 30_000],
    ['0', 0],
    ['', null],
    ['5 s', null],
    ['-1s', null],
    ['1w', null],
    ['1e3s', null],
  ]
  for (const [text, ms] of cases) assert.is(parseDuration(text), ms, text)
})

test('what took long is told in minutes', () => {
  assert.is(elapsed(350), '0.3s')
  assert.is(elapsed(14_240), '14.2s')
  assert.is(elapsed(125_000), '2m05s')
})

test('a span is told in the largest unit that says it', () => {
  const minute = 60_000
  assert.equal(
    [45_000, 90_000, 5 * minute, 3_599_950, 90 * minute, 24 * 60 * minute, 10_080 * minute].map(span),
    ['45s', '90s', '5m', '1h', '90m', '1d', '7d'],
  )
})

test('an age has one unit', () => {
  assert.equal([-5, 7_000, 119_000, 240_000, 3 * 3_600_000, 12 * 86_400_000].map(age), [
    '0s',
    '7s',
    '119s',
    '4m',
    '3h',
    '12d',
  ])
})

test('sizes are binary and cores are short', () => {
  assert.equal([0, 1023, 1024, 1536, 128 * 2 ** 20, 7.6 * 2 ** 30].map(bytes), [
    '0B',
    '1023B',
    '1K',
    '1.5K',
    '128M',
    '7.6G',
  ])
  assert.equal([0, 500, 4000, 1234].map(cores), ['0', '0.5', '4', '1.23'])
})

test.run()
