// What hangs on ticks: when a node campaigns, when it helps others to be elected, when a snapshot is given up.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultOptions, emptyConfiguration } from '../../../raft/index.ts'
import { prng } from '../../harness/prng.ts'
import { propose, Subject, saved } from '../../harness/raft-subject.ts'

const OPTIONS = defaultOptions(50)

/** Ticks until it campaigns. */
const patienceOf = (subject: Subject): number => {
  for (let ticks = 1; ticks <= 2 * OPTIONS.electionTicksMax; ticks++)
    if (subject.tick(1).raft.status().role !== 'follower') return ticks
  throw new Error('it never campaigns')
}

test('election timeouts are drawn from the whole range, and drawn anew after each sign of a newer term', () => {
  const dice = prng(1, 'timeouts')
  const drawn = new Set<number>()
  for (let round = 0; round < 300; round++) {
    const subject = new Subject(saved(), {}, dice.random)
    for (let term = 2; term < 4; term++) {
      subject.hear('b', { type: 'vote', term, lastIndex: 0, lastTerm: 0, isTransfer: false })
      drawn.add(patienceOf(subject))
    }
  }
  const { electionTicksMin: min, electionTicksMax: max } = OPTIONS
  const all = Array.from({ length: max - min + 1 }, (_, position) => min + position)
  assert.equal(
    [...drawn].sort((a, b) => a - b),
    all,
  )
})

test('a word of the leader puts the campaign off, and a vote for somebody else does, too', () => {
  const subject = new Subject(saved())
  for (let round = 0; round < 5; round++) {
    subject.tick(OPTIONS.electionTicksMin - 1)
    subject.hear('b', { type: 'heartbeat', term: 1, commit: 1, round })
  }
  assert.is(subject.raft.status().role, 'follower')
  subject.tick(OPTIONS.electionTicksMin - 1)
  subject.hear('c', { type: 'vote', term: 2, lastIndex: 1, lastTerm: 1, isTransfer: true })
  assert.is(subject.raft.status().vote, 'c')
  assert.is(patienceOf(subject), OPTIONS.electionTicksMin)
})

test('who would rather not lead waits an election timeout longer, and not for ever', () => {
  const { electionTicksMin: min, electionTicksMax: max } = OPTIONS
  const reluctance = (isReluctant: boolean) => ({ type: 'reluctance', isReluctant }) as const
  assert.is(patienceOf(new Subject(saved()).step(reluctance(true))), min + max)
  assert.is(patienceOf(new Subject(saved()).step(reluctance(true)).step(reluctance(true))), min + max)
  assert.is(patienceOf(new Subject(saved()).step(reluctance(true)).step(reluctance(false))), min)
  const late = new Subject(saved()).tick(min - 1).step(reluctance(true))
  assert.is(patienceOf(late), max + 1, 'what it has waited already counts')
})

/** A leader that is sending c a snapshot of entry 2, for its log no longer reaches back to what c lacks. */
const feeding = (): Subject => {
  const subject = new Subject(saved()).leadFully()
  subject.step({ type: 'applied', index: 2 }).step({ type: 'compact', index: 2, trailing: 0 }).persist()
  subject.hear('c', { type: 'appendRejected', term: 2, prevIndex: 1, hintIndex: 0, hintTerm: 0 })
  const [read] = subject.ready.snapshotReads
  assert.is(read?.to, 'c')
  assert.is(read?.snapshot.index, 2)
  return subject
}

const peer = (subject: Subject, id: string) => subject.raft.status().peers.find(one => one.id === id)

/** Everybody is alive, and time passes. */
const wait = (subject: Subject, ticks: number): void => {
  for (let tick = 0; tick < ticks; tick++) {
    subject.hear('b', { type: 'heartbeatResult', term: 2, round: 0 })
    subject.hear('c', { type: 'heartbeatResult', term: 2, round: 0 }).tick(1)
  }
}

test('a snapshot that cannot be read is given up after a while, and the peer is probed again', () => {
  const subject = feeding()
  subject.step({ type: 'snapshotReadFailed', to: 'c', index: 2 })
  wait(subject, OPTIONS.electionTicksMin - 1)
  assert.is(peer(subject, 'c')?.state, 'snapshot', 'a disk that failed once is left in peace for a moment')
  subject.hear('c', { type: 'heartbeatResult', term: 2, round: 0 }).tick(1)
  assert.ok(subject.ready.facts.some(fact => fact.type === 'snapshotAborted' && fact.to === 'c'))
  assert.is(peer(subject, 'c')?.state, 'probe')
})

test('nothing is appended to a peer while it is fed a snapshot, and it is given the rest afterwards', () => {
  const subject = feeding()
  subject.step(propose(1))
  assert.equal(
    subject.ready.sendNow.map(({ to }) => to),
    ['b'],
  )
  const data = new Uint8Array(4)
  subject.step({ type: 'snapshotBytes', to: 'c', index: 2, offset: 0, data, isLast: true })
  subject.hear('c', { type: 'appended', term: 2, match: 2 })
  const [append] = subject.ready.sendNow.map(({ message }) => message)
  assert.is(append?.type === 'append' && append.entries[0]?.index, 3)
  assert.is(peer(subject, 'c')?.state, 'replicate')
})

test('no snapshot is read for a peer that has been silent for an election timeout', () => {
  const subject = new Subject(saved()).leadFully()
  for (let tick = 0; tick < OPTIONS.electionTicksMax; tick++)
    subject.hear('b', { type: 'heartbeatResult', term: 2, round: 0 }).tick(1)
  subject.step({ type: 'applied', index: 2 }).step({ type: 'compact', index: 2, trailing: 0 }).persist()
  subject.step(propose(1))
  assert.equal(subject.ready.snapshotReads, [])
})

test('a joiner that was given the configuration of its cluster still waits to be made a voter', () => {
  const configuration = { ...emptyConfiguration, voters: ['b', 'c'], learners: ['a'] }
  const learner = new Subject({
    hardState: { term: 1, vote: null, commit: 1 },
    snapshot: null,
    entries: [{ type: 'configuration', index: 1, term: 1, configuration }],
  })
  assert.throws(() => patienceOf(learner), /never campaigns/)
  learner.hear('b', { type: 'timeoutNow', term: 1 })
  assert.is(learner.raft.status().role, 'follower', 'nor does it campaign on demand')
})

test('word that a snapshot is kept is about the one that came whole, not about the next leader’s, which is on its way', () => {
  const configuration = { ...emptyConfiguration, voters: ['a', 'b', 'c'] }
  const snapshot = { index: 9, term: 1, configuration }
  const chunk = (term: number, isLast: boolean) =>
    ({ type: 'installSnapshot', term, snapshot, offset: 0, data: new Uint8Array(4), isLast }) as const
  const subject = new Subject(saved()).hear('b', chunk(2, true)).hear('c', chunk(3, false))
  subject.step({ type: 'snapshotReceived', index: 9 })
  assert.is(subject.ready.install, null)
  subject.hear('c', { ...chunk(3, true), offset: 4 }).step({ type: 'snapshotReceived', index: 9 })
  assert.is(subject.ready.install?.index, 9)
})

test('a leader that has not committed in its own term may know less than is committed, so it makes nobody fresh', () => {
  const subject = new Subject(saved(1, 1))
  const ageAfter = (ticks: number): number => subject.tick(ticks).raft.status().ticksSinceCommitHeard
  const append = { type: 'append', term: 1, prevIndex: 3, prevTerm: 1, entries: [], commit: 2 } as const
  subject.hear('b', append)
  assert.is(ageAfter(2), 2)
  subject.hear('c', { ...append, term: 2 })
  assert.is(ageAfter(1), 3, 'entry 3 may have been committed by the leader before')
  const noop = { type: 'noop', index: 4, term: 2 } as const
  subject.hear('c', { ...append, term: 2, entries: [noop], commit: 4 })
  assert.is(ageAfter(0), 0)
  subject.tick(1).hear('c', { type: 'heartbeat', term: 2, commit: 4, commitBeyond: 9, round: 1 })
  assert.is(ageAfter(0), 1, 'it is behind, and cannot know')
  assert.is(subject.raft.status().commitHeard, 9)
})

test('a chunk of a snapshot is a sign of life, and none of how much is committed', () => {
  const subject = new Subject(saved(1)).hear('b', { type: 'heartbeat', term: 1, commit: 2, round: 1 }).tick(2)
  const configuration = { ...emptyConfiguration, voters: ['a', 'b', 'c'] }
  const snapshot = { index: 9, term: 1, configuration }
  subject.hear('b', {
    type: 'installSnapshot',
    term: 1,
    snapshot,
    offset: 0,
    data: new Uint8Array(1),
    isLast: false,
  })
  assert.is(subject.raft.status().ticksSinceLeader, 0)
  assert.is(subject.raft.status().ticksSinceCommitHeard, 2)
})

test('the age of a quorum is that of its oldest member, and that of both quorums in a joint phase', () => {
  const subject = new Subject(saved(1)).leadFully()
  const ageAfter = (ticks: number): number => subject.tick(ticks).raft.status().ticksSinceQuorum
  assert.is(ageAfter(3), 3, 'b was heard last')
  subject.hear('c', { type: 'heartbeatResult', term: 2, round: 0 })
  assert.is(ageAfter(0), 0)
  const changes = [
    { node: 'd', role: 'voter' },
    { node: 'e', role: 'voter' },
    { node: 'b', role: 'removed' },
  ] as const
  subject.step({ type: 'proposeConfiguration', key: 'joint', changes, autoLeave: false })
  assert.is(ageAfter(2), 2)
  subject.hear('d', { type: 'heartbeatResult', term: 2, round: 0 })
  assert.is(ageAfter(0), 2, 'd does not count among the old ones')
  subject.hear('c', { type: 'heartbeatResult', term: 2, round: 0 })
  assert.is(ageAfter(0), 0)
})

test.run()
