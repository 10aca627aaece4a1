// What the disk is known to hold: only what an acknowledgement can prove, through truncations and snapshots.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Log } from '../../../raft/log.ts'
import { type Entry, emptyConfiguration, joinerState } from '../../../raft/saved.ts'
import { Writes } from '../../../raft/writes.ts'

const noops = (first: number, ...terms: number[]): Entry[] =>
  terms.map((term, position) => ({ type: 'noop', index: first + position, term }))

const state = (term: number, commit = 0) => ({ term, vote: null, commit })

const begin = () => ({ log: new Log(joinerState()), writes: new Writes(0, state(0)) })

test('a write holds what is new, once, and counts when it is acknowledged', () => {
  const { log, writes } = begin()
  log.append(noops(1, 1, 1))
  const write = writes.take(log, state(1))!
  assert.is(write.sequence, 1)
  assert.is(write.entries.length, 2)
  assert.equal(write.hardState, state(1))
  assert.is(writes.take(log, state(1)), null)
  assert.is(writes.persistedIndex, 0)
  writes.acknowledge(1)
  assert.is(writes.persistedIndex, 2)
})

test('a new commit index alone is not worth a write, but goes along with the next', () => {
  const { log, writes } = begin()
  assert.is(writes.take(log, state(0, 7)), null)
  log.append(noops(1, 1))
  assert.equal(writes.take(log, state(0, 7))!.hardState, state(0, 7))
})

test('one acknowledgement covers all writes before it', () => {
  const { log, writes } = begin()
  for (let index = 1; index <= 3; index++) {
    log.append(noops(index, 1))
    writes.take(log, state(1))
  }
  writes.acknowledge(3)
  assert.is(writes.persistedIndex, 3)
  assert.throws(() => writes.acknowledge(4), /handed out/)
})

test('an entry that was cut off and came back is not durable by the acknowledgement of its first life', () => {
  const { log, writes } = begin()
  log.append(noops(1, 1, 1, 1))
  writes.take(log, state(1))
  log.truncate(2)
  writes.truncated(2)
  log.append(noops(2, 2))
  const second = writes.take(log, state(2))!
  assert.is(second.truncateFrom, 2)
  log.truncate(2)
  writes.truncated(2)
  log.append(noops(2, 1, 1))
  writes.take(log, state(3))

  writes.acknowledge(1)
  assert.is(writes.persistedIndex, 1, 'the disk will yet cut 2 and 3 off')
  writes.acknowledge(2)
  assert.is(writes.persistedIndex, 1)
  writes.acknowledge(3)
  assert.is(writes.persistedIndex, 3)
})

test('entries that never reached the disk need no cutting there', () => {
  const { log, writes } = begin()
  log.append(noops(1, 1, 1))
  log.truncate(2)
  writes.truncated(2)
  const write = writes.take(log, state(1))!
  assert.is(write.truncateFrom, null)
  assert.is(write.entries.length, 1)
})

test('a snapshot takes the place of everything, and is durable when its write is', () => {
  const { log, writes } = begin()
  log.append(noops(1, 1, 1, 1))
  writes.take(log, state(1))
  const snapshot = { index: 9, term: 2, configuration: emptyConfiguration }
  log.reset(snapshot)
  writes.replaced(snapshot, 1)
  log.append(noops(10, 2))
  const write = writes.take(log, state(2, 9))!
  assert.equal(write.snapshot, snapshot)
  assert.equal(
    write.entries.map(entry => entry.index),
    [10],
  )
  writes.acknowledge(1)
  assert.is(writes.persistedIndex, 1)
  writes.acknowledge(2)
  assert.is(writes.persistedIndex, 10)
})

test.run()
