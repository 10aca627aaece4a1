import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PromiseQueue } from '../../../node/consensus/promise-queue.ts'
import type { Envelope } from '../../../raft/index.ts'

const envelope = (to: string, term = 1): Envelope => ({
  from: 'a',
  to,
  message: { type: 'timeoutNow', term },
})

const receivers = (envelopes: readonly Envelope[]): string => envelopes.map(({ to }) => to).join('')

test('a promise leaves at once when nothing is being written', () => {
  assert.is(receivers(new PromiseQueue().hold([envelope('x')])), 'x')
})

test('a promise waits for its own write and every earlier one', () => {
  const queue = new PromiseQueue()
  queue.handed(1)
  assert.is(receivers(queue.hold([envelope('p')])), '')
  queue.handed(2)
  assert.is(receivers(queue.hold([envelope('q')])), '')
  assert.is(receivers(queue.durable(1)), 'p')
  assert.is(receivers(queue.hold([envelope('r')])), '', 'it was made after the second write')
  assert.is(receivers(queue.durable(2)), 'qr')
  assert.not(queue.isWriting)
})

test('the acknowledgement of a write stands for all before it', () => {
  const queue = new PromiseQueue()
  for (const sequence of [1, 2, 3]) {
    queue.handed(sequence)
    queue.hold([envelope(String(sequence))])
  }
  assert.is(receivers(queue.durable(3)), '123')
})

test('what was promised in a former term is void once a later one is on its way to the disk', () => {
  const queue = new PromiseQueue()
  queue.handed(1, 3)
  queue.hold([envelope('p', 3)])
  queue.handed(2)
  queue.hold([envelope('q', 3)])
  assert.is(receivers(queue.durable(1)), 'p')
  queue.handed(3, 4)
  queue.hold([envelope('r', 4)])
  assert.is(receivers(queue.durable(2)), '')
  assert.is(receivers(queue.durable(3)), 'r')
})

test('writes are numbered without gaps', () => {
  const queue = new PromiseQueue()
  queue.handed(1)
  assert.throws(() => queue.handed(3))
  assert.throws(() => queue.durable(2))
})

test.run()
