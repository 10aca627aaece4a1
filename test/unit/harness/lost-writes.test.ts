import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lostWrites, type Recorded } from '../../chaos/linear/crowd.ts'
import type { Act } from '../../harness/operation.ts'

const recorded = (act: Act, index: number | null): Recorded => ({
  client: 1,
  key: 'k',
  calledAt: 1,
  answeredAt: index === null ? null : 2,
  act,
  node: 'h1',
  index,
})

const write = (value: string, index: number | null) => recorded({ type: 'write', value }, index)
const final = (value: string, index: number) => new Map([['k', { value, index }]])

test('an acknowledged write is there, or a later one is', () => {
  assert.equal(lostWrites([write('a', 5)], final('a', 5)), [])
  assert.equal(lostWrites([write('a', 5), write('b', 7)], final('b', 7)), [])
  assert.equal(lostWrites([write('a', 5), write('b', null)], final('b', 9)), [], 'an unanswered one, too')
})

test('an acknowledged write is lost when the last version is older, another one or none', () => {
  const [first, second] = [write('a', 5), write('b', 7)]
  assert.equal(lostWrites([first, second], final('a', 5)), [second])
  assert.equal(lostWrites([first], final('c', 5)), [first])
  assert.equal(lostWrites([first], new Map()), [first])
})

test('what was read, or not answered, cannot be lost', () => {
  const read = recorded({ type: 'read', value: 'b' }, 7)
  assert.equal(lostWrites([read, write('b', null)], final('a', 5)), [])
})

test.run()
