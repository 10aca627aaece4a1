import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Contact } from '../../../node/consensus/measures/contact.ts'

const TICK_MS = 25
const TICKS_MAX = 40

test('what was never heard has no age', () => {
  const contact = new Contact(TICKS_MAX)
  contact.ticked(0, null)
  assert.is(contact.ageMs(1_000, 0), null)
})

test('the age is the time since the leader was heard, never less', () => {
  const contact = new Contact(TICKS_MAX)
  for (let tick = 0; tick <= 10; tick++) contact.ticked(tick * TICK_MS, null)
  // Heard between the 10th and the 11th tick.
  contact.ticked(11 * TICK_MS, 1)
  assert.is(contact.ageMs(11 * TICK_MS, 0), TICK_MS)
  contact.ticked(12 * TICK_MS, 2)
  assert.is(contact.ageMs(12 * TICK_MS, 0), 2 * TICK_MS)
})

test('ticks that did not come while the process was paused count as the time they took', () => {
  const contact = new Contact(TICKS_MAX)
  contact.ticked(0, null)
  contact.ticked(TICK_MS, 1)
  // Paused for ten seconds: one tick comes late, and the count of ticks says that the leader was just heard.
  contact.ticked(10_000, 2)
  assert.is(contact.ageMs(10_000, 0), 10_000)
})

test('a leader that is heard does not make a replica fresh that lacks what it had committed', () => {
  const contact = new Contact(TICKS_MAX)
  contact.ticked(0, null)
  contact.ticked(TICK_MS, 1)
  assert.is(contact.ageMs(TICK_MS, 5), TICK_MS)
  contact.told(9)
  contact.ticked(100, 1)
  contact.ticked(200, 1)
  assert.is(contact.ageMs(200, 8), 200, 'entry 9 is not applied')
  assert.is(contact.ageMs(200, 9), 100)
})

test('a replica that never catches up costs no memory', () => {
  const contact = new Contact(TICKS_MAX)
  contact.ticked(0, 0)
  assert.is(contact.ageMs(0, 0), 0)
  contact.told(2)
  for (let tick = 1; tick <= 10_000; tick++) contact.ticked(tick, 1)
  assert.is(contact.ageMs(10_000, 1), 10_000)
  assert.ok(contact.ageMs(10_000, 2)! > 9_000, 'it errs on the old side')
})

test.run()
