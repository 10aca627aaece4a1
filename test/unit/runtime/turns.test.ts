import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createTurns } from '../../../node/runtime/turns.ts'

const flush = () => new Promise(resolve => setImmediate(resolve))

/** Acts that end when told, and what was going on. */
const stage = () => {
  const running = new Set<string>()
  const ends = new Map<string, (failure?: Error) => void>()
  const act = (name: string) => () =>
    new Promise<string>((resolve, reject) => {
      running.add(name)
      ends.set(name, failure => {
        running.delete(name)
        if (failure === undefined) resolve(name)
        else reject(failure)
      })
    })
  return { running, act, end: (name: string, failure?: Error) => ends.get(name)?.(failure) }
}

test('acts of one key wait for each other, also after a failure; other keys do not', async () => {
  const { running, act, end } = stage()
  const turns = createTurns({ concurrencyMax: 9 })
  const first = turns.inTurn('k', act('first')).catch((thrown: Error) => thrown.message)
  const second = turns.inTurn('k', act('second'))
  void turns.inTurn('other', act('free'))
  await flush()
  assert.equal([...running].sort(), ['first', 'free'])
  end('first', new Error('broken'))
  assert.is(await first, 'broken')
  await flush()
  assert.ok(running.has('second'))
  end('second')
  assert.is(await second, 'second')
})

test('limited acts share their places, and a failure gives its place back', async () => {
  const { running, act, end } = stage()
  const turns = createTurns({ concurrencyMax: 2 })
  const all = ['a', 'b', 'c', 'd'].map(name => turns.limited(name, act(name)).catch(() => 'failed'))
  await flush()
  assert.equal([...running], ['a', 'b'])
  end('a', new Error('broken'))
  await flush()
  assert.equal([...running], ['b', 'c'])
  end('b')
  end('c')
  await flush()
  end('d')
  assert.equal(await Promise.all(all), ['failed', 'b', 'c', 'd'])
})

test.run()
