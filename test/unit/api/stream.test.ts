import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createFunnel, mergeOrdered, withBeats, withDeadline } from '../../../node/api/stream.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

async function* from<T>(...values: readonly T[]): AsyncGenerator<T> {
  yield* values
}

const collect = async <T>(values: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

/** A source that is fed by hand and tells how far it was read. */
const tap = <T>() => {
  const queue: T[] = []
  let ended = false
  let wake = (): void => undefined
  let readCount = 0
  let isReturned = false
  async function* values(): AsyncGenerator<T> {
    try {
      for (;;) {
        const next = queue.shift()
        if (next !== undefined) {
          readCount++
          yield next
        } else if (ended) return
        else await new Promise<void>(resolve => (wake = resolve))
      }
    } finally {
      isReturned = true
    }
  }
  return {
    values: values(),
    push: (...next: T[]) => {
      queue.push(...next)
      wake()
    },
    end: () => {
      ended = true
      wake()
    },
    readCount: () => readCount,
    isReturned: () => isReturned,
  }
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

test('ordered sources merge into one ordered stream', async () => {
  const merged = mergeOrdered([from(1, 4, 9), from<number>(), from(2, 3, 10)], (a, b) => a - b)
  assert.equal(await collect(merged), [1, 2, 3, 4, 9, 10])
})

test('merging holds one value of each source', async () => {
  const [a, b] = [tap<number>(), tap<number>()]
  a.push(1, 2, 3)
  b.push(4, 5, 6)
  const merged = mergeOrdered([a.values, b.values], (x, y) => x - y)
  assert.is((await merged.next()).value, 1)
  assert.is(a.readCount() + b.readCount(), 2)
  await merged.return(undefined)
  await turns()
  assert.ok(a.isReturned() && b.isReturned(), 'the sources end with their reader')
})

test('a funnel gives what comes, ends with its last source, and holds one value of each', async () => {
  const funnel = createFunnel<string>(new AbortController().signal)
  const [a, b] = [tap<string>(), tap<string>()]
  funnel.add(a.values)
  funnel.add(b.values)
  funnel.seal()
  a.push('a1', 'a2', 'a3')
  await turns()
  assert.is(a.readCount(), 1)
  const values = funnel.values[Symbol.asyncIterator]()
  assert.is((await values.next()).value, 'a1')
  b.push('b1')
  b.end()
  a.end()
  const rest: string[] = []
  for (let next = await values.next(); next.done !== true; next = await values.next()) rest.push(next.value)
  assert.equal(rest.sort(), ['a2', 'a3', 'b1'])
})

test('a funnel that is not sealed waits for more sources until it is aborted', async () => {
  const abort = new AbortController()
  const funnel = createFunnel<string>(abort.signal)
  const all = collect(funnel.values)
  await turns()
  funnel.add(from('late'))
  await turns()
  abort.abort()
  assert.equal(await all, ['late'])
})

test('a source that fails, fails the funnel', async () => {
  const funnel = createFunnel<string>(new AbortController().signal)
  funnel.add(
    (async function* (): AsyncGenerator<string> {
      yield 'one'
      throw new Error('broken')
    })(),
  )
  const values = funnel.values[Symbol.asyncIterator]()
  assert.is((await values.next()).value, 'one')
  const thrown = await values.next().then(
    () => null,
    (error: Error) => error.message,
  )
  assert.is(thrown, 'broken')
})

test('when the reader leaves, the sources of a funnel end', async () => {
  const funnel = createFunnel<string>(new AbortController().signal)
  const a = tap<string>()
  funnel.add(a.values)
  a.push('one', 'two')
  const values = funnel.values[Symbol.asyncIterator]()
  await values.next()
  await values.return?.()
  await turns()
  a.push('three')
  await turns()
  assert.ok(a.isReturned())
})

test('silence is filled with beats, and talk is not', async () => {
  const clock = virtualClock()
  const source = tap<string>()
  const values = withBeats(source.values, 'beat', 100, clock)
  const first = values.next()
  await turns()
  clock.advance(100)
  assert.is((await first).value, 'beat')
  source.push('word')
  assert.is((await values.next()).value, 'word')
  source.end()
  assert.is((await values.next()).done, true)
})

test('a sender that falls silent for too long is given up', async () => {
  const clock = virtualClock()
  const source = tap<string>()
  const values = withDeadline(source.values, 100, clock, () => new Error('silent'))
  source.push('word')
  assert.is((await values.next()).value, 'word')
  const late = values.next().then(
    () => null,
    (error: Error) => error.message,
  )
  await turns()
  clock.advance(100)
  assert.is(await late, 'silent')
})

test.run()
