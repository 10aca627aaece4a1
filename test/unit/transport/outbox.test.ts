import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Outbox, QUEUE_BYTES_MAX, type Writable } from '../../../node/transport/outbox.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
const frame = (byte: number, length = 1): Uint8Array => new Uint8Array(length).fill(byte)

const boxOf = () => {
  const clock = virtualClock()
  const writes: number[][] = []
  const streams: { readonly onDrain: () => void; readonly onClose: () => void }[] = []
  const state = { isFull: false, isRefused: false, isBroken: false, closed: 0 }
  const box = new Outbox(async on => {
    streams.push(on)
    if (state.isRefused) throw new Error('refused')
    return {
      write(bytes) {
        if (state.isBroken) throw new Error('closed')
        writes.push([...bytes])
        return !state.isFull
      },
      close: () => {
        state.closed += 1
      },
    } satisfies Writable
  }, clock)
  return { box, clock, writes, streams, state }
}

test('frames of one tick leave in one write, in order, over one stream', async () => {
  const { box, writes, streams } = boxOf()
  for (const byte of [1, 2, 3]) assert.ok(box.send(frame(byte)))
  await tick()
  box.send(frame(4))
  await tick()
  assert.equal(writes, [[1, 2, 3], [4]])
  assert.is(streams.length, 1)
  assert.is(box.queuedBytes, 0)
})

test('a full stream is not written to until it drains', async () => {
  const { box, writes, streams, state } = boxOf()
  state.isFull = true
  box.send(frame(1))
  await tick()
  box.send(frame(2))
  await tick()
  assert.equal(writes, [[1]])
  assert.is(box.queuedBytes, 1)
  streams[0]?.onDrain()
  assert.equal(writes, [[1], [2]])
})

test('what does not fit is dropped, and one frame always fits', async () => {
  const { box, state } = boxOf()
  state.isFull = true
  box.send(frame(0))
  await tick()
  assert.ok(box.send(frame(1, QUEUE_BYTES_MAX + 1)))
  assert.not(box.send(frame(2)))
})

test('held frames open nothing until they are flushed', async () => {
  const { box, writes, streams } = boxOf()
  assert.ok(box.hold(frame(1)))
  await tick()
  assert.is(streams.length, 0)
  box.flushSoon()
  await tick()
  assert.equal(writes, [[1]])
})

test('a failed stream drops what waited and is not reopened for a moment', async () => {
  const { box, clock, writes, streams, state } = boxOf()
  state.isRefused = true
  box.send(frame(1))
  await tick()
  assert.is(box.queuedBytes, 0)
  assert.not(box.send(frame(2)))
  state.isRefused = false
  clock.advance(150)
  assert.ok(box.send(frame(3)))
  await tick()
  assert.equal(writes, [[3]])
  assert.is(streams.length, 2)
})

test('a stream that breaks during a write is given up', async () => {
  const { box, clock, writes, state } = boxOf()
  box.send(frame(1))
  await tick()
  state.isBroken = true
  box.send(frame(2))
  await tick()
  assert.is(box.queuedBytes, 0)
  state.isBroken = false
  clock.advance(150)
  box.send(frame(3))
  await tick()
  assert.equal(writes, [[1], [3]])
})

test('after a reset an older stream has no say', async () => {
  const { box, writes, streams, state } = boxOf()
  box.send(frame(1))
  await tick()
  box.reset()
  assert.is(state.closed, 1)
  box.send(frame(2))
  streams[0]?.onClose()
  await tick()
  assert.equal(writes, [[1], [2]])
})

test.run()
