/** The transport over libp2p: TCP, Noise, Yamux and gossipsub, at most one connection per pair of members. */
import type { Connection } from '@libp2p/interface'
import type { Clock } from '../clock.ts'
import { Failure, messageOf } from '../errors.ts'
import { Incidents } from '../incidents.ts'
import type { Log } from '../log.ts'
import { Budgets } from './budgets.ts'
import { advertisedAddresses, hostPortOf, multiaddrOf } from './host-port.ts'
import { Idle } from './idle.ts'
import type { Node } from './libp2p-node.ts'
import { type CloseCause, type Link, Links } from './links.ts'
import { listenFailure } from './listen-failure.ts'
import { Mail } from './mail.ts'
import { PeerCalls } from './peer-calls.ts'
import { Reach } from './reach.ts'
import { ANSWER_MS_MAX, Silences } from './silence.ts'
import type {
  CallOptions,
  Channel,
  PeerEvent,
  PeerId,
  Protocol,
  Responder,
  Topic,
  Transport,
} from './transport.ts'

/** One stream per channel, and one more while a broken one is replaced. */
const CHANNEL_STREAMS_MAX = 4

export type Libp2pOptions = {
  readonly privateKey: Uint8Array
  /** `HOST:PORT`; port 0 for any free one. */
  readonly listen: string
  readonly clock: Clock
  readonly log: Log
  /** 0 ≤ x < 1; for back-off. */
  readonly random?: () => number
}

export type TransportCounters = {
  /** Frames, requests and rumours that broke the protocol. */
  readonly malformed: number
  /** One-way messages that found no room or no connection. */
  readonly dropped: number
  /** One-way messages that wait in memory. */
  readonly queuedBytes: number
}

type Parts = typeof import('./libp2p-node.ts') & Pick<typeof import('./pubsub.ts'), 'wirePubsub'>

/** Loads libp2p (some 300 ms) and prepares the node; `start` binds. */
export const createLibp2pTransport = async (options: Libp2pOptions): Promise<Libp2pTransport> => {
  const [node, { wirePubsub }] = await Promise.all([import('./libp2p-node.ts'), import('./pubsub.ts')])
  return new Libp2pTransport(options, { ...node, wirePubsub }, node.peerIdOf(options.privateKey))
}

export class Libp2pTransport implements Transport {
  readonly self: PeerId
  readonly #options: Libp2pOptions
  readonly #parts: Parts
  readonly #budgets: Budgets
  readonly #links: Links
  readonly #reach: Reach<Link>
  readonly #silences: Silences
  readonly #idle: Idle<Link>
  readonly #mail: Mail
  readonly #calls: PeerCalls
  readonly #rumorHandlers = new Map<Topic, (from: PeerId, message: unknown) => void>()
  readonly #peerHandlers: ((event: PeerEvent) => void)[] = []
  #node: Node | null = null
  #publish: ((topic: Topic, message: unknown) => void) | null = null
  #isStopped = false
  #malformedCount = 0
  #droppedCount = 0

  constructor(options: Libp2pOptions, parts: Parts, self: PeerId) {
    const { clock, log } = options
    this.self = self
    this.#options = options
    this.#parts = parts
    const budgets = new Budgets(clock)
    this.#budgets = budgets
    this.#links = new Links({
      self,
      clock,
      log,
      onOpened: link => link.kind === 'member' && this.#confirm(link),
      onClosed: (link, cause) => this.#closed(link, cause),
      isMemberHost: host => this.#reach.isMemberHost(host),
      isBarred: peer => budgets.isBarred(peer),
    })
    this.#reach = new Reach({
      self,
      clock,
      random: options.random ?? Math.random,
      dial: (peer, addresses) => void this.#dial(peer, addresses),
      connectionTo: peer => this.#confirmed(peer),
      onRefused: peer => this.#emit({ type: 'disconnected', peer, cause: 'refused' }),
    })
    const incidents = new Incidents(log)
    const onMalformed = (from: PeerId, reason: string) => {
      this.#malformedCount += 1
      log.debug('a peer broke the protocol', { from, reason })
      incidents.note('a peer broke the protocol', { peer: from, nowMs: clock.monotonicMs() })
    }
    this.#silences = new Silences({
      clock,
      ask: peer => this.#ask(peer),
      giveUp: peer => {
        this.#links.member(peer)?.connection.abort(new DOMException('the peer is silent', 'TimeoutError'))
      },
    })
    this.#idle = new Idle({
      clock,
      connections: () => this.#confirmedLinks(),
      letGo: link => this.#links.retire(link),
    })
    this.#mail = new Mail({
      clock,
      log,
      linkTo: peer => this.#confirmed(peer),
      onSent: peer => {
        this.#silences.sent(peer)
        this.#idle.used(peer)
      },
      onHeard: peer => {
        this.#silences.settled(peer)
        this.#idle.used(peer)
      },
      maySay: (peer, channel, bytes) => this.#maySay(peer, channel, bytes),
      onMalformed,
      onDropped: () => {
        this.#droppedCount += 1
      },
    })
    this.#calls = new PeerCalls({
      clock,
      links: this.#links,
      reach: (peer, signal) => this.#reach.wait(peer, signal),
      visit: (address, signal) => this.#visit(address, signal),
      onMalformed,
    })
    this.#onMalformed = onMalformed
    this.#maySay = (peer, kind, bytes) => {
      if (budgets.spend(peer, kind, bytes)) return true
      incidents.note('a member says more than any sound one, and is cut off for a while', {
        peer,
        nowMs: clock.monotonicMs(),
      })
      this.#links.member(peer)?.connection.abort(new Error('too much was said'))
      return false
    }
    this.#turnedAway = peer =>
      incidents.note('a stranger tried a protocol of members', { peer, nowMs: clock.monotonicMs() })
  }

  readonly #onMalformed: (from: PeerId, reason: string) => void
  readonly #turnedAway: (from: PeerId) => void
  readonly #maySay: (from: PeerId, kind: Channel | Topic, bytes: number) => boolean

  async start(): Promise<void> {
    const { listen, log, privateKey } = this.#options
    const node = await this.#parts.createNode({
      privateKey,
      listen: multiaddrOf(listen),
      gater: this.#links.gater(),
      isMember: connection => this.#links.of(connection)?.kind === 'member',
    })
    node.addEventListener('connection:open', event => this.#links.opened(event.detail))
    for (const { name, handle } of this.#mail.inbound()) {
      await node.handle(
        name,
        (stream, connection) => {
          if (this.#links.of(connection)?.kind !== 'member') {
            this.#turnedAway(connection.remotePeer.toString())
            return stream.abort(new Error('only for members'))
          }
          handle(stream, connection.remotePeer.toString())
        },
        { maxInboundStreams: CHANNEL_STREAMS_MAX, maxOutboundStreams: CHANNEL_STREAMS_MAX },
      )
    }
    for (const { name, streamsMax, handle } of this.#calls.inbound()) {
      await node.handle(name, handle, { maxInboundStreams: streamsMax, maxOutboundStreams: streamsMax })
    }
    try {
      await node.start()
    } catch (cause) {
      await node.stop()
      throw listenFailure(listen, cause)
    }
    this.#node = node
    this.#publish = this.#parts.wirePubsub(node.services.gossip, {
      isAdmitted: peer => this.#links.admitted.has(peer),
      maySay: (author, topic, bytes) => this.#maySay(author, topic, bytes),
      handlers: this.#rumorHandlers,
      onMalformed: this.#onMalformed,
      log,
    })
    this.#reach.start()
    this.#silences.start()
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#reach.stop()
    this.#silences.stop()
    this.#idle.stop()
    for (const peer of this.#links.admitted) this.#mail.reset(peer)
    await this.#node?.stop()
  }

  addresses(): readonly string[] {
    const [bound] = this.#node?.getMultiaddrs() ?? []
    const port = Number(bound?.getComponents().find(part => part.name === 'tcp')?.value)
    return bound === undefined ? [] : advertisedAddresses({ ...hostPortOf(this.#options.listen), port })
  }

  send(to: PeerId, channel: Channel, message: unknown): boolean {
    if (this.#node === null || this.#isStopped || !this.#links.admitted.has(to)) return false
    if (this.#confirmed(to) !== null) return this.#mail.send(to, channel, message, 'now')
    const isComing = this.#links.member(to) !== undefined || this.#reach.hurry(to)
    return isComing && this.#mail.send(to, channel, message, 'hold')
  }

  onMessage(channel: Channel, handler: (from: PeerId, message: unknown) => void): void {
    this.#mail.onMessage(channel, handler)
  }

  publish(topic: Topic, message: unknown): void {
    if (!this.#isStopped) this.#publish?.(topic, message)
  }

  onPublished(topic: Topic, handler: (from: PeerId, message: unknown) => void): void {
    this.#rumorHandlers.set(topic, handler)
  }

  call(to: PeerId, protocol: Protocol, request: unknown, options: CallOptions): AsyncIterable<unknown> {
    return this.#calls.call(to, protocol, request, options)
  }

  callAddress(
    address: string,
    protocol: 'join',
    request: unknown,
    options: CallOptions,
  ): AsyncIterable<unknown> {
    return this.#calls.callAddress(address, protocol, request, options)
  }

  onCall(protocol: Protocol, responder: Responder): void {
    this.#calls.onCall(protocol, responder)
  }

  admit(peers: ReadonlySet<PeerId>): void {
    this.#links.admit(peers)
    this.#budgets.keepOnly(this.#links.admitted)
    this.#reach.admit(this.#links.admitted)
  }

  keep(peers: ReadonlySet<PeerId> | null): void {
    this.#idle.keep(peers)
    this.#reach.keep(peers)
  }

  near(): ReadonlySet<PeerId> {
    return new Set([...this.connected()].filter(peer => this.#idle.isKept(peer)))
  }

  missing(): ReadonlySet<PeerId> {
    return this.#reach.missing()
  }

  setAddresses(peer: PeerId, addresses: readonly string[]): void {
    this.#reach.setAddresses(peer, addresses)
  }

  onPeer(handler: (event: PeerEvent) => void): void {
    this.#peerHandlers.push(handler)
  }

  connected(): ReadonlySet<PeerId> {
    return new Set(this.#confirmedLinks().map(link => link.peer))
  }

  counters(): TransportCounters {
    return {
      malformed: this.#malformedCount,
      dropped: this.#droppedCount,
      queuedBytes: this.#mail.queuedBytes(),
    }
  }

  #emit(event: PeerEvent): void {
    if (this.#isStopped) return
    this.#options.log.debug('peer event', { ...event })
    for (const handler of this.#peerHandlers) handler(event)
  }

  #confirmedLinks(): readonly Link[] {
    return this.#links.all().filter(link => link.isConfirmed)
  }

  #confirmed(peer: PeerId): Link | null {
    const link = this.#links.member(peer)
    return link?.isConfirmed === true ? link : null
  }

  /** Only a node that has admitted us answers; a refusal means that it will, or will hang up. */
  #confirm(link: Link): void {
    this.#node?.services.identify.identify(link.connection).then(
      () => {
        if (this.#links.of(link.connection) !== link || this.#isStopped) return
        link.isConfirmed = true
        this.#idle.used(link.peer)
        this.#emit({ type: 'connected', peer: link.peer })
        this.#mail.flush(link.peer)
        this.#reach.connected(link.peer, link)
      },
      (error: unknown) =>
        this.#options.log.debug('a peer has not admitted this node yet', {
          peer: link.peer,
          error: messageOf(error),
        }),
    )
  }

  /** As for the confirmation: any member answers. */
  async #ask(peer: PeerId): Promise<void> {
    const link = this.#confirmed(peer)
    const signal = AbortSignal.timeout(ANSWER_MS_MAX)
    if (link !== null) await this.#node?.services.identify.identify(link.connection, { signal })
  }

  #closed(link: Link, cause: CloseCause): void {
    if (link.kind === 'guest' || this.#isStopped) return
    this.#mail.reset(link.peer)
    this.#silences.settled(link.peer)
    if (link.isConfirmed) {
      const isIdle = this.#idle.isResting(link)
      this.#emit({ type: 'disconnected', peer: link.peer, cause: isIdle ? 'idle' : cause })
      this.#reach.lost(link.peer, isIdle ? 'expected' : 'broken')
    } else {
      this.#reach.missed(link.peer, 'failed')
    }
  }

  /** Tries the addresses in order. A connection that opens tells by itself whether it is confirmed or lost. */
  async #dial(peer: PeerId, addresses: readonly string[]): Promise<void> {
    let refusals = 0
    for (const address of addresses) {
      if (this.#node === null || this.#links.member(peer) !== undefined) return
      const target = this.#parts.multiaddr(`${multiaddrOf(address)}/p2p/${peer}`)
      try {
        await this.#node.dial(target, { force: true, signal: AbortSignal.timeout(this.#parts.DIAL_MS_MAX) })
        this.#reach.reachedAt(peer, address)
        return
      } catch (error) {
        if (isRefusal(error)) refusals += 1
        this.#options.log.debug('a dial failed', { peer, address, error: messageOf(error) })
      } finally {
        this.#links.dialEnded(peer)
      }
    }
    if (this.#isStopped || this.#links.member(peer) !== undefined) return
    this.#mail.reset(peer)
    this.#reach.missed(peer, refusals > 0 && refusals === addresses.length ? 'refused' : 'failed')
  }

  async #visit(address: string, signal: AbortSignal): Promise<Connection> {
    const link = this.#memberLinkAt(address)
    if (link !== undefined) return link.connection
    if (this.#node === null) throw new Failure('E_UNREACHABLE', 'the transport is not started')
    const target = this.#parts.multiaddr(multiaddrOf(address))
    return this.#node.dial(target, { force: true, signal }).catch((cause: unknown) => {
      // Our own dial to the member at this address was there first, and a pair has one connection.
      const crossed = this.#memberLinkAt(address)
      if (crossed !== undefined) return crossed.connection
      throw new Failure(
        'E_UNREACHABLE',
        { message: `nothing that speaks Tutti answers at ${address}`, why: messageOf(cause) },
        { facts: { address, isRefused: isRefusal(cause) }, cause },
      )
    })
  }

  /** One that has not admitted us is connected all the same, for a while, and may be asked. */
  #memberLinkAt(address: string): Link | undefined {
    const member = this.#reach.memberAt(address)
    return member === null ? undefined : this.#links.member(member)
  }
}

const isRefusal = (thrown: unknown): boolean => /ECONNREFUSED/.test(messageOf(thrown))
