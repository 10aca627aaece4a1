import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { watchClocks } from '../../node/clock-watch.ts'
import { virtualClock } from '../harness/virtual-clock.ts'

/** Each answers at once; those that are not listed do not. */
const watched = (aheadMs: Readonly<Record<string, number>>, connected: readonly string[]) => {
  const clock = virtualClock(1_000_000)
  const asked: string[] = []
  const watch = watchClocks({
    peers: {
      wallMs: async ({ id }) => {
        asked.push(id)
        const ahead = aheadMs[id]
        if (ahead === undefined) throw new Error('it does not answer')
        return clock.wallMs() + ahead
      },
    },
    connected: () => new Set(connected),
    clock,
    random: () => 0.5,
  })
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await new Promise(resolve => setImmediate(resolve))
  }
  return { watch, asked, pass }
}

test('a few connected peers are asked again and again, and the median tells', async () => {
  const { watch, asked, pass } = watched({ b: -2_000, c: -2_000, d: 0 }, ['b', 'c', 'd'])
  assert.is(watch.skewMs(), null)
  await pass(2_000)
  assert.equal(asked.sort(), ['b', 'c', 'd'])
  assert.is(watch.skewMs(), 2_000)
  await pass(30_000)
  assert.is(asked.length, 6)
})

test('in a large cluster no more than five are asked at a time', async () => {
  const names = Array.from({ length: 40 }, (_, at) => `n${at}`)
  const { asked, pass } = watched(Object.fromEntries(names.map(name => [name, 0])), names)
  await pass(2_000)
  assert.is(asked.length, 5)
})

test('whoever does not answer counts for nothing, and nobody is asked after the end', async () => {
  const { watch, asked, pass } = watched({ b: 500 }, ['b', 'mute'])
  await pass(2_000)
  assert.is(watch.skewMs(), -500)
  watch.stop()
  await pass(300_000)
  assert.is(asked.length, 2)
  assert.is(watch.skewMs(), null, 'and what was said grows old')
})

test.run()
