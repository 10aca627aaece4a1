import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Contacts } from '../../../node/control/contact.ts'

const MINUTE_MS = 60_000

/** In touch from 0 on; then lost and found again at the given times, in turn. */
const probationAfter = (...timesMs: readonly number[]): number => {
  const contacts = new Contacts({ stabilisationMs: 5_000 })
  let isAlive = true
  let contact = contacts.note('n', { isAlive, silentMs: 0, nowMs: 0 })
  for (const nowMs of timesMs) {
    isAlive = !isAlive
    contact = contacts.note('n', { isAlive, silentMs: 0, nowMs })
  }
  return contact.probationMs
}

test('a node that was never lost has nothing to prove', () => {
  assert.is(probationAfter(), 0)
})

test('each loss doubles the probation, up to ten minutes', () => {
  const losses = (count: number) => Array.from({ length: 2 * count }, (_, turn) => (turn + 1) * 1_000)
  assert.is(probationAfter(...losses(1)), 5_000)
  assert.is(probationAfter(...losses(2)), 10_000)
  assert.is(probationAfter(...losses(3)), 20_000)
  assert.is(probationAfter(...losses(30)), 10 * MINUTE_MS)
})

test('ten minutes in touch make up for what was before', () => {
  assert.is(probationAfter(1_000, 2_000, 2_000 + 9 * MINUTE_MS, 2_000 + 9 * MINUTE_MS), 10_000)
  assert.is(probationAfter(1_000, 2_000, 2_000 + 10 * MINUTE_MS, 2_000 + 10 * MINUTE_MS), 5_000)
})

test('a loss began when the node was last heard, and is told from one that never spoke', () => {
  const contacts = new Contacts({ stabilisationMs: 5_000 })
  assert.equal(contacts.note('a', { isAlive: false, silentMs: 1_200, nowMs: 9_000 }).sinceMs, 7_800)
  assert.equal(contacts.note('b', { isAlive: false, silentMs: Infinity, nowMs: 9_000 }).sinceMs, 9_000)
  assert.equal(contacts.note('a', { isAlive: false, silentMs: 2_200, nowMs: 10_000 }).sinceMs, 7_800, 'once')
})

test('a node that left is forgotten', () => {
  const contacts = new Contacts({ stabilisationMs: 5_000 })
  contacts.note('a', { isAlive: true, silentMs: 0, nowMs: 0 })
  contacts.note('a', { isAlive: false, silentMs: 0, nowMs: 1 })
  contacts.keepOnly(new Set())
  assert.is(contacts.note('a', { isAlive: true, silentMs: 0, nowMs: 2 }).probationMs, 0)
})

test.run()
