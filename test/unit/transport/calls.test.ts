import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decode, encode } from '../../../node/codec.ts'
import { Failure } from '../../../node/errors.ts'
import { placeCall, serveCall } from '../../../node/transport/calls.ts'
import type { Pipe, PipeSink } from '../../../node/transport/pipe.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const CALLER = { from: 'ash', host: '10.0.0.1' }

/** A list of four billion values in five bytes. */
const BROKEN = Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])

const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** A pipe whose other side is the test. */
const handPipe = () => {
  const sent: unknown[] = []
  const state = { isEnded: false, isAborted: false, isPaused: false, isFull: false }
  let sink: PipeSink | null = null
  const pipe: Pipe = {
    send(payload) {
      sent.push(decode(payload))
      return !state.isFull
    },
    end: () => {
      state.isEnded = true
    },
    abort: () => {
      state.isAborted = true
    },
    pause: () => {
      state.isPaused = true
    },
    resume: () => {
      state.isPaused = false
    },
    attach: given => {
      sink = given
    },
  }
  return {
    pipe,
    sent,
    state,
    say: (value: unknown) => sink?.onFrame(encode(value)),
    raw: (bytes: Uint8Array) => sink?.onFrame(bytes),
    drain: () => sink?.onDrain(),
    close: () => sink?.onClose(),
  }
}

const place = (hand: ReturnType<typeof handPipe>) =>
  placeCall({
    clock: virtualClock(),
    open: async () => hand.pipe,
    request: 'ask',
    whom: 'oak',
    options: { timeoutMs: 1_000 },
  })

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no failure',
    (thrown: unknown) => (thrown as Failure).code,
  )

test('what a peer says instead of a failure is made into one', async () => {
  for (const [frame, code] of [
    [[1, { code: 'E_CONFLICT', message: 'taken' }], 'E_CONFLICT'],
    [[1, { code: 'toString', message: 'x' }], 'E_INTERNAL'],
    [[1, null], 'E_INTERNAL'],
    [[99], 'E_INTERNAL'],
    ['words', 'E_INTERNAL'],
  ] as const) {
    const hand = handPipe()
    const next = place(hand).next()
    await tick()
    hand.say(frame)
    assert.is(await codeOf(next), code, JSON.stringify(frame))
  }
})

test('a value that is no message ends the call', async () => {
  const hand = handPipe()
  const next = place(hand).next()
  await tick()
  hand.raw(BROKEN)
  assert.is(await codeOf(next), 'E_INVALID')
  assert.ok(hand.state.isAborted)
})

test('facts of a failure keep only plain values', async () => {
  const hand = handPipe()
  const next = place(hand).next()
  await tick()
  hand.say([1, { code: 'E_BUSY', message: 'm', facts: { a: 1, b: { c: 1 }, d: null } }])
  await next.catch((thrown: Failure) => assert.equal(thrown.facts, { a: 1, d: null }))
})

test('too much unread pauses the pipe, and reading resumes it', async () => {
  const hand = handPipe()
  const values = place(hand)
  const first = values.next()
  await tick()
  for (let count = 0; count < 40; count += 1) hand.say([0, new Uint8Array(64 * 1024)])
  await first
  assert.ok(hand.state.isPaused)
  for (let count = 0; count < 39; count += 1) await values.next()
  assert.not(hand.state.isPaused)
})

test('a pipe that opens after the caller gave up is closed again', async () => {
  const clock = virtualClock()
  const opening = Promise.withResolvers<Pipe>()
  const values = placeCall({
    clock,
    open: () => opening.promise,
    request: 1,
    whom: 'oak',
    options: { timeoutMs: 50 },
  })
  const code = codeOf(values.next())
  clock.advance(51)
  assert.is(await code, 'E_TIMEOUT')
  const hand = handPipe()
  opening.resolve(hand.pipe)
  await tick()
  assert.ok(hand.state.isAborted)
  assert.equal(hand.sent, [])
})

test('a responder waits while the pipe is full', async () => {
  const hand = handPipe()
  hand.state.isFull = true
  serveCall(
    hand.pipe,
    CALLER,
    async function* () {
      yield 1
      yield 2
    },
    { onMalformed: () => {} },
  )
  hand.say(null)
  await tick()
  assert.equal(hand.sent, [[0, 1]])
  hand.state.isFull = false
  hand.drain()
  await tick()
  assert.equal(hand.sent, [[0, 1], [0, 2], [2]])
  assert.ok(hand.state.isEnded)
})

test('a second frame or a broken request ends the call and is reported', async () => {
  const reasons: string[] = []
  const on = { onMalformed: (reason: string) => reasons.push(reason) }
  let aborted = false
  const twice = handPipe()
  serveCall(
    twice.pipe,
    CALLER,
    async function* ({ signal }) {
      signal.addEventListener('abort', () => {
        aborted = true
      })
      await new Promise(() => {})
      yield 1
    },
    on,
  )
  twice.say(1)
  await tick()
  twice.say(2)
  await tick()
  assert.ok(twice.state.isAborted && aborted)
  const broken = handPipe()
  serveCall(broken.pipe, CALLER, () => assert.unreachable() as never, on)
  broken.raw(BROKEN)
  assert.ok(broken.state.isAborted)
  assert.is(reasons.length, 2)
})

test('a responder that throws at once is a failure for the caller, not for the node', async () => {
  const hand = handPipe()
  serveCall(
    hand.pipe,
    CALLER,
    () => {
      throw new Failure('E_FORBIDDEN', 'no')
    },
    { onMalformed: () => {} },
  )
  hand.say(null)
  await tick()
  assert.equal(hand.sent, [[1, { code: 'E_FORBIDDEN', message: 'no', why: null, try: null, facts: {} }]])
})

test.run()
