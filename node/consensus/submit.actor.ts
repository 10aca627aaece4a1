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
import { busy, noLeader, noQuorum, stopping, timedOut, tooLarge } from './submit-failures.ts'

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

/** A timer may come a little early; what is due so soon after it is due. */
const ALARM_EARLY_MS = 1

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
  | { readonly type: 'submit/Wake' }

type Work = { readonly type: 'write'; readonly data: Uint8Array } | { readonly type: 'read' }

type Pending = {
  readonly key: string
  readonly work: Work
  readonly sinceMs: number
  waiters: readonly {
    readonly expiresAtMs: number
    resolve(value: Outcome | number): void
    reject(failure: Failure): void
  }[]
  /** Counts attempts; an answer to an earlier one is ignored. */
  attempt: number
  /** A leader may have taken it, so its fate is unknown until it is applied. */
  wasSent: boolean
  isWaitingForLeader: boolean
  /** When it is looked at again, unless something happens before. */
  wakeAtMs: number
}

export const submitActor = (deps: SubmitDeps): Behavior<SubmitMessage> => new SubmitActor(deps)

class SubmitActor implements Behavior<SubmitMessage> {
  readonly #deps: SubmitDeps
  readonly #pending = new Map<string, Pending>()
  #leader: PeerId | null = null
  #leaderlessSinceMs = 0
  #fatal: Failure | null = null
  #readCount = 0
  /** The time of the one alarm that is set; it may be too early, never too late. */
  #alarmAtMs = Number.POSITIVE_INFINITY
  #cancelAlarm: () => void = () => undefined

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
          `read ${++this.#readCount}`,
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
      case 'submit/Wake':
        return this.#wake(ctx)
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
    const nowMs = ctx.monotonicMs()
    const pending = known ?? {
      key,
      work,
      sinceMs: nowMs,
      waiters: [],
      attempt: 0,
      wasSent: false,
      isWaitingForLeader: false,
      wakeAtMs: Number.POSITIVE_INFINITY,
    }
    const { resolve, reject } = waiter
    const expiresAtMs = nowMs + waiter.timeoutMs
    pending.waiters = [...pending.waiters, { expiresAtMs, resolve, reject }]
    this.#setAlarm(expiresAtMs, ctx)
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
    this.#wakeIn(pending, settings.attemptMs, ctx)
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
    message: Extract<SubmitMessage, { type: 'submit/Answered' | 'submit/ReadAnswered' }>,
    ctx: Context<SubmitMessage>,
  ): void {
    const pending = this.#pending.get(message.key)
    if (pending === undefined || pending.attempt !== message.attempt) return
    switch (message.type) {
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

  /** Answers to attempts before this one are too late. */
  #again(pending: Pending, ctx: Context<SubmitMessage>): void {
    pending.attempt += 1
    pending.isWaitingForLeader = false
    this.#wakeIn(pending, this.#deps.settings.retryMs * (0.5 + ctx.random()), ctx)
  }

  /** A request waits for one thing at a time. */
  #wakeIn(pending: Pending, delayMs: number, ctx: Context<SubmitMessage>): void {
    pending.wakeAtMs = ctx.monotonicMs() + delayMs
    this.#setAlarm(pending.wakeAtMs, ctx)
  }

  /** One timer for all: nearly every request is over long before its time, and then there is nothing to be undone. */
  #setAlarm(atMs: number, ctx: Context<SubmitMessage>): void {
    if (atMs >= this.#alarmAtMs) return
    this.#cancelAlarm()
    this.#alarmAtMs = atMs
    this.#cancelAlarm = ctx.after(Math.max(0, atMs - ctx.monotonicMs()), { type: 'submit/Wake' })
  }

  #wake(ctx: Context<SubmitMessage>): void {
    this.#alarmAtMs = Number.POSITIVE_INFINITY
    const nowMs = ctx.monotonicMs() + ALARM_EARLY_MS
    for (const pending of [...this.#pending.values()]) {
      this.#expire(pending, nowMs)
      if (pending.waiters.length === 0 || pending.wakeAtMs > nowMs) continue
      pending.wakeAtMs = Number.POSITIVE_INFINITY
      if (pending.isWaitingForLeader) this.#leaderless(pending, ctx)
      else this.#attempt(pending, ctx)
    }
    let nextMs = Number.POSITIVE_INFINITY
    for (const { waiters, wakeAtMs } of this.#pending.values())
      nextMs = Math.min(nextMs, wakeAtMs, ...waiters.map(({ expiresAtMs }) => expiresAtMs))
    this.#setAlarm(nextMs, ctx)
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
    this.#wakeIn(pending, Math.max(0, atMs - ctx.monotonicMs()), ctx)
  }

  #leaderless(pending: Pending, ctx: Context<SubmitMessage>): void {
    if (this.#leader !== null || !this.#deps.hasConfiguration()) return
    // The leader may have come and gone since this time was set.
    if (ctx.monotonicMs() < this.#leaderlessSinceMs + this.#deps.settings.leaderlessMs)
      return this.#waitForLeader(pending, ctx)
    this.#reject(pending, noQuorum(pending.wasSent))
  }

  #expire(pending: Pending, nowMs: number): void {
    const late = pending.waiters.filter(({ expiresAtMs }) => expiresAtMs <= nowMs)
    if (late.length === 0) return
    pending.waiters = pending.waiters.filter(({ expiresAtMs }) => expiresAtMs > nowMs)
    if (pending.waiters.length === 0) this.#end(pending)
    for (const { reject } of late) {
      if (this.#leader !== null) reject(timedOut(pending.wasSent))
      else reject(this.#deps.hasConfiguration() ? noQuorum(pending.wasSent) : noLeader())
    }
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
    const { waiters } = pending
    pending.waiters = []
    return waiters
  }
}
