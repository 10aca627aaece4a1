/**
 * Sees each submitted command and each read barrier of this node through to its end: asks the leader (the own core or
 * another node), asks again under the same request id when leaders change or connections break, and answers
 * once the entry is applied here. Says early when there is no quorum, rather than at a long deadline.
 */
import type { Outcome } from '../../scheduler/index.ts'
import type { ActorRef, Behavior, Context } from '../actor/actor.ts'
import { Failure } from '../errors.ts'
import type { PeerId } from './consensus.ts'
import type { Ask } from './propose.ts'
import type { ProposeReply, RaftMessage, ReadReply } from './raft-protocol.ts'
import type { Settled, Store } from './store.ts'

export type SubmitSettings = {
  /** Requests that may wait on one node; more are refused with E_BUSY. */
  readonly pendingMax: number
  /** Before a refused or failed attempt is made again. */
  readonly retryMs: number
  /** Before an attempt without an answer, or an accepted entry that is not applied, is asked for again. */
  readonly attemptMs: number
  /** With no leader known for so long, there is no quorum on this side. */
  readonly leaderlessMs: number
  /** A request waits at least so long before that is held against it. */
  readonly patienceMs: number
}

export type SubmitDeps = {
  readonly self: PeerId
  readonly settings: SubmitSettings
  /** False: dropped on the way out. */
  readonly send: (to: PeerId, ask: Ask) => boolean
  readonly raft: ActorRef<RaftMessage>
  readonly store: Pick<Store, 'state'>
  /** The leader as the raft actor sees it now; read at each start, changes come as messages. */
  readonly leader: () => PeerId | null
  /** Whether this node was ever part of a configuration. */
  readonly hasConfiguration: () => boolean
}

type Waiter<Value> = {
  readonly timeoutMs: number
  readonly resolve: (value: Value) => void
  readonly reject: (failure: Failure) => void
}

export type SubmitMessage =
  | ({
      readonly type: 'submit/Write'
      readonly requestId: string
      readonly data: Uint8Array
    } & Waiter<Outcome>)
  | ({ readonly type: 'submit/Read' } & Waiter<number>)
  | { readonly type: 'submit/Settled'; readonly settled: readonly Settled[] }
  | { readonly type: 'submit/LeaderChanged'; readonly leader: PeerId | null; readonly term: number }
  /** A connection closed, and what was under way on it may be lost. */
  | { readonly type: 'submit/PeerGone'; readonly peer: PeerId }
  /** What the leader makes of one attempt. A leader on another node speaks only to refuse. */
  | {
      readonly type: 'submit/Answered'
      readonly key: string
      readonly attempt: number
      readonly reply: ProposeReply
    }
  /** The disk refuses, and everything that waits is told so; null: it works again. */
  | { readonly type: 'submit/Fatal'; readonly failure: Failure | null }
  | Private

type Private =
  | {
      readonly type: 'submit/ReadAnswered'
      readonly key: string
      readonly attempt: number
      readonly reply: ReadReply
    }
  | { readonly type: 'submit/Again'; readonly key: string; readonly attempt: number }
  | { readonly type: 'submit/Leaderless'; readonly key: string }
  | { readonly type: 'submit/Expired'; readonly key: string; readonly waiterId: number }

type Work = { readonly type: 'write'; readonly data: Uint8Array } | { readonly type: 'read' }

type Pending = {
  readonly key: string
  readonly work: Work
  readonly sinceMs: number
  readonly waiters: Map<
    number,
    { resolve(value: Outcome | number): void; reject(failure: Failure): void; cancel(): void }
  >
  /** Counts attempts; an answer to an earlier one is ignored. */
  attempt: number
  /** A leader may have taken it, so its fate is unknown until it is applied. */
  wasSent: boolean
  isWaitingForLeader: boolean
  cancelTimer: () => void
}

export const submitActor = (deps: SubmitDeps): Behavior<SubmitMessage> => new SubmitActor(deps)

class SubmitActor implements Behavior<SubmitMessage> {
  readonly #deps: SubmitDeps
  readonly #pending = new Map<string, Pending>()
  #leader: PeerId | null = null
  #leaderlessSinceMs = 0
  #fatal: Failure | null = null
  #waiterCount = 0

  constructor(deps: SubmitDeps) {
    this.#deps = deps
  }

  start(ctx: Context<SubmitMessage>): void {
    this.#leaderlessSinceMs = ctx.monotonicMs()
    this.#leader = this.#deps.leader()
  }

  stop(): void {
    for (const pending of [...this.#pending.values()]) this.#reject(pending, stopping())
  }

  receive(message: SubmitMessage, ctx: Context<SubmitMessage>): void {
    switch (message.type) {
      case 'submit/Write':
        return this.#write(message, ctx)
      case 'submit/Read':
        return this.#wait(
          `read ${this.#waiterCount}`,
          { type: 'read' },
          message as Waiter<Outcome | number>,
          ctx,
        )
      case 'submit/Settled':
        for (const { requestId, outcome } of message.settled) {
          const pending = this.#pending.get(requestId)
          if (pending !== undefined) this.#resolve(pending, outcome)
        }
        return
      case 'submit/LeaderChanged':
        return this.#leaderChanged(message.leader, ctx)
      case 'submit/PeerGone':
        return this.#peerGone(message.peer, ctx)
      case 'submit/Fatal':
        return this.#setFatal(message.failure)
      case 'submit/Expired':
        return this.#expired(message.key, message.waiterId)
      case 'submit/Leaderless':
        return this.#leaderless(message.key, ctx)
      default:
        return this.#continue(message, ctx)
    }
  }

  #write(message: Extract<SubmitMessage, { type: 'submit/Write' }>, ctx: Context<SubmitMessage>): void {
    const outcome = this.#deps.store.state().requests.get(message.requestId)
    if (outcome !== undefined) return message.resolve(outcome)
    this.#wait(
      message.requestId,
      { type: 'write', data: message.data },
      message as Waiter<Outcome | number>,
      ctx,
    )
  }

  /** A second caller with the same request id joins the first one's attempts. */
  #wait(key: string, work: Work, waiter: Waiter<Outcome | number>, ctx: Context<SubmitMessage>): void {
    if (this.#fatal !== null) return waiter.reject(this.#fatal)
    const known = this.#pending.get(key)
    if (known === undefined && this.#pending.size >= this.#deps.settings.pendingMax)
      return waiter.reject(busy('too many requests wait on this node'))
    const pending = known ?? {
      key,
      work,
      sinceMs: ctx.monotonicMs(),
      waiters: new Map(),
      attempt: 0,
      wasSent: false,
      isWaitingForLeader: false,
      cancelTimer: () => undefined,
    }
    const waiterId = ++this.#waiterCount
    const cancel = ctx.after(waiter.timeoutMs, { type: 'submit/Expired', key, waiterId })
    pending.waiters.set(waiterId, { resolve: waiter.resolve, reject: waiter.reject, cancel })
    if (known !== undefined) return
    this.#pending.set(key, pending)
    this.#attempt(pending, ctx)
  }

  #attempt(pending: Pending, ctx: Context<SubmitMessage>): void {
    // A snapshot may have brought it, and then no entry tells.
    if (this.#settleFromState(pending)) return
    const { key, work } = pending
    const attempt = ++pending.attempt
    const { self, raft, send, settings } = this.#deps
    pending.isWaitingForLeader = this.#leader === null
    if (this.#leader === null) return this.#waitForLeader(pending, ctx)
    this.#setTimer(pending, settings.attemptMs, { type: 'submit/Again', key, attempt }, ctx)
    if (work.type === 'read')
      return raft.send({
        type: 'raft/Read',
        replyTo: reply => ctx.self.send({ type: 'submit/ReadAnswered', key, attempt, reply }),
      })
    pending.wasSent = true
    if (this.#leader === self)
      return raft.send({
        type: 'raft/Propose',
        data: work.data,
        replyTo: reply => ctx.self.send({ type: 'submit/Answered', key, attempt, reply }),
      })
    if (!send(this.#leader, { type: 'ask', requestId: key, attempt, data: work.data }))
      this.#again(pending, ctx)
  }

  /** What belongs to one attempt of one request. */
  #continue(
    message: Extract<SubmitMessage, { type: 'submit/Again' | 'submit/Answered' | 'submit/ReadAnswered' }>,
    ctx: Context<SubmitMessage>,
  ): void {
    const pending = this.#pending.get(message.key)
    if (pending === undefined || pending.attempt !== message.attempt) return
    switch (message.type) {
      case 'submit/Again':
        return this.#attempt(pending, ctx)
      case 'submit/Answered':
        return this.#answered(pending, message.reply, ctx)
      case 'submit/ReadAnswered':
        if (message.reply.type === 'granted') return this.#resolve(pending, message.reply.index)
        if (message.reply.reason === 'busy') return this.#reject(pending, busy('too many reads wait'))
        return this.#again(pending, ctx)
    }
  }

  #answered(pending: Pending, reply: ProposeReply, ctx: Context<SubmitMessage>): void {
    if (reply.type === 'accepted') {
      const { index } = this.#deps.store.state()
      // Applied here already, and it was not ours: an entry of a leader that lost its place.
      if (index >= reply.index && !this.#settleFromState(pending)) this.#again(pending, ctx)
      return
    }
    switch (reply.reason) {
      case 'busy':
        return this.#reject(pending, busy('too much waits for a quorum'))
      case 'tooLarge':
        return this.#reject(pending, tooLarge())
      case 'invalid':
        return this.#reject(pending, new Failure('E_INVALID', reply.detail))
      case 'forbidden':
        return this.#reject(pending, new Failure('E_FORBIDDEN', reply.detail))
      case 'notLeader':
      case 'transferring':
      case 'notReady':
      case 'changeInFlight':
        return this.#again(pending, ctx)
    }
  }

  #settleFromState(pending: Pending): boolean {
    const outcome = this.#deps.store.state().requests.get(pending.key)
    if (outcome !== undefined) this.#resolve(pending, outcome)
    return outcome !== undefined
  }

  #again(pending: Pending, ctx: Context<SubmitMessage>): void {
    const { retryMs } = this.#deps.settings
    const attempt = ++pending.attempt
    const delayMs = retryMs * (0.5 + ctx.random())
    this.#setTimer(pending, delayMs, { type: 'submit/Again', key: pending.key, attempt }, ctx)
  }

  /** A request waits for one thing at a time. */
  #setTimer(pending: Pending, delayMs: number, message: SubmitMessage, ctx: Context<SubmitMessage>): void {
    pending.cancelTimer()
    pending.cancelTimer = ctx.after(delayMs, message)
  }

  /** A new leader may or may not have what the old one accepted; the request id makes asking again safe. */
  #leaderChanged(leader: PeerId | null, ctx: Context<SubmitMessage>): void {
    if (leader === null && this.#leader !== null) this.#leaderlessSinceMs = ctx.monotonicMs()
    this.#leader = leader
    for (const pending of [...this.#pending.values()])
      if (leader !== null) this.#attempt(pending, ctx)
      else if (!pending.isWaitingForLeader) this.#waitForLeader(pending, ctx)
  }

  #peerGone(peer: PeerId, ctx: Context<SubmitMessage>): void {
    if (peer === this.#leader) for (const pending of this.#pending.values()) this.#again(pending, ctx)
  }

  #waitForLeader(pending: Pending, ctx: Context<SubmitMessage>): void {
    const { leaderlessMs, patienceMs } = this.#deps.settings
    pending.isWaitingForLeader = true
    const atMs = Math.max(this.#leaderlessSinceMs + leaderlessMs, pending.sinceMs + patienceMs)
    const delayMs = Math.max(0, atMs - ctx.monotonicMs())
    this.#setTimer(pending, delayMs, { type: 'submit/Leaderless', key: pending.key }, ctx)
  }

  #leaderless(key: string, ctx: Context<SubmitMessage>): void {
    const pending = this.#pending.get(key)
    if (pending === undefined || this.#leader !== null || !this.#deps.hasConfiguration()) return
    // The leader may have come and gone since this timer was set.
    if (ctx.monotonicMs() < this.#leaderlessSinceMs + this.#deps.settings.leaderlessMs)
      return this.#waitForLeader(pending, ctx)
    this.#reject(pending, noQuorum(pending.wasSent))
  }

  #expired(key: string, waiterId: number): void {
    const pending = this.#pending.get(key)
    const waiter = pending?.waiters.get(waiterId)
    if (pending === undefined || waiter === undefined) return
    pending.waiters.delete(waiterId)
    if (pending.waiters.size === 0) this.#end(pending)
    if (this.#leader !== null) waiter.reject(timedOut(pending.wasSent))
    else waiter.reject(this.#deps.hasConfiguration() ? noQuorum(pending.wasSent) : noLeader())
  }

  #setFatal(failure: Failure | null): void {
    this.#fatal = failure
    if (failure !== null) for (const pending of [...this.#pending.values()]) this.#reject(pending, failure)
  }

  #resolve(pending: Pending, value: Outcome | number): void {
    for (const waiter of this.#end(pending)) waiter.resolve(value)
  }

  #reject(pending: Pending, failure: Failure): void {
    for (const waiter of this.#end(pending)) waiter.reject(failure)
  }

  #end(pending: Pending) {
    this.#pending.delete(pending.key)
    pending.cancelTimer()
    const waiters = [...pending.waiters.values()]
    for (const waiter of waiters) waiter.cancel()
    return waiters
  }
}

const busy = (why: string): Failure =>
  new Failure('E_BUSY', { message: 'the cluster is busy', why, try: 'try again in a moment' })

const noLeader = (): Failure =>
  new Failure('E_NO_LEADER', {
    message: 'no leader is known',
    why: 'this node was heard by no leader since the request came; nothing was written',
    try: 'tutti status',
  })

const noQuorum = (wasSent: boolean): Failure =>
  new Failure('E_NO_QUORUM', {
    message: 'no quorum: a majority of the voters cannot be reached from this node',
    why: wasSent
      ? 'the change may or may not come into force once they are back'
      : 'nothing was written; reads and running pods are not affected',
    try: 'tutti status',
  })

const timedOut = (wasSent: boolean): Failure =>
  new Failure('E_TIMEOUT', {
    message: 'the cluster did not answer in time',
    why: wasSent ? 'the change may or may not have come into force' : 'nothing was written',
    try: 'look with tutti status, then try again',
  })

/** The cluster has gone on so far that it cannot tell whether the write was applied before. */
export const tooLate = (message: string): Failure =>
  new Failure('E_TIMEOUT', {
    message,
    why: 'this node lags behind, or did not run for a while; the change may or may not have come into force',
    try: 'look with tutti status, then try again',
  })

const stopping = (): Failure => new Failure('E_NO_LEADER', 'this node is stopping')

/** Also used before anything is sent. */
export const tooLarge = (): Failure =>
  new Failure('E_TOO_LARGE', {
    message: 'the request is too large for the log',
    try: 'split it, or move large files out of it',
  })
