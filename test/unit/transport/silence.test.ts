import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SILENT_MS_MAX, Silences } from '../../../node/transport/silence.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const world = () => {
  const clock = virtualClock()
  const asked: { readonly peer: string; readonly answer: () => void; readonly fail: () => void }[] = []
  const givenUp: string[] = []
  const silences = new Silences({
    clock,
    ask: peer =>
      new Promise((resolve, reject) => {
        asked.push({ peer, answer: () => resolve(null), fail: () => reject(new Error('no answer')) })
      }),
    giveUp: peer => givenUp.push(peer),
  })
  silences.start()
  return { clock, asked, givenUp, silences }
}

/** What was answered has been taken note of. */
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('a connection at rest is never asked', () => {
  const { clock, asked } = world()
  clock.advance(10 * SILENT_MS_MAX)
  assert.equal(asked, [])
})

test('who says something after each message is not asked', () => {
  const { clock, asked, silences } = world()
  for (let count = 0; count < 20; count++) {
    silences.sent('a')
    clock.advance(SILENT_MS_MAX / 4)
    silences.settled('a')
  }
  clock.advance(10 * SILENT_MS_MAX)
  assert.equal(asked, [])
})

test('who is sent more and more and says nothing is asked once, and given up without an answer', async () => {
  const { clock, asked, givenUp, silences } = world()
  for (let count = 0; count < 20; count++) {
    silences.sent('a')
    clock.advance(SILENT_MS_MAX / 4)
  }
  assert.equal(
    asked.map(({ peer }) => peer),
    ['a'],
  )
  assert.equal(givenUp, [])
  asked[0]?.fail()
  await settled()
  assert.equal(givenUp, ['a'])
})

test('an answer settles it until the next message', async () => {
  const { clock, asked, givenUp, silences } = world()
  silences.sent('a')
  clock.advance(2 * SILENT_MS_MAX)
  asked[0]?.answer()
  await settled()
  clock.advance(2 * SILENT_MS_MAX)
  assert.is(asked.length, 1)
  silences.sent('a')
  clock.advance(2 * SILENT_MS_MAX)
  assert.is(asked.length, 2)
  assert.equal(givenUp, [])
})

test('a question that fails after a sign of life, or about a connection before, ends nothing', async () => {
  const { clock, asked, givenUp, silences } = world()
  silences.sent('a')
  clock.advance(2 * SILENT_MS_MAX)
  silences.settled('a')
  silences.sent('a')
  asked[0]?.fail()
  await settled()
  assert.equal(givenUp, [])
})

test('after the end nobody is asked', () => {
  const { clock, asked, silences } = world()
  silences.sent('a')
  silences.stop()
  clock.advance(10 * SILENT_MS_MAX)
  assert.equal(asked, [])
})

test.run()
