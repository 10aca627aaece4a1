// Leases, rule by rule, spoken to one node by hand. How they go in company: transcripts/lease-*, random-cluster.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  defaultOptions,
  type Envelope,
  emptyConfiguration,
  type Message,
  type Options,
  Raft,
  type Ready,
} from '../../../raft/index.ts'

const OPTIONS: Options = { ...defaultOptions(50), leaseTicks: 7 }
const WORD_TICKS = 9

const found = (voters: readonly string[]) => ({
  hardState: { term: 1, vote: null, commit: 1 },
  snapshot: null,
  entries: [
    { type: 'configuration', index: 1, term: 1, configuration: { ...emptyConfiguration, voters } } as const,
  ],
})

/** Node `a` of three, whose clock the test turns. */
class Subject {
  readonly raft: Raft
  now = 0
  ready: Ready
  readonly sent: Envelope[] = []
  #readCount = 0

  constructor(options: Partial<Options> = {}) {
    this.raft = new Raft('a', found(['a', 'b', 'c']), { ...OPTIONS, ...options }, () => 0)
    this.ready = this.step({ type: 'applied', index: 0 })
  }

  step(input: Parameters<Raft['step']>[0]): Ready {
    this.ready = this.raft.step(input)
    const { persist, apply, sendNow, sendAfterPersist } = this.ready
    this.sent.push(...sendNow, ...sendAfterPersist)
    const { ready } = this
    if (persist !== null) this.step({ type: 'persisted', sequence: persist.sequence })
    const last = apply.at(-1)
    if (last !== undefined) this.step({ type: 'applied', index: last.index })
    this.ready = ready
    return ready
  }

  hear(from: string, message: Message): Ready {
    return this.step({ type: 'receive', envelope: { from, to: 'a', message } })
  }

  tick(count = 1): this {
    for (let i = 0; i < count; i++) this.step({ type: 'tick', now: ++this.now })
    return this
  }

  get term(): number {
    return this.raft.status().term
  }

  get role(): string {
    return this.raft.status().role
  }

  /** The node asks, `b` elects it and, unless told otherwise, has its first entry. */
  elect(hasCommitted = true): this {
    while (this.role === 'follower') this.tick()
    this.hear('b', { type: 'preVoteResult', term: this.term + 1, granted: true })
    this.hear('b', { type: 'voteResult', term: this.term, granted: true })
    assert.is(this.role, 'leader')
    if (hasCommitted)
      this.hear('b', { type: 'appended', term: this.term, match: this.raft.status().lastIndex })
    return this
  }

  /** Ticks until heartbeats leave, and gives the number of their round. */
  heartbeat(): number {
    this.sent.length = 0
    for (;;) {
      this.tick()
      const beat = this.sent.find(({ message }) => message.type === 'heartbeat')?.message
      if (beat?.type === 'heartbeat') return beat.round
    }
  }

  answer(from: string, round: number, word: { keepsLease?: true } = { keepsLease: true }): void {
    this.hear(from, { type: 'heartbeatResult', term: this.term, round, ...word })
  }

  /** Whether a read is answered without asking anybody. */
  isAnsweredAlone(now: number | undefined = this.now): boolean {
    const key = `r${this.#readCount++}`
    const ready = this.step({ type: 'read', key, ...(now === undefined ? {} : { now }) })
    return ready.reads.some(read => read.type === 'granted' && read.key === key)
  }
}

test('a lease lasts from the start of the round, however late the answers are', () => {
  const leader = new Subject().elect()
  const round = leader.heartbeat()
  const sentAt = leader.now
  leader.tick(4)
  leader.answer('b', round)
  assert.ok(leader.isAnsweredAlone(sentAt + 6.9))
  assert.not(leader.isAnsweredAlone(sentAt + 7))
})

test('without leases, without a clock, or by a clock that was set back, it asks', () => {
  const asking = new Subject({ leaseTicks: 0 }).elect()
  asking.answer('b', asking.heartbeat())
  assert.not(asking.isAnsweredAlone())
  const leader = new Subject().elect()
  const round = leader.heartbeat()
  leader.answer('b', round)
  assert.ok(leader.isAnsweredAlone())
  const ready = leader.step({ type: 'read', key: 'no clock' })
  assert.equal(ready.reads, [])
  assert.not(leader.isAnsweredAlone(leader.now - 5))
})

test('an answer without a word is an answer, and no more', () => {
  const leader = new Subject().elect()
  leader.answer('b', leader.heartbeat(), {})
  assert.not(leader.isAnsweredAlone())
})

test('before it has committed in its own term a leader does not know what is committed', () => {
  const leader = new Subject().elect(false)
  leader.answer('b', leader.heartbeat())
  assert.not(leader.isAnsweredAlone())
})

test('a new configuration has its own quorum: the lease begins anew', () => {
  const leader = new Subject().elect()
  leader.answer('b', leader.heartbeat())
  assert.ok(leader.isAnsweredAlone())
  const changes = [{ node: 'd', role: 'voter' } as const]
  leader.step({ type: 'proposeConfiguration', key: 'k', changes, autoLeave: true })
  assert.not(leader.isAnsweredAlone())
  const round = leader.heartbeat()
  leader.answer('b', round)
  assert.not(leader.isAnsweredAlone(), 'two of four are no quorum')
  leader.answer('d', round)
  assert.ok(leader.isAnsweredAlone())
})

test('a lease ends with its term', () => {
  const leader = new Subject().elect()
  leader.answer('b', leader.heartbeat())
  const { now } = leader
  leader.hear('c', { type: 'newerTerm', term: leader.term + 1 })
  assert.is(leader.role, 'follower')
  leader.elect()
  assert.not(leader.isAnsweredAlone(now + 1), 'nobody has answered the leader of this term')
})

test('who gave its word does not campaign, though all others would have it', () => {
  const follower = new Subject()
  follower.tick(WORD_TICKS)
  follower.hear('b', { type: 'heartbeat', term: 2, commit: 0, round: 1 })
  follower.step({ type: 'peerDisconnected', peer: 'b' })
  assert.is(follower.role, 'preCandidate')
  const grant = { type: 'preVoteResult', term: 3, granted: true } as const
  follower.hear('c', grant)
  follower.tick(WORD_TICKS - 1)
  follower.hear('c', grant)
  assert.is(follower.role, 'preCandidate')
  follower.tick()
  follower.hear('c', grant)
  assert.is(follower.role, 'candidate')
})

test('a newer term does not end a word, the leader’s own wish does', () => {
  const follower = new Subject()
  follower.tick(WORD_TICKS)
  follower.hear('b', { type: 'heartbeat', term: 2, commit: 0, round: 1 })
  follower.hear('c', { type: 'preVoteResult', term: 5, granted: false })
  assert.is(follower.term, 5, 'a late refusal brings news of a term that nobody leads')
  const vote = { type: 'vote', term: 6, lastIndex: 9, lastTerm: 5, isTransfer: false } as const
  const isGranted = (): boolean =>
    follower.sent.some(({ message }) => message.type === 'voteResult' && message.granted)
  follower.hear('c', vote)
  assert.not(isGranted())
  follower.hear('c', { ...vote, isTransfer: true })
  assert.ok(isGranted())
})

test('a lease that would outlast the patience of its voters is refused', () => {
  assert.throws(() => new Subject({ leaseTicks: 9 }), /a lease ends before the shortest election timeout/)
  assert.throws(() => new Subject({ leaseTicks: -1 }), /positive/)
})

test.run()
