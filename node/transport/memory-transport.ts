/** A node on a network in memory. What it promises is in the interface; what it shares with libp2p is in the parts it uses. */
import { decode, encode, FRAME_BYTES_MAX } from '../codec.ts'
import { Failure } from '../errors.ts'
import { Budgets } from './budgets.ts'
import { placeCall, serveCall } from './calls.ts'
import { CROSSING_MS } from './dial-loop.ts'
import { GuestBook } from './guests.ts'
import { Idle } from './idle.ts'
import type { MemoryTransportOptions, Switchboard } from './memory-switchboard.ts'
import type { End, EndOwner, Rumor } from './memory-wire.ts'
import { QUEUE_BYTES_MAX } from './outbox.ts'
import type { Pipe } from './pipe.ts'
import { Reach } from './reach.ts'
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

const PING_INTERVAL_MS = 3_000
const PING_TIMEOUT_MS = 3_000
const VISIT_IDLE_MS_MAX = 2_000
const RUMORS_SEEN_MAX = 4_096
const SUITORS_MAX = 1_024

export class MemoryTransport implements Transport, EndOwner {
  readonly self: PeerId
  readonly #network: Switchboard<MemoryTransport>
  readonly #options: MemoryTransportOptions
  readonly #reach: Reach<End>
  readonly #idle: Idle<End>
  readonly #guests: GuestBook
  readonly #budgets: Budgets
  readonly #members = new Map<PeerId, End>()
  readonly #visitors = new Set<End>()
  readonly #visits = new Map<string, End>()
  /** Strangers that dialled as members: told when they become some. */
  readonly #suitors = new Map<PeerId, MemoryTransport>()
  readonly #held = new Map<PeerId, { readonly channel: Channel; readonly payload: Uint8Array }[]>()
  readonly #messageHandlers = new Map<Channel, (from: PeerId, message: unknown) => void>()
  readonly #rumorHandlers = new Map<Topic, (from: PeerId, message: unknown) => void>()
  readonly #responders = new Map<Protocol, Responder>()
  readonly #peerHandlers: ((event: PeerEvent) => void)[] = []
  readonly #seen = new Set<string>()
  #admitted: ReadonlySet<PeerId> = new Set()
  #address: string | null = null
  #rumorCount = 0
  #isStopped = false

  constructor(network: Switchboard<MemoryTransport>, options: MemoryTransportOptions) {
    this.#network = network
    this.#options = options
    this.self = options.self
    this.#guests = new GuestBook(network.air.clock)
    this.#idle = new Idle({
      clock: network.air.clock,
      connections: () => this.#members.values(),
      letGo: end => end.close(),
    })
    this.#budgets = new Budgets(network.air.clock)
    this.#reach = new Reach({
      self: options.self,
      clock: network.air.clock,
      random: network.random,
      dial: (peer, addresses) => this.#dial(peer, addresses, 0),
      connectionTo: peer => this.#members.get(peer) ?? null,
      onRefused: peer => this.#emit({ type: 'disconnected', peer, cause: 'refused' }),
    })
  }

  async start(): Promise<void> {
    this.#address = this.#network.bind(this.#options.listen, this)
    this.#reach.start()
  }

  async stop(): Promise<void> {
    this.kill()
  }

  /** The process dies: its host closes every connection and refuses new ones from now on. */
  kill(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    if (this.#address !== null) this.#network.unbind(this.#address, this)
    this.#reach.stop()
    this.#idle.stop()
    for (const end of [...this.#members.values(), ...this.#visitors, ...this.#visits.values()]) end.close()
  }

  addresses(): readonly string[] {
    return this.#address === null || this.#isStopped ? [] : [this.#address]
  }

  send(to: PeerId, channel: Channel, message: unknown): boolean {
    if (this.#address === null || this.#isStopped || !this.#admitted.has(to)) return false
    const payload = encode(message).slice()
    if (payload.byteLength > FRAME_BYTES_MAX) return false
    const end = this.#members.get(to)
    if (end === undefined) return this.#reach.hurry(to) && this.#hold(to, channel, payload)
    const queuedBytes = end.bytesUnderWay(channel)
    if (queuedBytes > 0 && queuedBytes + payload.byteLength > QUEUE_BYTES_MAX) return false
    this.#idle.used(to)
    end.send(channel, payload)
    return true
  }

  #hold(to: PeerId, channel: Channel, payload: Uint8Array): boolean {
    const held = this.#held.get(to) ?? []
    const bytes = held.reduce(
      (sum, item) => sum + (item.channel === channel ? item.payload.byteLength : 0),
      0,
    )
    if (bytes > 0 && bytes + payload.byteLength > QUEUE_BYTES_MAX) return false
    held.push({ channel, payload })
    this.#held.set(to, held)
    return true
  }

  onMessage(channel: Channel, handler: (from: PeerId, message: unknown) => void): void {
    this.#messageHandlers.set(channel, handler)
  }

  publish(topic: Topic, message: unknown): void {
    if (this.#address === null || this.#isStopped) return
    this.#rumorCount += 1
    const id = `${this.self}/${this.#network.air.clock.monotonicMs()}/${this.#rumorCount}`
    this.#relay({ id, author: this.self, topic, payload: encode(message).slice() }, null)
  }

  /** Every member passes a rumour on once: who is cut off from the author hears it from another. */
  #relay(rumor: Rumor, source: End | null): void {
    this.#seen.add(rumor.id)
    const [oldest] = this.#seen
    if (this.#seen.size > RUMORS_SEEN_MAX && oldest !== undefined) this.#seen.delete(oldest)
    for (const end of this.#members.values()) if (end !== source && end.peer !== rumor.author) end.tell(rumor)
  }

  onRumor(source: End, rumor: Rumor): void {
    if (this.#isStopped || this.#seen.has(rumor.id) || !this.#admitted.has(rumor.author)) return
    if (!this.#budgets.spend(rumor.author, rumor.topic, rumor.payload.byteLength)) {
      this.#members.get(rumor.author)?.close()
      return
    }
    this.#relay(rumor, source)
    this.#rumorHandlers.get(rumor.topic)?.(rumor.author, decode(rumor.payload))
  }

  onPublished(topic: Topic, handler: (from: PeerId, message: unknown) => void): void {
    this.#rumorHandlers.set(topic, handler)
  }

  call(to: PeerId, protocol: Protocol, request: unknown, options: CallOptions): AsyncIterable<unknown> {
    return placeCall({
      clock: this.#network.air.clock,
      options,
      request,
      whom: to,
      open: async signal => (await this.#reach.wait(to, signal)).openPipe(protocol),
    })
  }

  /** The request leaves only when the value after the peer id is asked for. */
  async *callAddress(
    address: string,
    protocol: 'join',
    request: unknown,
    options: CallOptions,
  ): AsyncGenerator<unknown, void> {
    const { clock } = this.#network.air
    const startedAtMs = clock.monotonicMs()
    const end = await this.#visit(address, options)
    yield end.peer
    const timeoutMs = Math.max(1, options.timeoutMs - (clock.monotonicMs() - startedAtMs))
    try {
      yield* placeCall({
        clock,
        options: { ...options, timeoutMs },
        request,
        whom: address,
        open: async () => end.openPipe(protocol),
      })
    } finally {
      clock.after(VISIT_IDLE_MS_MAX, () => {
        if (end.callCount === 0) end.close()
      })
    }
  }

  onCall(protocol: Protocol, responder: Responder): void {
    this.#responders.set(protocol, responder)
  }

  admit(peers: ReadonlySet<PeerId>): void {
    this.#admitted = new Set(peers)
    this.#budgets.keepOnly(this.#admitted)
    for (const end of [...this.#members.values()]) if (!peers.has(end.peer)) end.close()
    for (const [peer, suitor] of this.#suitors) {
      if (!peers.has(peer)) continue
      this.#suitors.delete(peer)
      this.#network.air.transmit(this.self, peer, 'close', () => suitor.#reach.refresh(this.self))
    }
    this.#reach.admit(this.#admitted)
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
    return new Set(this.#members.keys())
  }

  /** Somebody dials; null sends them away. Which of two crossing dials survives: the lower id's. */
  welcome(from: MemoryTransport, as: 'member' | 'guest'): 'member' | 'guest' | null {
    const peer = from.self
    if (as === 'guest') return this.#guests.mayEnter(peer) ? 'guest' : null
    if (!this.#admitted.has(peer)) {
      if (this.#suitors.size >= SUITORS_MAX) this.#suitors.clear()
      this.#suitors.set(peer, from)
      return null
    }
    if (this.#budgets.isBarred(peer)) return null
    const older = this.#members.get(peer)
    const isFresh =
      older !== undefined && this.#network.air.clock.monotonicMs() - older.openedAtMs < CROSSING_MS
    const isCrossing = this.#reach.isDialing(peer) || (isFresh && older.options.isDialer)
    return this.self < peer && isCrossing ? null : 'member'
  }

  onEstablished(end: End): boolean {
    if (this.#isStopped) return false
    if (end.options.kind === 'guest') {
      this.#guests.entered()
      this.#visitors.add(end)
      return true
    }
    return this.#join(end)
  }

  /** A connection to a member stands; a newer one replaces an older, which is dead at the peer's end. */
  #join(end: End): boolean {
    const { peer } = end
    if (!this.#admitted.has(peer) || this.#budgets.isBarred(peer)) return false
    this.#members.get(peer)?.close()
    this.#members.set(peer, end)
    this.#idle.used(peer)
    this.#watch(end)
    this.#emit({ type: 'connected', peer })
    const held = this.#held.get(peer) ?? []
    this.#held.delete(peer)
    for (const { channel, payload } of held) end.send(channel, payload)
    this.#reach.connected(peer, end)
    return true
  }

  /** libp2p's connection monitor: a silent peer is given up after one unanswered ping. */
  #watch(end: End): void {
    const { clock } = this.#network.air
    clock.after(PING_INTERVAL_MS, () => {
      if (!end.isOpen) return
      const answer = end.ping()
      if (answer === true) return this.#watch(end)
      if (answer === false) return end.close()
      clock.after(PING_TIMEOUT_MS, () => end.close('timeout'))
    })
  }

  onClosed(end: End, cause: 'closed' | 'timeout'): void {
    const { peer } = end
    if (this.#visitors.delete(end)) this.#guests.left()
    for (const [address, visit] of this.#visits) if (visit === end) this.#visits.delete(address)
    if (this.#members.get(peer) !== end) return
    this.#members.delete(peer)
    const isIdle = this.#idle.isResting(end)
    this.#emit({ type: 'disconnected', peer, cause: isIdle ? 'idle' : cause })
    this.#reach.lost(peer, isIdle ? 'expected' : 'broken')
  }

  onPayload(end: End, channel: Channel, payload: Uint8Array): void {
    if (this.#isStopped || end.options.kind !== 'member') return
    if (!this.#budgets.spend(end.peer, channel, payload.byteLength)) return end.close()
    this.#idle.used(end.peer)
    try {
      this.#messageHandlers.get(channel)?.(end.peer, decode(payload))
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown
      this.#options.log.warn('a peer broke the protocol', { from: end.peer, reason: thrown.message })
    }
  }

  onPipe(end: End, protocol: Protocol, pipe: Pipe): void {
    this.#idle.used(end.peer)
    const responder = this.#responders.get(protocol)
    const isWelcome = end.options.kind === 'member' || protocol === 'join'
    if (this.#isStopped || !isWelcome || responder === undefined) return pipe.abort()
    serveCall(pipe, { from: end.peer, host: end.peer }, responder, {
      onMalformed: reason => this.#options.log.warn('a peer broke the protocol', { from: end.peer, reason }),
    })
  }

  #emit(event: PeerEvent): void {
    if (this.#isStopped) return
    for (const handler of this.#peerHandlers) handler(event)
  }

  /** Tries the addresses in order; refused only when every one of them refused. */
  #dial(peer: PeerId, addresses: readonly string[], refusals: number, position = 0): void {
    const address = addresses[position]
    const known = this.#members.get(peer)
    if (known !== undefined) return this.#reach.connected(peer, known)
    if (this.#isStopped) return
    if (address === undefined) {
      return this.#missed(peer, refusals > 0 && refusals === addresses.length ? 'refused' : 'failed')
    }
    this.#network.dial(this, address, peer, answer => {
      if (answer.type !== 'connected') {
        return this.#dial(peer, addresses, refusals + (answer.type === 'refused' ? 1 : 0), position + 1)
      }
      this.#reach.reachedAt(peer, address)
      if (this.#isStopped || this.#members.has(peer) || !this.#join(answer.end)) answer.end.close()
      if (!this.#members.has(peer)) this.#missed(peer, 'failed')
    })
  }

  #missed(peer: PeerId, outcome: 'refused' | 'failed'): void {
    this.#held.delete(peer)
    this.#reach.missed(peer, outcome)
  }

  #visit(address: string, { timeoutMs, signal }: CallOptions): Promise<End> {
    const known = this.#visits.get(address)
    if (known?.isOpen === true) return Promise.resolve(known)
    return new Promise((resolve, reject) => {
      const refuse = (why: string, isRefused: boolean) =>
        reject(
          new Failure(
            'E_UNREACHABLE',
            { message: `nothing that speaks Tutti answers at ${address}`, why },
            { facts: { address, isRefused } },
          ),
        )
      const cancel = this.#network.air.clock.after(timeoutMs, () => refuse('no answer in time', false))
      signal?.addEventListener('abort', () => refuse('the call was given up', false), { once: true })
      this.#network.dial(this, address, null, answer => {
        cancel()
        if (answer.type !== 'connected') {
          return refuse(
            answer.type === 'refused' ? 'connection refused' : 'no answer',
            answer.type === 'refused',
          )
        }
        if (this.#isStopped) answer.end.close()
        else this.#visits.set(address, answer.end)
        resolve(answer.end)
      })
    })
  }
}
