/**
 * Drives the gossip core: feeds it the transport's messages and hints, carries out its effects, teaches the transport
 * where members are, and tells a listener what happened. Decides nothing about membership; the roster in the log does.
 */
import assert from 'node:assert'
import {
  type Fact,
  type Input,
  isMessage,
  isRumor,
  type Member,
  type NodeId,
  type Options,
  type Rumor,
  Swim,
  type SwimStatus,
  type Timer,
} from '../../gossip/index.ts'
import type { ActorRef, Behavior, Context, SpawnOptions } from '../actor/actor.ts'
import { Incidents } from '../incidents.ts'
import type { PeerEvent, Transport } from '../transport/transport.ts'

/** One row of the roster in the log. A node that is not admitted is forgotten; one without a row is left alone. */
export type RosterEntry = {
  readonly id: NodeId
  readonly addresses: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  readonly isAdmitted: boolean
}

export type Membership = {
  readonly members: readonly Member[]
  readonly status: SwimStatus
  /** To whom gossip wants a connection; null: to everybody. */
  readonly neighbours: ReadonlySet<NodeId> | null
}

/** Inputs without their time, which is taken when they are handled. */
type Said = Input extends infer I ? (I extends Input ? Omit<I, 'nowMs'> : never) : never

export type SwimMessage =
  /** Members from a join reply: admitted and asked for their state. */
  | { readonly type: 'swim/Join'; readonly members: readonly Member[] }
  /** Says farewell; replies once the farewells are on their way. */
  | { readonly type: 'swim/Leave'; readonly replyTo: ActorRef<Membership> | null }
  | { readonly type: 'swim/SetAddresses'; readonly addresses: readonly string[] }
  | { readonly type: 'swim/SetMetadata'; readonly metadata: Readonly<Record<string, string>> }
  /** The roster in the log may have changed: `SwimDeps.roster` is read again. */
  | { readonly type: 'swim/RosterChanged' }
  | { readonly type: 'swim/Members'; readonly replyTo: ActorRef<Membership> }
  | Private

type Private =
  | { readonly type: 'swim/Received'; readonly from: NodeId; readonly message: unknown }
  | { readonly type: 'swim/Published'; readonly from: NodeId; readonly message: unknown }
  | { readonly type: 'swim/Peer'; readonly event: PeerEvent }
  | { readonly type: 'swim/TimerFired'; readonly timer: Timer }

export type SwimDeps = {
  /** By the number of members, this node included; asked again whenever that changes. */
  readonly options: (size: number) => Options
  readonly transport: Pick<Transport, 'send' | 'publish' | 'setAddresses'>
  /** This node as it presents itself; read at each start. Its incarnation may be that of a former life. */
  readonly self: () => Member
  /** The roster as this node's replica has it; may be empty or behind. */
  readonly roster: () => readonly RosterEntry[]
  /** Members remembered from an earlier run or a join reply; read at each start. */
  readonly known: () => readonly Member[]
  /** Called with the new view whenever something happened; must not throw. */
  readonly listener: (membership: Membership, facts: readonly Fact[]) => void
}

/** Timers must not be lost, so overflow is a bug; what comes from the network is bounded before the mailbox. */
export const SWIM_SPAWN: SpawnOptions = { mailboxMax: 8_192, overflow: 'crash' }

/** Messages from the network that may wait at once; more are dropped, which the protocol bears. */
const NETWORK_WAITING_MAX = 2_048

/** `listen` connects the transport to the spawned actor: call it once, before the transport starts. */
export type SwimActor = {
  readonly create: () => Behavior<SwimMessage>
  readonly listen: (
    swim: ActorRef<SwimMessage>,
    transport: Pick<Transport, 'onMessage' | 'onPublished' | 'onPeer'>,
  ) => void
}

export const swimActor = (deps: SwimDeps): SwimActor => {
  const queue = { waiting: 0 }
  const admit = (swim: ActorRef<SwimMessage>, message: Private) => {
    if (queue.waiting >= NETWORK_WAITING_MAX) return
    queue.waiting++
    swim.send(message)
  }
  return {
    create: () => new SwimBehavior(deps, queue),
    listen(swim, transport) {
      transport.onMessage('swim', (from, message) => admit(swim, { type: 'swim/Received', from, message }))
      transport.onPublished('rumors', (from, message) =>
        admit(swim, { type: 'swim/Published', from, message }),
      )
      transport.onPeer(event => {
        // What was let go says nothing about the peer.
        if (event.type === 'connected' || event.cause !== 'idle') swim.send({ type: 'swim/Peer', event })
      })
    },
  }
}

const MALFORMED = 'a peer sends malformed gossip, which is ignored'
const FORGED = 'a peer publishes words of others, which are ignored'

class SwimBehavior implements Behavior<SwimMessage> {
  readonly #deps: SwimDeps
  readonly #queue: { waiting: number }
  #swim: Swim | null = null
  /** The number of members that the options in use were chosen for. */
  #size = 0
  #id: NodeId | null = null
  /** What the transport was told of each member's addresses. */
  readonly #told = new Map<NodeId, string>()
  #incidents: Incidents | null = null

  constructor(deps: SwimDeps, queue: { waiting: number }) {
    this.#deps = deps
    this.#queue = queue
  }

  start(ctx: Context<SwimMessage>): void {
    const self = this.#deps.self()
    this.#id = self.id
    const roster = new Map(this.#deps.roster().map(entry => [entry.id, entry.isAdmitted]))
    const known = this.#deps.known().filter(({ id }) => id !== self.id && roster.get(id) !== false)
    this.#size = sizeOf(this.#deps.roster(), self.id)
    this.#swim = new Swim(self, this.#deps.options(this.#size), ctx.random)
    this.#readRoster(ctx)
    this.#step(ctx, { type: 'join', members: known })
    this.#step(ctx, { type: 'start' })
    this.#deps.listener(this.#membership(), [])
  }

  receive(message: SwimMessage, ctx: Context<SwimMessage>): void {
    switch (message.type) {
      case 'swim/Received':
        this.#queue.waiting--
        if (!isMessage(message.message)) return this.#blame(ctx, message.from, MALFORMED)
        return this.#step(ctx, { type: 'receive', from: message.from, message: message.message })
      case 'swim/Published':
        this.#queue.waiting--
        if (!isRumor(message.message)) return this.#blame(ctx, message.from, MALFORMED)
        if (!isOwnWord(message.message, message.from)) return this.#blame(ctx, message.from, FORGED)
        return this.#step(ctx, { type: 'rumorReceived', from: message.from, rumor: message.message })
      case 'swim/TimerFired':
        return this.#step(ctx, { type: 'timerFired', timer: message.timer })
      case 'swim/Peer':
        return this.#step(ctx, hintOf(message.event))
      case 'swim/Join':
        return this.#step(ctx, { type: 'join', members: message.members })
      case 'swim/SetAddresses':
        return this.#step(ctx, { type: 'setAddresses', addresses: message.addresses })
      case 'swim/SetMetadata':
        return this.#step(ctx, { type: 'setMetadata', metadata: message.metadata })
      case 'swim/RosterChanged':
        return this.#readRoster(ctx)
      case 'swim/Leave':
        this.#step(ctx, { type: 'leave' })
        message.replyTo?.send(this.#membership())
        return
      case 'swim/Members':
        return message.replyTo.send(this.#membership())
      default:
        unreachable(message)
    }
  }

  #readRoster(ctx: Context<SwimMessage>): void {
    const roster = this.#deps.roster()
    for (const { id, addresses, metadata, isAdmitted } of roster)
      this.#step(ctx, isAdmitted ? { type: 'admit', id, addresses, metadata } : { type: 'expel', id })
    const size = sizeOf(roster, this.#id)
    if (size === this.#size) return
    this.#size = size
    this.#step(ctx, { type: 'setOptions', options: this.#deps.options(size) })
  }

  #step(ctx: Context<SwimMessage>, said: Said): void {
    assert(this.#swim !== null, 'start comes before the first message')
    const { send, publish, timers, facts } = this.#swim.step({ ...said, nowMs: ctx.monotonicMs() } as Input)
    // Addresses first, so that what is sent next goes where the member is now.
    for (const fact of facts) {
      if ('member' in fact) this.#teachAddresses(fact.member)
      report(ctx, fact)
    }
    for (const { to, message } of send) this.#deps.transport.send(to, 'swim', message)
    for (const rumor of publish) this.#deps.transport.publish('rumors', rumor)
    for (const { afterMs, timer } of timers) ctx.after(afterMs, { type: 'swim/TimerFired', timer })
    if (facts.length > 0) this.#deps.listener(this.#membership(), facts)
  }

  #teachAddresses(member: Member): void {
    const addresses = member.addresses.join(' ')
    if (member.id === this.#id || member.addresses.length === 0) return
    if (this.#told.get(member.id) === addresses) return
    this.#told.set(member.id, addresses)
    this.#deps.transport.setAddresses(member.id, member.addresses)
  }

  #membership(): Membership {
    assert(this.#swim !== null, 'start comes before the first message')
    return {
      members: this.#swim.members(),
      status: this.#swim.status(),
      neighbours: this.#swim.neighbours(),
    }
  }

  #blame(ctx: Context<SwimMessage>, peer: NodeId, what: string): void {
    this.#incidents ??= new Incidents(ctx.log)
    this.#incidents.note(what, { peer, nowMs: ctx.monotonicMs() })
  }
}

const sizeOf = (roster: readonly RosterEntry[], self: NodeId | null): number =>
  1 + roster.filter(({ id, isAdmitted }) => isAdmitted && id !== self).length

/**
 * What a node publishes it has signed, so it says nothing in the name of others: of itself that it lives or leaves, of
 * another one that it seems to be gone.
 */
const isOwnWord = ({ member, by }: Rumor, author: NodeId): boolean =>
  by === author && (member.id === author || member.state === 'suspect' || member.state === 'dead')

/** A refused dial proves that the process is gone; any other end of a connection is only a reason to look. */
const hintOf = (event: PeerEvent): Said => {
  if (event.type === 'connected') return { type: 'peerConnected', id: event.peer }
  return { type: event.cause === 'refused' ? 'peerUnreachable' : 'peerDisconnected', id: event.peer }
}

const report = (ctx: Context<SwimMessage>, fact: Fact): void => {
  const { type, ...facts } = fact
  const member = 'member' in fact ? { member: fact.member.id, incarnation: fact.member.incarnation } : {}
  const fields = { ...facts, ...member }
  switch (type) {
    case 'member-dead':
    case 'self-expelled':
    case 'stalled':
      return ctx.log.warn(type, fields)
    case 'probe-failed':
    case 'awareness-changed':
    case 'suspicion-confirmed':
    case 'member-changed':
    case 'stranger-vouched':
      return ctx.log.debug(type, fields)
    case 'member-alive':
    case 'member-suspect':
    case 'member-left':
    case 'member-expelled':
    case 'self-refuted':
    case 'joined':
      return ctx.log.info(type, fields)
    default:
      unreachable(type)
  }
}

function unreachable(value: never): never {
  assert.fail(`no such case: ${JSON.stringify(value)}`)
}
