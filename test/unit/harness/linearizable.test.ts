import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { judgeHistory, type Verdict } from '../../harness/linearizable.ts'
import {
  type Act,
  effectOf,
  type Operation,
  tellOperation,
  type Value,
  writtenBy,
} from '../../harness/operation.ts'
import { findOrder } from '../../harness/order-search.ts'
import { prng } from '../../harness/prng.ts'
import { hasOrder } from './order-twin.ts'

const read = (value: Value): Act => ({ type: 'read', value })
const write = (value: Value): Act => ({ type: 'write', value })
const cas = (expected: Value, value: Value, isDone = true): Act => ({ type: 'cas', expected, value, isDone })

type Line = readonly [calledAt: number, answeredAt: number | null, act: Act]

const historyOf = (lines: readonly Line[], key = 'x'): readonly Operation[] =>
  lines.map(([calledAt, answeredAt, act], client) => ({ client, key, calledAt, answeredAt, act }))

const judge = (...lines: readonly Line[]): Verdict['type'] => {
  const verdict = judgeHistory(historyOf(lines))
  assert.is(verdict.type === 'linearizable', hasOrder(historyOf(lines)), 'the twin agrees')
  return verdict.type
}

const witnessOf = (history: readonly Operation[]): readonly string[] => {
  const verdict = judgeHistory(history)
  if (verdict.type !== 'violated') throw new Error(`expected a violation, got ${verdict.type}`)
  return verdict.witness.map(operation => tellOperation(operation, 0))
}

test('an empty history and reads of nothing are linearizable', () => {
  assert.is(judgeHistory([]).type, 'linearizable')
  assert.is(judge([1, 2, read(null)], [1, 3, read(null)]), 'linearizable')
})

test('a read after a write sees it, and a stale read is refused', () => {
  assert.is(judge([1, 2, write(1)], [3, 4, read(1)]), 'linearizable')
  assert.is(judge([1, 2, write(1)], [3, 4, read(null)]), 'violated')
  assert.is(judge([1, 2, write(1)], [3, 4, write(2)], [5, 6, read(1)]), 'violated')
})

test('a read that overlaps with a write may see it or not, but after it was seen nobody sees less', () => {
  assert.is(judge([1, 9, write(1)], [2, 3, read(null)], [4, 5, read(1)]), 'linearizable')
  assert.is(judge([1, 9, write(1)], [2, 3, read(1)], [4, 5, read(null)]), 'violated')
  assert.is(judge([1, 9, write(1)], [2, 6, read(1)], [4, 5, read(null)]), 'linearizable')
})

test('an answer and a call of the same moment overlap', () => {
  assert.is(judge([1, 2, write(1)], [2, 3, read(null)]), 'linearizable')
})

test('a lost update is refused: two that expected the same cannot both have found it', () => {
  assert.is(judge([1, 2, write(1)], [3, 5, cas(1, 2)], [3, 5, cas(1, 3)]), 'violated')
  assert.is(judge([1, 2, write(1)], [3, 5, cas(1, 2)], [3, 5, cas(1, 3, false)]), 'linearizable')
  assert.is(judge([1, 2, write(1)], [3, 5, cas(1, 2)], [6, 7, read(1)]), 'violated')
})

test('a compare-and-set that failed without a reason is refused', () => {
  assert.is(judge([1, 2, write(1)], [3, 4, cas(1, 2, false)]), 'violated')
  assert.is(judge([1, 2, write(1)], [3, 6, cas(1, 2, false)], [3, 6, write(3)]), 'linearizable')
  assert.is(judge([1, 2, cas(null, 1)], [3, 4, cas(null, 2, false)]), 'linearizable')
})

test('concurrent compare-and-sets may form a chain in one order only', () => {
  assert.is(
    judge([1, 9, cas(null, 1)], [1, 9, cas(2, 3)], [1, 9, cas(1, 2)], [10, 11, read(3)]),
    'linearizable',
  )
  assert.is(judge([1, 9, cas(null, 1)], [1, 9, cas(2, 3)], [1, 9, cas(1, 2)], [10, 11, read(2)]), 'violated')
})

test('a value that was read and is gone later, without another write, is refused', () => {
  assert.is(judge([1, 2, write(1)], [3, null, write(2)], [4, 5, read(2)], [6, 7, read(1)]), 'violated')
})

test('a value that nobody has written is refused', () => {
  assert.is(judge([1, 2, write(1)], [3, 4, read(7)]), 'violated')
  assert.is(judge([1, 2, read(1)], [3, 4, write(1)]), 'violated')
  assert.is(judge([1, 2, read(1)], [3, null, write(1)]), 'violated')
})

test('a write that took effect twice is refused', () => {
  assert.is(judge([1, 2, write(1)], [3, 4, write(2)], [5, 6, read(2)], [7, 8, read(1)]), 'violated')
  assert.is(
    judge([1, null, write(1)], [2, 3, read(1)], [4, 5, write(2)], [6, 7, read(1)]),
    'violated',
    'an unanswered one, too',
  )
})

test('a write without an answer may take effect late, or never', () => {
  assert.is(judge([1, null, write(1)], [3, 4, read(null)], [5, 6, read(1)]), 'linearizable')
  assert.is(judge([1, null, write(1)], [3, 4, write(2)], [5, 6, read(2)], [90, 91, read(1)]), 'linearizable')
  assert.is(judge([1, null, write(1)], [3, 4, read(null)], [90, 91, read(null)]), 'linearizable')
})

test('a compare-and-set without an answer takes effect only on what it expects', () => {
  assert.is(judge([1, null, cas(5, 6)], [3, 4, read(6)]), 'violated')
  assert.is(judge([1, null, cas(5, 6)], [3, 4, write(5)], [7, 8, read(6)]), 'linearizable')
})

test('unseen writes without answers explain each failed compare-and-set once', () => {
  const failedTwice: readonly Line[] = [
    [2, 3, write(1)],
    [4, 5, cas(1, 8, false)],
    [6, 7, write(2)],
    [8, 9, cas(2, 8, false)],
  ]
  assert.is(judge([1, null, write(-1)], [1, null, write(-2)], ...failedTwice), 'linearizable')
  assert.is(judge([1, null, write(-1)], ...failedTwice), 'violated')
  assert.is(judge([1, null, write(-1)], [8.5, null, write(-2)], ...failedTwice), 'linearizable')
  assert.is(judge([1, null, write(-1)], [9.5, null, write(-2)], ...failedTwice), 'violated')
})

test('keys are independent, and the first violation of all is told', () => {
  const good = historyOf(
    [
      [1, 2, write(1)],
      [3, 4, read(1)],
    ],
    'a',
  )
  const late = historyOf(
    [
      [11, 12, write(1)],
      [13, 14, read(2)],
    ],
    'b',
  )
  const early = historyOf(
    [
      [1, 2, write(1)],
      [3, 4, read(null)],
    ],
    'c',
  )
  const verdict = judgeHistory([...good, ...late, ...early])
  assert.is(verdict.type, 'violated')
  if (verdict.type === 'violated') assert.equal(verdict.culprit, early[1])
})

test('a witness holds what contradicts and nothing else', () => {
  const dice = prng(5)
  const before = sequential(dice, 200).map(operation => ({ ...operation, key: 'x' }))
  const last = Math.max(...before.map(({ answeredAt }) => answeredAt ?? 0))
  const stale = historyOf([
    [last + 1, last + 2, write('new')],
    [last + 3, last + 4, write('newer')],
    [last + 5, last + 6, read('new')],
    [last + 7, last + 8, read('newer')],
  ])
  const told = witnessOf([...before, ...stale])
  assert.is(told.length, 3, told.join('\n'))
  assert.match(told[0] ?? '', /client 0 .*x: wrote new$/)
  assert.match(told[1] ?? '', /x: wrote newer$/)
  assert.match(told[2] ?? '', /client 2 .*x: read new$/)
})

test('a witness of a failed compare-and-set keeps the writes that may matter', () => {
  const told = witnessOf(
    historyOf([
      [1, 2, write(1)],
      [2, 3, read(1)],
      [4, 5, read(1)],
      [6, 7, cas(1, 2, false)],
    ]),
  )
  assert.equal(
    told.map(line => line.replace(/^.*: (?=wrote|read|set)/, '')),
    ['wrote 1', 'set 2 if it was 1: it was not'],
  )
})

/** What one register does, one act after the other, told with calls before and answers after the moment of each. */
const sequential = (dice: ReturnType<typeof prng>, count: number): readonly Operation[] => {
  let held: Value = null
  return Array.from({ length: count }, (_, position) => {
    const drawn = [
      read(held),
      write(`v${position}`),
      cas(held, `v${position}`),
      cas('another', `v${position}`, false),
    ]
    const act = dice.pick(drawn) as Act
    held = (effectOf(act, held) ?? null) as Value
    const calledAt = 10 * position - dice.between(0, 60)
    const answeredAt = 10 * position + dice.between(0, 60)
    const isUnanswered = dice.chance(0.03) && writtenBy({ act } as Operation) !== undefined
    return { client: position % 16, key: '', calledAt, answeredAt: isUnanswered ? null : answeredAt, act }
  })
}

/** Small histories of few values: what a register did, with some answers lost and some results swapped. */
const smallHistory = fc
  .array(
    fc.record({
      kind: fc.constantFrom('read', 'write', 'cas', 'failed'),
      value: fc.integer({ min: 1, max: 3 }),
      early: fc.integer({ min: 0, max: 25 }),
      late: fc.integer({ min: 0, max: 25 }),
      fate: fc.constantFrom('answered', 'answered', 'answered', 'unanswered', 'never'),
    }),
    { maxLength: 7 },
  )
  .map(rows => {
    let held: Value = null
    return rows.map(({ kind, value, early, late, fate }, client): Operation => {
      const other = held === value ? value + 1 : value
      const act = {
        read: read(held),
        write: write(value),
        cas: cas(held, value),
        failed: cas(other, value, false),
      }[kind] as Act
      const isWrite = kind === 'write' || kind === 'cas'
      if (!isWrite || fate !== 'never') held = effectOf(act, held) as Value
      const answeredAt = isWrite && fate !== 'answered' ? null : 10 * client + late
      return { client, key: 'x', calledAt: 10 * client - early, answeredAt, act }
    })
  })

const mutated = fc.tuple(smallHistory, fc.nat(), fc.integer({ min: 0, max: 4 })).map(([history, at, value]) =>
  history.map((operation, position): Operation => {
    if (position !== at % history.length) return operation
    const { act } = operation
    if (act.type === 'cas')
      return { ...operation, act: { ...act, isDone: operation.answeredAt === null || !act.isDone } }
    return { ...operation, act: { ...act, value: value === 0 ? null : value } as Act }
  }),
)

test('what a register did is accepted, however its answers overlap and get lost', () => {
  fc.assert(
    fc.property(smallHistory, history => judgeHistory(history).type === 'linearizable'),
    { numRuns: 2_000 },
  )
})

test('a history with a swapped result is refused exactly when the obvious judge refuses it', () => {
  let refused = 0
  fc.assert(
    fc.property(mutated, history => {
      const isOrdered = hasOrder(history)
      if (!isOrdered) refused++
      assert.is(judgeHistory(history).type, isOrdered ? 'linearizable' : 'violated')
    }),
    { numRuns: 4_000 },
  )
  assert.ok(refused > 200, `only ${refused} histories were bad`)
})

test('a witness is refused by the obvious judge, too, and its culprit is what completes the contradiction', () => {
  fc.assert(
    fc.property(mutated, history => {
      const verdict = judgeHistory(history)
      if (verdict.type !== 'violated') return
      assert.not(hasOrder(verdict.witness))
      const at = verdict.culprit.answeredAt as number
      const known = (limit: (answeredAt: number) => boolean) =>
        history
          .filter(({ calledAt }) => calledAt <= at)
          .map(operation => ({
            ...operation,
            answeredAt: limit(operation.answeredAt ?? Number.POSITIVE_INFINITY) ? operation.answeredAt : null,
          }))
      assert.not(hasOrder(known(answeredAt => answeredAt <= at)))
      assert.ok(hasOrder(known(answeredAt => answeredAt < at)))
    }),
    { numRuns: 2_000 },
  )
})

test('two hundred thousand operations over two hundred keys are judged in seconds, good or bad', () => {
  const dice = prng(1)
  const history = Array.from({ length: 200 }, (_, key) =>
    sequential(dice, 1_000).map(operation => ({ ...operation, key: `k${key}` })),
  ).flat()
  const startedMs = performance.now()
  assert.is(judgeHistory(history).type, 'linearizable')
  const bad = history.map((operation, position) =>
    position === 100_500
      ? { ...operation, answeredAt: 1_000_000, act: read('nobody wrote this') }
      : operation,
  )
  assert.is(judgeHistory(bad).type, 'violated')
  const tookMs = performance.now() - startedMs
  assert.ok(tookMs < 60_000, `it took ${tookMs} ms`)
})

test('one key of fifty thousand operations is no harder', () => {
  assert.is(findOrder(sequential(prng(2), 50_000)).type, 'ordered')
})

test.run()
