/**
 * Drives the Raft core: feeds it ticks, messages and proposals, and carries out each `Ready` in the order the core
 * demands (persist before promise). Everything that takes time is piped back, so the core is stepped by one message at
 * a time. A crash or a full disk drops the core, which is then started anew from the disk; the store goes on.
 */
import type { Fact, Input, Message, Ready, Status } from '../../raft/index.ts'
import type { NodeId } from '../../scheduler/index.ts'
import type { Behavior, Context } from '../actor/actor.ts'
import { type Failure, failureOf } from '../errors.ts'
import { Answers, roleChanges } from './answers.ts'
import type { ConsensusStatus, PeerId } from './consensus.ts'
import { promiseLost } from './disk-failure.ts'
import { Epochs, stamped } from './life/epochs.ts'
import { type Running, startRunning } from './life/running.ts'
import { Contact } from './measures/contact.ts'
import { Fitness, stallText } from './measures/fitness.ts'
import { WakingTime } from './measures/waking-time.ts'
import { GATHER_MS_MAX } from './proposal-batch.ts'
import type { ProposeReply, RaftDeps, RaftMessage, RaftRequest, ReplyTo } from './raft-protocol.ts'
import {
  contactTicks,
  hasHeir,
  idleStatus,
  isDeparted,
  isOnlyVoter,
  livingLeader,
  Picture,
  statusOf,
} from './raft-status.ts'
import { loadStartup, type Startup } from './startup.ts'

export const raftActor = (deps: RaftDeps): Behavior<RaftMessage> => new RaftActor(deps)

class RaftActor implements Behavior<RaftMessage> {
  readonly #deps: RaftDeps
  readonly #answers = new Answers()
  readonly #epochs: Epochs
  #running: Running | null = null
  #failure: Failure | null = null
  #stopGathering: (() => void) | null = null
  readonly #picture = new Picture()
  #isLeading = false
  #known: { readonly leader: PeerId | null; readonly term: number } = { leader: null, term: 0 }
  #contact: Contact
  readonly #time: WakingTime
  readonly #fitness: Fitness
  #cancelTick: () => void = () => undefined
  readonly #inputs: Input[] = []
  #isStepping = false

  constructor(deps: RaftDeps) {
    this.#deps = deps
    const { core, tickMs, restMs } = deps.settings
    this.#time = new WakingTime(tickMs)
    this.#contact = new Contact(core.electionTicksMax)
    this.#fitness = new Fitness({ stallMs: (core.electionTicksMax * tickMs) / 2, restMs })
    this.#epochs = new Epochs(deps)
  }

  start(ctx: Context<RaftMessage>): void {
    this.#deps.view.current = () => this.#picture.at(ctx.monotonicMs(), nowMs => this.#status(nowMs))
    this.#load(ctx)
    this.#tick(ctx)
  }

  stop(): void {
    this.#drop('the node is stopping')
  }

  receive(message: RaftMessage, ctx: Context<RaftMessage>): void {
    if ('life' in message && message.life !== this.#running?.life) return
    switch (message.type) {
      case 'raft/Load':
        return this.#load(ctx)
      case 'raft/Loaded':
        return this.#begin(message.startup, ctx)
      case 'raft/NotLoaded':
      case 'raft/DiskFailed':
        return this.#fail(message.thrown, ctx)
      case 'raft/Tick':
        return this.#tick(ctx)
      case 'raft/Propose':
        return this.#propose(message.data, message.replyTo, ctx)
      case 'raft/Flush':
        return this.#flush(ctx)
      case 'raft/Gathered':
        this.#stopGathering = null
        return this.#flush(ctx, { hasWaited: true })
      case 'raft/Received':
        return this.#received(message.from, message.message, ctx)
      case 'raft/Persisted':
        return this.#persisted(message.sequence, message.sinceMs, ctx)
      case 'raft/Apply':
        return this.#apply(ctx)
      case 'raft/PeerGone':
        return this.#step({ type: 'peerDisconnected', peer: message.peer }, ctx)
      case 'raft/Unreachable':
        return this.#step({ type: 'unreachable', peer: message.peer }, ctx)
      case 'raft/Read':
      case 'raft/Configure':
      case 'raft/Transfer':
        return this.#ask(message, ctx)
      case 'raft/Recover':
        return this.#renew(this.#epochs.recover(message, this.#running, ctx), ctx)
      default:
        return this.#step(this.#running?.traffic.settled(message, ctx) ?? null, ctx)
    }
  }

  #load(ctx: Context<RaftMessage>): void {
    if (this.#running !== null) return
    const { id, bootstrap, logStore, snapshotStore } = this.#deps
    const startup = loadStartup({ id, bootstrap, logStore, snapshotStore, mustWrite: this.#failure !== null })
    ctx.pipe(
      startup,
      loaded => ({ type: 'raft/Loaded', startup: loaded }),
      thrown => ({ type: 'raft/NotLoaded', thrown }),
    )
  }

  #begin(startup: Startup, ctx: Context<RaftMessage>): void {
    if (this.#running !== null) return
    const running = startRunning(this.#deps, startup, () => ctx.random())
    this.#running = running
    if (this.#failure !== null) ctx.log.info('the disk works again', {})
    this.#failure = null
    // What the disk knows to be committed is in the state before anybody looks at it.
    this.#step({ type: 'applied', index: startup.saved.snapshot?.index ?? 0 }, ctx)
    while (running.applier.hasMore) this.#apply(ctx)
    this.#hurry(running, ctx)
    this.#deps.listener.started()
  }

  /** The only voter has nobody to wait for, once the others know of no recovery. */
  #hurry({ core, inquiry }: Running, ctx: Context<RaftMessage>): void {
    if (inquiry.isOpen || !isOnlyVoter(core.status())) return
    const ticksMax = this.#deps.settings.core.electionTicksMax
    for (let ticks = 0; ticks < ticksMax && core.status().role === 'follower'; ticks++)
      this.#step({ type: 'tick' }, ctx)
  }

  #drop(why: string): void {
    this.#running?.traffic.close()
    this.#running = null
    this.#picture.forget()
    this.#fitness.forgetWrites()
    this.#answers.abandon(why)
    this.#announce()
  }

  /** The disk refused. Nothing of what the core wanted to promise has left, so it can be forgotten. */
  #fail(thrown: unknown, ctx: Context<RaftMessage>): void {
    const failure = failureOf(thrown, 'E_DISK_FAILED')
    if (this.#failure?.code !== failure.code)
      ctx.log.error('this node votes and writes no more', { code: failure.code, reason: failure.message })
    this.#failure = failure
    this.#drop(failure.message)
    this.#deps.listener.failed(failure)
    if (failure.code === 'E_DISK_FULL') ctx.after(this.#deps.settings.diskRetryMs, { type: 'raft/Load' })
  }

  /** What carrying out a `Ready` brings about waits until that one is done: each is dealt with in the order in which it came. */
  #step(input: Input | null, ctx: Context<RaftMessage>): void {
    if (input !== null) this.#inputs.push(input)
    if (this.#isStepping) return
    this.#isStepping = true
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift())
      if (this.#running !== null) this.#carryOut(this.#running, this.#running.core.step(next), ctx)
    this.#isStepping = false
    this.#flush(ctx)
  }

  /** The numbered duties of raft/index.ts. */
  #carryOut(running: Running, ready: Ready, ctx: Context<RaftMessage>): void {
    this.#persist(running, ready, ctx)
    this.#send(running, ready.sendNow, ctx)
    this.#send(running, running.promises.hold(ready.sendAfterPersist), ctx)
    for (const write of ready.snapshotWrites) this.#step(running.traffic.write(write, ctx), ctx)
    for (const read of ready.snapshotReads) running.traffic.read(read, ctx)
    if (ready.install !== null) {
      running.applier.install(ready.install, running.traffic.takeReceived(ready.install.index))
      this.#step({ type: 'applied', index: ready.install.index }, ctx)
    }
    running.applier.queue(ready.apply)
    this.#queueApply(running, ctx)
    for (const fact of ready.facts) this.#note(running, fact, ctx)
    running.batch.note(ready)
    this.#answers.settle(ready.proposals, ready.reads)
    this.#announce()
    this.#picture.forget()
  }

  #persist(running: Running, { persist }: Ready, ctx: Context<RaftMessage>): void {
    if (persist === null) return
    const { life } = running
    const sinceMs = ctx.monotonicMs()
    const { sequence, ...write } = persist
    running.promises.handed(sequence, persist.hardState?.term)
    this.#fitness.writing(sinceMs)
    ctx.pipe(
      this.#deps.logStore.write(write),
      () => ({ type: 'raft/Persisted', life, sequence, sinceMs }),
      thrown => ({ type: 'raft/DiskFailed', life, thrown }),
    )
  }

  #persisted(sequence: number, sinceMs: number, ctx: Context<RaftMessage>): void {
    const running = this.#running
    if (running === null) return
    this.#send(running, running.promises.durable(sequence), ctx)
    this.#fitness.written(sinceMs, ctx.monotonicMs(), !running.promises.isWriting)
    this.#step({ type: 'persisted', sequence }, ctx)
  }

  #send(running: Running, envelopes: Ready['sendNow'], ctx: Context<RaftMessage>): void {
    const { life, epoch } = running
    const refused = new Set<PeerId>()
    for (const { to, message } of envelopes)
      if (!this.#deps.send(to, stamped(message, epoch))) refused.add(to)
    for (const peer of refused) ctx.self.send({ type: 'raft/Unreachable', life, peer })
  }

  #received(from: PeerId, message: unknown, ctx: Context<RaftMessage>): void {
    const running = this.#running
    if (running === null || typeof message !== 'object' || message === null) return
    if (isDeparted(from, this.#deps.store.state(), running.core.status()))
      return ctx.log.debug('message of a node that left', { from })
    const next = this.#epochs.meet(from, message, running, ctx)
    if (next !== 'speaks') return this.#renew(next, ctx)
    if (running.inquiry.heard(from)) this.#hurry(running, ctx)
    const envelope = { from, to: this.#deps.id, message: message as Message }
    this.#step({ type: 'receive', envelope }, ctx)
  }

  /** Ends this core. The next one starts from what the work leaves on the disk. */
  #renew(work: Promise<void> | null, ctx: Context<RaftMessage>): void {
    if (work === null) return
    this.#drop('the cluster was recovered')
    // Commit indexes of the former epoch say nothing about this one.
    this.#contact = new Contact(this.#deps.settings.core.electionTicksMax)
    ctx.pipe(
      work,
      () => ({ type: 'raft/Load' }),
      thrown => ({ type: 'raft/NotLoaded', thrown }),
    )
  }

  /** Followers apply in the same moment, and are told of the commit before this node is busy with its own part. */
  #queueApply(running: Running, ctx: Context<RaftMessage>): void {
    if (running.isApplyQueued || !running.applier.hasMore) return
    running.isApplyQueued = true
    ctx.afterSending({ type: 'raft/Apply', life: running.life })
  }

  #apply(ctx: Context<RaftMessage>): void {
    const running = this.#running
    if (running === null) return
    running.isApplyQueued = false
    const applied = running.applier.next()
    if (applied === null) return
    this.#step({ type: 'applied', index: applied.index }, ctx)
    if (applied.term === running.leaderTerm && !this.#isLeading) {
      this.#isLeading = true
      this.#deps.listener.leading(true)
    }
    this.#deps.listener.settled(applied.settled)
    this.#queueApply(running, ctx)
    running.traffic.takeWhenDue(ctx)
  }

  #propose(data: Uint8Array, replyTo: ReplyTo<ProposeReply>, ctx: Context<RaftMessage>): void {
    if (this.#running === null)
      return replyTo({ type: 'refused', reason: 'notLeader', detail: this.#idleReason() })
    // Whatever else waits in the mailbox joins the batch.
    const { batch } = this.#running
    if (batch.isEmpty) ctx.self.send({ type: 'raft/Flush' })
    batch.add({ key: this.#answers.proposal(replyTo), data })
    if (batch.isFull) this.#flush(ctx)
  }

  /** While the disk is busy the batch grows, for its write would only queue up behind, and for a moment for company. */
  #flush(ctx: Context<RaftMessage>, { hasWaited } = { hasWaited: false }): void {
    if (this.#running === null || this.#running.batch.isEmpty) return
    const { promises, batch } = this.#running
    if (!batch.isFull && promises.isWriting) return
    if (!batch.isFull && !batch.isComplete && !hasWaited) {
      this.#stopGathering ??= ctx.after(GATHER_MS_MAX, { type: 'raft/Gathered' })
      return
    }
    this.#stopGathering?.()
    this.#stopGathering = null
    this.#step({ type: 'propose', proposals: batch.take() }, ctx)
  }

  #ask(
    message: Extract<RaftRequest, { type: 'raft/Read' | 'raft/Configure' | 'raft/Transfer' }>,
    ctx: Context<RaftMessage>,
  ): void {
    const running = this.#running
    const isLeader = running?.leaderTerm != null
    switch (message.type) {
      case 'raft/Read':
        if (running === null) return message.replyTo({ type: 'refused', reason: 'noLeader' })
        return this.#step(
          { type: 'read', key: this.#answers.read(message.replyTo), now: this.#time.ticks(ctx) },
          ctx,
        )
      case 'raft/Transfer':
        if (!isLeader) return message.replyTo({ type: 'done' })
        this.#answers.transferring(message.replyTo)
        return this.#step({ type: 'transferLeadership', to: message.to }, ctx)
      case 'raft/Configure': {
        const { voters, learners, replyTo } = message
        if (running === null || !isLeader)
          return replyTo({ type: 'refused', reason: 'notLeader', detail: this.#idleReason() })
        const changes = roleChanges(running.core.status().configuration, { voters, learners })
        if (changes.length === 0) return replyTo({ type: 'done' })
        const key = this.#answers.configuring({ voters, learners }, replyTo)
        if (key === null)
          return replyTo({ type: 'refused', reason: 'changeInFlight', detail: 'another change is under way' })
        return this.#step({ type: 'proposeConfiguration', key, changes, autoLeave: true }, ctx)
      }
    }
  }

  #note(running: Running, fact: Fact, ctx: Context<RaftMessage>): void {
    this.#answers.note(fact)
    if (fact.type === 'promiseLost') return this.#fail(promiseLost(fact), ctx)
    if (fact.type === 'becameLeader') running.leaderTerm = fact.term
    if (fact.type === 'becameFollower') running.leaderTerm = null
    if (fact.type === 'leaderChanged') this.#noteLeader(running.core.status())
    running.factLog.tell(fact, ctx)
  }

  /** Tells when leadership was lost; that it was won shows when an entry of the own term is applied. */
  #announce(): void {
    if (!this.#isLeading || this.#running?.leaderTerm != null) return
    this.#isLeading = false
    this.#deps.listener.leading(false)
  }

  #noteLeader(status: Status): void {
    const leader = livingLeader(status, this.#deps.settings.core.electionTicksMax)
    if (leader === this.#known.leader && status.term === this.#known.term) return
    this.#known = { leader, term: status.term }
    this.#deps.listener.leaderChanged(leader, status.term)
  }

  #tick(ctx: Context<RaftMessage>): void {
    const { tickMs } = this.#deps.settings
    this.#cancelTick()
    this.#cancelTick = ctx.after(tickMs, { type: 'raft/Tick' })
    const nowMs = ctx.monotonicMs()
    const stalled = this.#fitness.ticked(nowMs, tickMs)
    const running = this.#running
    if (running === null) return
    running.inquiry.ask(ctx, (to, question) => this.#deps.send(to, stamped(question, running.epoch)))
    if (!running.inquiry.isOpen) this.#step({ type: 'tick', now: this.#time.ticks(ctx) }, ctx)
    this.#step({ type: 'reluctance', isReluctant: this.#unfit(nowMs) !== null }, ctx)
    const status = running.core.status()
    this.#noteLeader(status)
    this.#contact.told(status.commitHeard)
    this.#contact.ticked(nowMs, contactTicks(status, this.#isLeading))
    running.traffic.forgetUnused(nowMs)
    running.batch.tick()
    if (stalled !== null && running.leaderTerm !== null) this.#handOver(stalled, status, ctx)
  }

  /** To somebody who is fit, or to nobody: where all are slow, it is no better elsewhere. */
  #handOver(stalled: 'disk' | 'loop', status: Status, ctx: Context<RaftMessage>): void {
    if (status.transferTarget !== null || !hasHeir(status, this.#deps.settings.core.electionTicksMin)) return
    ctx.log.warn('this node hands leadership over', { because: stallText(stalled) })
    this.#step({ type: 'transferLeadership', to: null }, ctx)
  }

  #unfit(nowMs: number) {
    const self = this.#deps.store.state().nodes.get(this.#deps.id as NodeId)
    return this.#fitness.unfit(nowMs, self?.schedulable === false)
  }

  #idleReason(): string {
    return this.#failure?.message ?? 'this node does not lead'
  }

  #status(nowMs: number): ConsensusStatus {
    const { id, store, settings } = this.#deps
    const appliedIndex = store.state().index
    if (this.#running === null) return idleStatus(id, { appliedIndex, fatal: this.#failure?.message ?? null })
    return statusOf(this.#running.core.status(), {
      appliedIndex,
      tickMs: settings.tickMs,
      electionTicksMin: settings.core.electionTicksMin,
      electionTicksMax: settings.core.electionTicksMax,
      contactAgeMs: this.#contact.ageMs(nowMs, appliedIndex),
      writes: this.#fitness.times(nowMs),
      unfit: this.#unfit(nowMs),
    })
  }
}
