import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GUEST_ATTEMPTS_PER_MINUTE, GUESTS_MAX, GuestBook } from '../../../node/transport/guests.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

test('an address has so many attempts a minute, and other addresses keep theirs', () => {
  const clock = virtualClock()
  const book = new GuestBook(clock)
  for (let count = 0; count < GUEST_ATTEMPTS_PER_MINUTE; count += 1) assert.ok(book.mayEnter('10.0.0.1'))
  assert.not(book.mayEnter('10.0.0.1'))
  assert.ok(book.isFlooding('10.0.0.1'))
  assert.ok(book.mayEnter('10.0.0.2'))
  assert.not(book.isFlooding('10.0.0.2'))
  clock.advance(60_000)
  assert.not(book.isFlooding('10.0.0.1'))
  assert.ok(book.mayEnter('10.0.0.1'))
})

test('the house is full when it is full, whatever the address', () => {
  const book = new GuestBook(virtualClock())
  for (let count = 0; count < GUESTS_MAX; count += 1) {
    assert.ok(book.mayEnter(`10.0.0.${count}`))
    book.entered()
  }
  assert.not(book.mayEnter('10.0.1.1'))
  book.left()
  assert.ok(book.mayEnter('10.0.1.2'))
})

test('counting many addresses takes bounded memory', () => {
  const book = new GuestBook(virtualClock())
  for (let count = 0; count < 50_000; count += 1) book.mayEnter(`${count}`)
  assert.ok(book.mayEnter('10.0.0.1'))
})

test.run()
