/**
 * A connection in memory: two ends, ordered one-way channels that may lose, and pipes that retransmit as TCP does.
 * Everything crosses as bytes and takes the time that the faults say; no timer of the machine is used.
 */
import type { Clock } from '../clock.ts'
import type { Pipe, PipeSink } from './pipe.ts'
import type { Channel, PeerId, Protocol, Topic } from './transport.ts'

export type TrafficKind = Channel | 'dial' | 'close' | 'ping' | 'gossip' | 'call'

/** What the network does to one thing that one node sends another. Asked once per thing, in a fixed order. */
export type MemoryFaults = {
  /**
   * Milliseconds until each copy arrives: `[]` is lost, two entries a duplicate. Only one-way messages and rumours can
   * arrive twice. What belongs to a call is sent again when lost, as TCP would, until the connection breaks.
   */
  deliver(from: PeerId, to: PeerId, kind: TrafficKind): readonly number[]
  /** True: a dial is answered with a refusal although somebody listens. */
  refuses?(from: PeerId, to: PeerId): boolean
}

const RETRANSMIT_MS_MIN = 200
const RETRANSMIT_MS_MAX = 5_000
/** Sent and not yet read by the other side of a pipe. */
const PIPE_WINDOW_BYTES = 256 * 1024

export class Air {
  readonly clock: Clock
  readonly faults: MemoryFaults

  constructor(clock: Clock, faults: MemoryFaults) {
    this.clock = clock
    this.faults = faults
  }

  /** Runs the action for each copy that arrives; false when none does. */
  transmit(from: PeerId, to: PeerId, kind: TrafficKind, action: () => void): boolean {
    const delaysMs = this.faults.deliver(from, to, kind)
    for (const delayMs of delaysMs) this.clock.after(delayMs, action)
    return delaysMs.length > 0
  }

  /** Runs the action once, however often it must be sent; gives up when `isOver`. */
  insist(
    from: PeerId,
    to: PeerId,
    isOver: () => boolean,
    action: () => void,
    waitMs = RETRANSMIT_MS_MIN,
  ): void {
    const [delayMs] = this.faults.deliver(from, to, 'call')
    if (delayMs !== undefined) {
      this.clock.after(delayMs, action)
      return
    }
    this.clock.after(waitMs, () => {
      if (!isOver()) this.insist(from, to, isOver, action, Math.min(waitMs * 2, RETRANSMIT_MS_MAX))
    })
  }
}

export type Rumor = {
  readonly id: string
  readonly author: PeerId
  readonly topic: Topic
  readonly payload: Uint8Array
}

/** The node that a side of a connection belongs to. */
export type EndOwner = {
  readonly self: PeerId
  /** The dialled side learns that the connection stands; false refuses it after all. */
  onEstablished(end: End): boolean
  onClosed(end: End, cause: 'closed' | 'timeout'): void
  onPayload(end: End, channel: Channel, payload: Uint8Array): void
  onRumor(end: End, rumor: Rumor): void
  onPipe(end: End, protocol: Protocol, pipe: Pipe): void
}

export type EndOptions = {
  readonly air: Air
  readonly owner: EndOwner
  readonly peer: PeerId
  readonly kind: 'member' | 'guest'
  readonly isDialer: boolean
}

type Lane = { readonly queue: Uint8Array[]; bytes: number; lastArrivalMs: number }

/** Both sides of a new connection: the dialler's is open, the other opens with the first thing that arrives there. */
export const connect = (dialer: EndOptions, dialed: EndOptions): End => {
  const [near, far] = [new End(dialer, 'open'), new End(dialed, 'pending')]
  near.other = far
  far.other = near
  dialer.air.insist(
    dialer.owner.self,
    dialed.owner.self,
    () => !near.isOpen,
    () => far.wake(),
  )
  return near
}

/** One side of a connection. The sides open and close apart from each other, as over a real network. */
export class End {
  readonly options: EndOptions
  readonly openedAtMs: number
  other: End | null = null
  callCount = 0
  #state: 'pending' | 'open' | 'closed'
  readonly #lanes = new Map<Channel, Lane>()
  readonly #pipes = new Set<MemoryPipe>()

  constructor(options: EndOptions, state: 'pending' | 'open') {
    this.options = options
    this.#state = state
    this.openedAtMs = options.air.clock.monotonicMs()
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get peer(): PeerId {
    return this.options.peer
  }

  get #self(): PeerId {
    return this.options.owner.self
  }

  /** Something arrived here; true when the connection stands on this side. */
  wake(): boolean {
    if (this.#state !== 'pending') return this.isOpen
    this.#state = 'open'
    if (this.options.owner.onEstablished(this)) return true
    this.close()
    return false
  }

  /** Bytes of one channel under way to the other side. */
  bytesUnderWay(channel: Channel): number {
    return this.#lanes.get(channel)?.bytes ?? 0
  }

  /** In order among the first copies; a second copy may come at any time. */
  send(channel: Channel, payload: Uint8Array): void {
    const { air, peer } = this.options
    const self = this.#self
    const [firstMs, ...againMs] = air.faults.deliver(self, peer, channel)
    if (firstMs === undefined) return
    const lane = this.#lanes.get(channel) ?? { queue: [], bytes: 0, lastArrivalMs: 0 }
    this.#lanes.set(channel, lane)
    const nowMs = air.clock.monotonicMs()
    lane.lastArrivalMs = Math.max(lane.lastArrivalMs, nowMs + firstMs)
    lane.queue.push(payload)
    lane.bytes += payload.byteLength
    air.clock.after(lane.lastArrivalMs - nowMs, () => {
      // Whichever timer fires first takes the oldest message: equal times cannot swap two of them.
      const oldest = lane.queue.shift() as Uint8Array
      lane.bytes -= oldest.byteLength
      this.#arrive(channel, oldest)
    })
    for (const delayMs of againMs) air.clock.after(delayMs, () => this.#arrive(channel, payload))
  }

  #arrive(channel: Channel, payload: Uint8Array): void {
    const { other } = this
    if (other?.wake() === true) return other.options.owner.onPayload(other, channel, payload)
    this.#reset()
  }

  tell(rumor: Rumor): void {
    const { air, peer } = this.options
    air.transmit(this.#self, peer, 'gossip', () => {
      const { other } = this
      if (other?.wake() === true) other.options.owner.onRumor(other, rumor)
    })
  }

  /** Something came to a side that knows nothing of this connection: it answers with a reset. */
  #reset(): void {
    const { air, peer } = this.options
    const self = this.#self
    air.transmit(peer, self, 'close', () => this.drop('closed'))
  }

  /** Whether the other side still answers on this connection: `null` when nothing comes back. */
  ping(): boolean | null {
    const { air, peer } = this.options
    const self = this.#self
    const isThere = air.faults.deliver(self, peer, 'ping').length > 0
    const isBack = isThere && air.faults.deliver(peer, self, 'ping').length > 0
    return isBack ? this.other?.isOpen === true : null
  }

  openPipe(protocol: Protocol): Pipe {
    const { air, peer } = this.options
    const self = this.#self
    const { other } = this
    const near = new MemoryPipe(this)
    this.#hold(near)
    if (other === null || !this.isOpen) {
      near.drop()
      return near
    }
    const far = new MemoryPipe(other)
    near.other = far
    far.other = near
    air.insist(
      self,
      peer,
      () => near.isClosed,
      () => {
        if (!other.wake()) return this.#reset()
        if (near.isClosed) return
        other.#hold(far)
        other.options.owner.onPipe(other, protocol, far)
      },
    )
    return near
  }

  #hold(pipe: MemoryPipe): void {
    this.#pipes.add(pipe)
    this.callCount += 1
    pipe.whenClosed(() => {
      if (this.#pipes.delete(pipe)) this.callCount -= 1
    })
  }

  /** Closes this side, tells the owner, and lets the other side know if the network carries it. */
  close(cause: 'closed' | 'timeout' = 'closed'): void {
    if (!this.isOpen) return
    const { air, peer } = this.options
    const self = this.#self
    air.transmit(self, peer, 'close', () => this.other?.drop('closed'))
    this.drop(cause)
  }

  /** Closes this side only. */
  drop(cause: 'closed' | 'timeout'): void {
    if (this.#state === 'pending') this.#state = 'closed'
    if (!this.isOpen) return
    this.#state = 'closed'
    for (const pipe of [...this.#pipes]) pipe.drop()
    this.options.owner.onClosed(this, cause)
  }
}

class MemoryPipe implements Pipe {
  other: MemoryPipe | null = null
  isClosed = false
  readonly #end: End
  #sink: PipeSink | null = null
  /** Under way to this side, oldest first; null is the other side's end. */
  readonly #inbound: (Uint8Array | null)[] = []
  #arrivedCount = 0
  #unreadBytes = 0
  #isFull = false
  #isPaused = false
  #isEnded = false
  readonly #onClosed: (() => void)[] = []

  constructor(end: End) {
    this.#end = end
  }

  whenClosed(action: () => void): void {
    this.#onClosed.push(action)
  }

  send(payload: Uint8Array): boolean {
    const { other } = this
    if (this.isClosed || this.#isEnded || other === null) return true
    this.#unreadBytes += payload.byteLength
    this.#isFull = this.#unreadBytes > PIPE_WINDOW_BYTES
    this.#push(other, payload.slice())
    return !this.#isFull
  }

  end(): void {
    if (this.isClosed || this.#isEnded || this.other === null) return
    this.#isEnded = true
    this.#push(this.other, null)
  }

  #push(other: MemoryPipe, item: Uint8Array | null): void {
    const { air, owner, peer } = this.#end.options
    const { self } = owner
    other.#inbound.push(item)
    air.insist(
      self,
      peer,
      () => this.isClosed && !this.#isEnded,
      () => {
        other.#arrivedCount += 1
        other.#read()
      },
    )
  }

  abort(): void {
    const { air, owner, peer } = this.#end.options
    const { self } = owner
    const { other } = this
    if (this.isClosed) return
    if (other !== null)
      air.insist(
        self,
        peer,
        () => other.isClosed,
        () => other.drop(),
      )
    this.drop()
  }

  /** This side is over; the other one learns it by itself or by what is under way. */
  drop(): void {
    if (this.isClosed) return
    this.isClosed = true
    for (const action of this.#onClosed) action()
    this.#sink?.onClose()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#read()
  }

  attach(sink: PipeSink): void {
    this.#sink = sink
    if (this.isClosed) return sink.onClose()
    this.#read()
  }

  #read(): void {
    while (this.#arrivedCount > 0 && this.#sink !== null && !this.#isPaused && !this.isClosed) {
      this.#arrivedCount -= 1
      const item = this.#inbound.shift() as Uint8Array | null
      if (item === null) return this.drop()
      this.#sink.onFrame(item)
      this.#acknowledge(item.byteLength)
    }
  }

  #acknowledge(bytes: number): void {
    const { air, owner, peer } = this.#end.options
    const { self } = owner
    const { other } = this
    if (other === null) return
    air.insist(
      self,
      peer,
      () => other.isClosed,
      () => {
        other.#unreadBytes -= bytes
        if (!other.#isFull || other.#unreadBytes > PIPE_WINDOW_BYTES / 2) return
        other.#isFull = false
        other.#sink?.onDrain()
      },
    )
  }
}
