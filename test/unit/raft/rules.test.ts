// Single rules of one node, spoken to by hand. Whole conversations are in transcripts/.
import fc from 'fast-check'
import { decode, encode } from 'msgpackr'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  bootstrapState,
  type Entry,
  emptyConfiguration,
  type Input,
  joinerState,
  type Message,
  type SavedState,
} from '../../../raft/index.ts'
import { bytes, propose, Subject, saved, typesOf } from '../../harness/raft-subject.ts'

test('a request for votes leaves only when the new term and the own vote are durable', () => {
  const { ready } = new Subject(saved()).campaign()
  assert.equal(ready.persist?.hardState, { term: 2, vote: 'a', commit: 1 })
  assert.equal(typesOf(ready.sendAfterPersist), ['vote', 'vote'])
  assert.equal(ready.sendNow, [])
})

test('a candidate counts its own vote only when it is durable', () => {
  const entries: Entry[] = [{ type: 'noop', index: 2, term: 1 }]
  const subject = new Subject(saved())
  subject.hear('c', { type: 'append', term: 1, prevIndex: 1, prevTerm: 1, entries, commit: 1 }).campaign()
  const { sequence } = subject.ready.persist!
  subject.hear('b', { type: 'voteResult', term: 2, granted: true })
  assert.is(subject.raft.status().role, 'candidate')
  subject.step({ type: 'persisted', sequence: sequence - 1 })
  assert.is(subject.raft.status().role, 'candidate', 'an older write is durable, the vote is not')
  subject.step({ type: 'persisted', sequence })
  assert.is(subject.raft.status().role, 'leader')
})

test('a granted vote leaves only when it is durable, a refused one at once', () => {
  const vote = { type: 'vote', term: 2, lastIndex: 1, lastTerm: 1, isTransfer: false } as const
  const subject = new Subject(saved()).hear('b', vote)
  assert.equal(typesOf(subject.ready.sendAfterPersist), ['voteResult'])
  subject.hear('c', vote)
  assert.equal(typesOf(subject.ready.sendNow), ['voteResult'])
  assert.is(subject.raft.status().vote, 'b')
})

test('nobody votes for a candidate whose log is behind (paper §5.4.1)', () => {
  const { ready } = new Subject(saved(2, 2)).hear('b', {
    type: 'vote',
    term: 3,
    lastIndex: 2,
    lastTerm: 2,
    isTransfer: false,
  })
  assert.equal(ready.sendNow[0]?.message, { type: 'voteResult', term: 3, granted: false })
})

test('a leader sends its entries at once and counts itself only when they are durable', () => {
  const subject = new Subject(saved()).lead()
  assert.equal(typesOf(subject.ready.sendNow), ['append', 'append'])
  const { sequence } = subject.ready.persist!
  subject.hear('b', { type: 'appended', term: 2, match: 2 })
  assert.is(subject.raft.status().commitIndex, 1)
  subject.step({ type: 'persisted', sequence })
  assert.is(subject.raft.status().commitIndex, 2)
})

test('a follower commits no further than what the append proves it to share with the leader', () => {
  const subject = new Subject(saved(1, 1)).hear('b', {
    type: 'append',
    term: 2,
    prevIndex: 1,
    prevTerm: 1,
    entries: [{ type: 'noop', index: 2, term: 1 }],
    commit: 3,
  })
  assert.is(subject.raft.status().commitIndex, 2)
  assert.equal(subject.ready.sendAfterPersist[0]?.message, { type: 'appended', term: 2, match: 2 })
})

test('what is committed is applied only when it is durable here', () => {
  const subject = new Subject(saved()).hear('b', {
    type: 'append',
    term: 2,
    prevIndex: 1,
    prevTerm: 1,
    entries: [{ type: 'noop', index: 2, term: 2 }],
    commit: 2,
  })
  assert.is(subject.raft.status().commitIndex, 2)
  assert.equal(subject.ready.apply, [])
  subject.persist()
  assert.is(subject.ready.apply[0]?.index, 2)
})

test('unapplied entries are limited in bytes; more come as they are acknowledged', () => {
  const subject = new Subject(bootstrapState('a'), { applyBytesMax: 140 })
  const applied = () => subject.ready.apply.map(entry => entry.index)
  subject.step({ type: 'applied', index: 1 }).tick(10).persist().persist()
  subject.step({ type: 'applied', index: 2 })
  subject.step(propose(50, 50, 50)).persist()
  assert.equal(applied(), [3, 4])
  subject.step({ type: 'tick' })
  assert.equal(applied(), [5], 'what is left of the limit has room for at least one')
  subject.step(propose(1)).persist()
  assert.equal(applied(), [])
  subject.step({ type: 'applied', index: 4 })
  assert.equal(applied(), [6])
})

test('appends are cut at their byte limit and stop at the window', () => {
  const subject = new Subject(saved(), { appendBytesMax: 100, inflightMessagesMax: 2 }).leadFully()
  subject.step(propose(50, 50, 50, 50, 50))
  const toB = subject.ready.sendNow.filter(({ to }) => to === 'b')
  assert.equal(
    toB.map(({ message }) => message.type === 'append' && message.entries.length),
    [1, 1],
  )
  subject.hear('b', { type: 'appended', term: 2, match: 3 })
  assert.is(subject.ready.sendNow.filter(({ to }) => to === 'b').length, 1)
})

test('proposals are refused with the reason and change nothing', () => {
  const refusals = (subject: Subject) =>
    subject.ready.proposals.map(result => (result.type === 'refused' ? result.refusal : result.type))
  const follower = new Subject(saved()).hear('b', { type: 'heartbeat', term: 2, commit: 0, round: 0 })
  assert.equal(refusals(follower.step(propose(1))), [{ reason: 'notLeader', leader: 'b' }])
  const leader = new Subject(saved(), { uncommittedBytesMax: 200, entryBytesMax: 150 }).leadFully()
  assert.equal(refusals(leader.step(propose(151, 100, 100, 10))), [
    { reason: 'tooLarge' },
    'accepted',
    { reason: 'busy' },
    'accepted',
  ])
  assert.is(leader.raft.status().lastIndex, 4)
  leader.persist().hear('b', { type: 'appended', term: 2, match: 4 })
  assert.is(leader.raft.status().uncommittedBytes, 0)
  assert.equal(refusals(leader.step(propose(100))), ['accepted'])
})

test('no change of membership before the leader has committed in its own term (the single-server bug of 2015)', () => {
  const change: Input = {
    type: 'proposeConfiguration',
    key: 'change',
    changes: [{ node: 'd', role: 'learner' }],
    autoLeave: true,
  }
  const subject = new Subject(saved()).lead()
  const noop = subject.ready
  subject.step(change)
  assert.equal(subject.ready.proposals, [{ type: 'refused', key: 'change', refusal: { reason: 'notReady' } }])
  subject.ready = noop
  subject.persist().hear('b', { type: 'appended', term: 2, match: 2 })
  assert.is(subject.step(change).ready.proposals[0]?.type, 'accepted')
  assert.equal(subject.raft.status().configuration.learners, ['d'], 'it is in force when it is appended')
  assert.equal(subject.step(change).ready.proposals, [
    { type: 'refused', key: 'change', refusal: { reason: 'changeInFlight' } },
  ])
})

test('a joint change without autoLeave stays joint until it is told to leave', () => {
  const subject = new Subject(saved()).leadFully()
  const change = (changes: Extract<Input, { type: 'proposeConfiguration' }>['changes']) => {
    subject.step({ type: 'proposeConfiguration', key: 'k', changes, autoLeave: false })
    if (subject.ready.proposals[0]?.type === 'accepted') subject.persist()
    const { term, lastIndex } = subject.raft.status()
    subject.hear('b', { type: 'appended', term, match: lastIndex })
    subject.hear('c', { type: 'appended', term, match: lastIndex })
    return subject.raft.status()
  }
  const joint = change([
    { node: 'c', role: 'removed' },
    { node: 'd', role: 'voter' },
  ])
  assert.equal(joint.configuration.votersOutgoing, ['a', 'b', 'c'])
  assert.ok(joint.isConfigurationCommitted)
  assert.equal(change([{ node: 'e', role: 'learner' }]).configuration, joint.configuration)
  assert.equal(change([]).configuration.votersOutgoing, [])
})

test('a node without a configuration waits for ever, and votes when asked', () => {
  const subject = new Subject(joinerState()).tick(1000)
  assert.is(subject.raft.status().role, 'follower')
  assert.is(subject.raft.status().term, 0)
  subject.hear('b', { type: 'vote', term: 5, lastIndex: 3, lastTerm: 4, isTransfer: false })
  assert.is(subject.raft.status().vote, 'b')
})

test('reads beyond the limit are refused, and every read is answered once', () => {
  const subject = new Subject(saved(), { readsPendingMax: 2 }).leadFully()
  const answers: string[] = []
  for (const key of ['one', 'two', 'three']) {
    subject.step({ type: 'read', key })
    answers.push(...subject.ready.reads.map(read => `${read.key} ${read.type}`))
  }
  assert.equal(answers, ['three refused'])
  subject.step({ type: 'persisted', sequence: 2 }).step({ type: 'applied', index: 2 })
  subject.hear('b', { type: 'heartbeatResult', term: 2, round: 1 })
  assert.equal(subject.ready.reads, [{ type: 'granted', key: 'one', index: 2 }])
  subject.hear('b', { type: 'heartbeatResult', term: 2, round: 2 })
  assert.equal(subject.ready.reads, [{ type: 'granted', key: 'two', index: 2 }])
})

test('a breach of the duties is an assertion', () => {
  const subject = new Subject(bootstrapState('a'))
  assert.throws(() => subject.step({ type: 'persisted', sequence: 9 }), /handed out/)
  assert.throws(() => subject.step({ type: 'applied', index: 9 }), /handed out/)
  assert.throws(() => subject.step({ type: 'compact', index: 9, trailing: 0 }), /was applied/)
  assert.throws(() => new Subject(bootstrapState('a'), { heartbeatTicks: 99 }), /heartbeat interval/)
  assert.throws(() => new Subject({ ...bootstrapState('a'), entries: [] }), /committed here is stored/)
})

test('no message whatever brings a node down', () => {
  const types: Message['type'][] = [
    'preVote',
    'preVoteResult',
    'vote',
    'voteResult',
    'append',
    'appended',
    'appendRejected',
  ]
  types.push('heartbeat', 'heartbeatResult', 'installSnapshot', 'snapshotProgress', 'timeoutNow', 'readIndex')
  types.push('readIndexResult', 'newerTerm', 'assignUpstreams', 'pull', 'pulled', 'pullRefused', 'report')
  const count = fc.oneof(fc.nat(6), fc.constantFrom(-1, 1.5, null, 'x', 2 ** 53))
  const entry = fc.record({
    type: fc.constantFrom('noop', 'normal', 'configuration'),
    index: fc.nat(6),
    term: fc.nat(4),
    data: fc.constantFrom(bytes(1), 'x'),
    configuration: fc.constantFrom({ ...emptyConfiguration, voters: ['b'] }, emptyConfiguration, {}),
  })
  const snapshot = fc.record({
    index: fc.nat(6),
    term: fc.nat(4),
    configuration: fc.constantFrom(emptyConfiguration, { ...emptyConfiguration, voters: ['a', 'b'] }, 7),
  })
  const flag = fc.constantFrom(true, false, 0)
  const message = fc.record({
    type: fc.constantFrom<string>(...types, 'nonsense', '__proto__'),
    term: fc.oneof({ weight: 9, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: count }),
    lastIndex: count,
    lastTerm: count,
    granted: flag,
    isTransfer: flag,
    prevIndex: fc.nat(4),
    prevTerm: fc.nat(4),
    entries: fc.array(entry, { maxLength: 3 }),
    commit: count,
    match: count,
    hintIndex: count,
    hintTerm: count,
    round: count,
    snapshot,
    offset: fc.nat(3),
    data: fc.constantFrom(bytes(2), 'x'),
    isLast: flag,
    index: count,
    nextOffset: count,
    id: count,
    upstreams: fc.constantFrom(['b'], ['b', 'c'], ['a'], [], [7], 'b'),
    reportTicks: count,
    patienceTicks: count,
    leader: fc.constantFrom('a', 'b', 'c', null, 7),
    upstream: fc.constantFrom('a', 'b', null, 7),
    age: count,
    commitAge: count,
    commitBeyond: count,
  })
  const ordered = message.map(value => ({
    ...value,
    entries: value.entries.map((each, position) => ({ ...each, index: value.prevIndex + 1 + position })),
  }))
  const configuration = { ...emptyConfiguration, voters: ['b', 'c'], learners: ['a'] }
  const learning: SavedState = {
    ...saved(),
    entries: [{ type: 'configuration', index: 1, term: 1, configuration }],
  }
  const input = fc.oneof(
    { weight: 6, arbitrary: fc.oneof(message, ordered, fc.anything()) },
    { weight: 1, arbitrary: fc.constant('tick') },
  )
  fc.assert(
    fc.property(
      fc.constantFrom('leads', 'follows', 'learns'),
      fc.array(fc.tuple(fc.constantFrom('b', 'c', 'z', 'a'), input)),
      (role, conversation) => {
        const subject = new Subject(role === 'learns' ? learning : saved(1, 1))
        if (role === 'leads') subject.leadFully()
        for (const [from, heard] of conversation) {
          if (heard === 'tick') subject.tick(1)
          else subject.hear(from, heard as Message)
          const { persist, install, apply } = subject.ready
          if (persist) subject.step({ type: 'persisted', sequence: persist.sequence })
          const index = apply.at(-1)?.index ?? install?.index
          if (index !== undefined) subject.step({ type: 'applied', index })
          for (const write of subject.ready.snapshotWrites)
            if (write.isLast) subject.step({ type: 'snapshotReceived', index: write.snapshot.index })
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('everything that goes out survives msgpack unchanged', () => {
  const subject = new Subject(saved()).leadFully()
  subject.step(propose(3))
  for (const { message } of subject.ready.sendNow)
    assert.equal(normal(decode(encode(message))), normal(message))
  assert.equal(normal(decode(encode(subject.ready.persist))), normal(subject.ready.persist))
})

/** msgpack gives a Buffer where a Uint8Array went in. */
const normal = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, field) =>
      field?.type === 'normal' ? { ...field, data: [...field.data] } : field,
    ),
  )

test.run()
