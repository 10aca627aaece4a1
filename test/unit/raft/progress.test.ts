// What the leader believes of one peer: windows, stale answers, and the invariant match < next.
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Progress } from '../../../raft/progress.ts'
import { emptyConfiguration } from '../../../raft/saved.ts'

const limits = { inflightMessagesMax: 3, inflightBytesMax: 100 }
const snapshot = { index: 20, term: 2, configuration: emptyConfiguration }

test('a probe is one message, then a pause until an answer', () => {
  const progress = new Progress(10, limits)
  assert.not.ok(progress.isPaused)
  progress.sent(2, 20)
  assert.ok(progress.isPaused)
  assert.is(progress.next, 10)
  assert.ok(progress.retreat(9, 5))
  assert.is(progress.next, 6)
  assert.not.ok(progress.isPaused)
})

test('streaming stops at the count of messages and at their bytes, and goes on as answers come', () => {
  const progress = new Progress(1, limits)
  progress.becomeReplicate()
  for (let i = 0; i < 3; i++) progress.sent(2, 10)
  assert.ok(progress.isPaused)
  assert.is(progress.next, 7)
  assert.ok(progress.advance(4))
  assert.is(progress.inflightMessages, 1)
  assert.not.ok(progress.isPaused)
  progress.sent(1, 100)
  assert.ok(progress.isPaused, 'the bytes are full')
})

test('an append without entries takes no place in the window', () => {
  const progress = new Progress(1, limits)
  progress.becomeReplicate()
  for (let i = 0; i < 9; i++) progress.sent(0, 0)
  assert.is(progress.inflightMessages, 0)
})

test('answers that are out of date move nothing back', () => {
  const progress = new Progress(1, limits)
  progress.becomeReplicate()
  progress.sent(5, 10)
  progress.advance(5)
  assert.not.ok(progress.advance(3))
  assert.not.ok(progress.retreat(4, 1), 'what is known to match cannot be rejected')
  assert.is(progress.match, 5)
  assert.is(progress.next, 6)
  progress.becomeProbe()
  assert.not.ok(progress.retreat(9, 1), 'that probe was never sent')
})

test('after a rejection while streaming, all that was unanswered is sent again', () => {
  const progress = new Progress(1, limits)
  progress.becomeReplicate()
  progress.sent(5, 10)
  progress.advance(2)
  assert.ok(progress.retreat(5, 2))
  assert.is(progress.next, 3)
})

test('nothing is appended while a snapshot is under way or relays do it', () => {
  const progress = new Progress(5, limits)
  progress.becomeSnapshot(snapshot)
  assert.ok(progress.isPaused)
  assert.throws(() => progress.sent(1, 1), /only a peer that is fed/)
  progress.advance(20)
  progress.becomeReplicate()
  assert.is(progress.next, 21)
  assert.is(progress.transfer, null)
  progress.becomeRelay('b', 4)
  assert.ok(progress.isPaused)
  assert.throws(() => progress.sent(1, 1), /only a peer that is fed/)
  progress.becomeProbe()
  assert.is(progress.upstream, null)
})

test('match stays below next whatever happens', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('advance'), index: fc.nat(30) }),
    fc.record({ do: fc.constant('retreat'), index: fc.nat(30), hint: fc.nat(30) }),
    fc.record({ do: fc.constantFrom('probe', 'replicate', 'snapshot', 'relay', 'send') }),
  )
  fc.assert(
    fc.property(fc.array(step), steps => {
      const progress = new Progress(10, limits)
      for (const taken of steps) {
        const match = progress.match
        if (taken.do === 'advance' && 'index' in taken) progress.advance(taken.index)
        if ('hint' in taken) progress.retreat(taken.index, taken.hint)
        if (taken.do === 'probe') progress.becomeProbe()
        if (taken.do === 'replicate') progress.becomeReplicate()
        if (taken.do === 'snapshot') progress.becomeSnapshot(snapshot)
        if (taken.do === 'relay') progress.becomeRelay('b', 4)
        if (taken.do === 'send' && !progress.isPaused) progress.sent(2, 10)
        assert.ok(progress.match < progress.next)
        assert.ok(progress.match >= match, 'a disk never loses what it has')
      }
    }),
  )
})

test.run()
