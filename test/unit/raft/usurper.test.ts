// Who has no vote, and leads or campaigns all the same: a broken node, or one that lies.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Entry, emptyConfiguration, type Message, type SavedState } from '../../../raft/index.ts'
import { Subject, typesOf } from '../../harness/raft-subject.ts'

const configuration = { ...emptyConfiguration, voters: ['a', 'b', 'c'], learners: ['l'] }
const first: Entry = { type: 'configuration', index: 1, term: 1, configuration }
const state: SavedState = {
  hardState: { term: 1, vote: null, commit: 1 },
  snapshot: null,
  entries: [first],
}

const lies = (term: number): readonly Message[] => [
  { type: 'append', term, prevIndex: 1, prevTerm: 1, entries: [{ type: 'noop', index: 2, term }], commit: 2 },
  { type: 'heartbeat', term, commit: 1, round: 1 },
  {
    type: 'installSnapshot',
    term,
    snapshot: { index: 9, term: 1, configuration },
    offset: 0,
    data: new Uint8Array(1),
    isLast: true,
  },
  { type: 'assignUpstreams', term, upstreams: ['c'], reportTicks: 1, patienceTicks: 1 },
  { type: 'timeoutNow', term },
  { type: 'vote', term, lastIndex: 9, lastTerm: 1, isTransfer: true },
]

/** It follows b. */
const follower = () => new Subject(state).hear('b', { type: 'heartbeat', term: 1, commit: 1, round: 1 })

test('while a leader lives, a learner and a stranger can neither lead nor campaign', () => {
  for (const subject of [follower(), new Subject(state).leadFully()])
    for (const from of ['l', 'stranger'])
      for (const message of lies(subject.raft.status().term + 5)) {
        const before = subject.raft.status()
        subject.hear(from, message)
        const after = subject.raft.status()
        assert.is(after.term, before.term, `${message.type} of ${from}`)
        assert.is(after.leader, before.leader)
        assert.is(after.role, before.role)
        assert.is(after.lastIndex, before.lastIndex)
        assert.equal(subject.ready.sendNow, [])
        assert.equal(subject.ready.facts, [
          { type: 'messageDropped', from, message: message.type, reason: 'the sender is no voter' },
        ])
      }
})

test('a voter may still begin a newer term', () => {
  const subject = follower().hear('c', { type: 'heartbeat', term: 4, commit: 1, round: 1 })
  assert.is(subject.raft.status().leader, 'c')
  assert.is(subject.raft.status().term, 4)
})

test('who has missed the leader for a while follows whoever leads: its configuration may be the older one', () => {
  const subject = follower().tick(10)
  subject.hear('l', { type: 'heartbeat', term: 4, commit: 1, round: 1 })
  assert.is(subject.raft.status().leader, 'l')
})

test('a leader without a vote, which is being removed, does not make others strangers', () => {
  const without = { ...configuration, voters: ['a', 'c'], learners: [] }
  const entries: readonly Entry[] = [
    first,
    { type: 'configuration', index: 2, term: 1, configuration: without },
  ]
  const subject = new Subject({ ...state, entries })
  subject.hear('b', { type: 'heartbeat', term: 1, commit: 1, round: 1 })
  subject.hear('d', { type: 'vote', term: 2, lastIndex: 3, lastTerm: 1, isTransfer: true })
  assert.is(subject.raft.status().term, 2)
  assert.equal(typesOf(subject.ready.sendAfterPersist), ['voteResult'])
})

test.run()
