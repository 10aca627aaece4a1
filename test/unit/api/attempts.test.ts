import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createAttempts } from '../../../node/api/attempts.ts'
import { Failure } from '../../../node/errors.ts'

const isBusy = (thrown: unknown): boolean => thrown instanceof Failure && thrown.code === 'E_BUSY'

test('ten failures at once, then one each six seconds', () => {
  const attempts = createAttempts()
  for (let count = 0; count < 10; count++) {
    attempts.check('a', 0)
    attempts.failed('a', 0)
  }
  assert.throws(() => attempts.check('a', 5_999), isBusy)
  attempts.check('a', 6_000)
  attempts.failed('a', 6_000)
  assert.throws(() => attempts.check('a', 11_999), isBusy)
  attempts.check('a', 12_000)
  attempts.check('b', 0)
})

test('however often one fails, one is heard again in a minute', () => {
  const attempts = createAttempts()
  for (let count = 0; count < 1_000; count++) attempts.failed('a', 0)
  for (let at = 60_000; at < 60_010; at++) {
    attempts.check('a', at)
    attempts.failed('a', at)
  }
  assert.throws(() => attempts.check('a', 60_010), isBusy)
})

test('a crowd is forgotten from its oldest on', () => {
  const attempts = createAttempts()
  for (let count = 0; count < 10; count++) attempts.failed('first', 0)
  for (let other = 0; other < 1_999; other++) attempts.failed(`other ${other}`, 1)
  assert.throws(() => attempts.check('first', 1), isBusy)
  attempts.failed('one more', 1)
  attempts.check('first', 1)
})

test.run()
