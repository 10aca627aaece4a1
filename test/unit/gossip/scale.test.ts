// The protocol at scale, on virtual time: `npm run bench -- membership-scale` does the same with a thousand members.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { acquaintances, alarms, detection, joining, median, traffic } from '../../harness/fleet/trials.ts'

const SEEDS = [0, 1, 2, 3, 4]
const MINUTE_MS = 60_000
const each = (size: number, measure: (trial: { size: number; seed: number; lossRate: number }) => number) =>
  median(SEEDS.map(seed => measure({ size, seed, lossRate: 0 })))

test('a frozen member is known to all of a hundred hardly later than to all of ten, and within 2 s', () => {
  const [ten, hundred] = [10, 100].map(size => each(size, trial => detection(trial, 'freeze').allMs))
  assert.ok(hundred! < 1.5 * ten! && hundred! < 2_000, `${ten} and ${hundred} ms`)
})

test('a killed member is known to all of a hundred within 150 ms', () => {
  const hundred = each(100, trial => detection(trial, 'crash').allMs)
  assert.ok(hundred < 150, `${hundred} ms`)
})

test('failures are found, and nobody else is blamed, while a tenth of all messages is lost', () => {
  for (const seed of SEEDS) {
    const { allMs, falseDeaths } = detection({ size: 50, seed, lossRate: 0.1 }, 'freeze')
    assert.ok(allMs < 4_000, `seed ${seed}: ${allMs} ms`)
    assert.is(falseDeaths, 0, `seed ${seed}`)
  }
})

test('a join is complete in a time that grows no faster than the logarithm of the size', () => {
  const [few, many] = [20, 200].map(size => each(size, joining))
  assert.ok(many! <= (few! * Math.log(200)) / Math.log(20), `${few} and ${many} ms`)
})

test('a member of a hundred sends no more bytes per second than one of ten', () => {
  const [ten, hundred] = [10, 100].map(size => traffic({ size, seed: 1, lossRate: 0 }, 20_000).mean)
  assert.ok(hundred! < 1.2 * ten!, `${ten} and ${hundred} bytes/s`)
})

for (const kind of ['late', 'standing'] as const)
  test(`no healthy member is held dead while a tenth of all messages is lost and one in twenty is ${kind} by 2 s`, () => {
    const found = alarms({
      size: 20,
      seed: 1,
      lossRate: 0.1,
      forMs: 15 * MINUTE_MS,
      slowShare: 0.05,
      slowness: { kind, ms: 2_000 },
      isLifeguardOff: false,
    })
    assert.is(found.ofHealthy, 0)
    assert.ok(found.doubts > 0, 'there was something to be wrong about')
  })

test('in a calm cluster of two hundred everybody speaks with two times log n others', () => {
  const { most, dialled } = acquaintances({ size: 200, seed: 1, lossRate: 0 }, 30_000)
  assert.ok(most <= 16, `${most} connections`)
  assert.is(dialled, 0)
})

test('the same seed gives the same history', () => {
  const history = () => detection({ size: 30, seed: 5, lossRate: 0.1 }, 'freeze')
  assert.equal(history(), history())
})

test.run()
