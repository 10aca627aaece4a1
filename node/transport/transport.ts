/**
 * How nodes talk. Two implementations with one contract suite: libp2p (TCP, Noise, Yamux, gossipsub) and memory
 * (simulation, tests). Identity is the peer's key; an address is only a hint.
 */

/** The libp2p peer id as a string. */
export type PeerId = string

/** One-way messages. Each channel rides one long-lived framed stream per pair of nodes. */
export type Channel = 'raft' | 'swim' | 'propose'

/** Gossipsub topics: few and static. */
export type Topic = 'rumors'

/** Request/response protocols. `join` is the only one a stranger may open. */
export type Protocol = 'join' | 'api'

export type PeerEvent =
  /** A connection is up in either direction and the peer is admitted. */
  | { readonly type: 'connected'; readonly peer: PeerId }
  /**
   * The last connection closed. `refused`: a dial was answered with a refusal, so the process is gone though the host lives.
   * `idle`: one side let it go, because nothing was said on it for long; that says nothing about the peer.
   */
  | {
      readonly type: 'disconnected'
      readonly peer: PeerId
      readonly cause: 'closed' | 'refused' | 'timeout' | 'idle'
    }

/** What a responder gets. */
export type Call = {
  readonly from: PeerId
  /** Where the caller seems to be: proves nothing, and is good for counting. */
  readonly host: string
  readonly request: unknown
  /** Aborts when the caller went away. */
  readonly signal: AbortSignal
}

/** Answers a call with one or more values; a thrown Failure reaches the caller as the same code and text. */
export type Responder = (call: Call) => AsyncIterable<unknown>

export type CallOptions = {
  /** Until the first value arrives; E_TIMEOUT afterwards. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export type Transport = {
  readonly self: PeerId
  /** Binds the listen address; E_PORT_IN_USE when taken. */
  start(): Promise<void>
  /** Closes all connections and streams; idempotent. */
  stop(): Promise<void>
  /** `host:port` addresses under which others may reach this node, once started. */
  addresses(): readonly string[]

  /**
   * Queues a one-way message, in order per peer and channel, and dials when needed. Never blocks and never throws:
   * false means dropped (queue full beyond QUEUE_BYTES_MAX, peer not admitted, address unknown). A true is no promise of delivery.
   */
  send(to: PeerId, channel: Channel, message: unknown): boolean
  /** One handler per channel, set before start. Only admitted peers reach it; `from` is proven by the connection. */
  onMessage(channel: Channel, handler: (from: PeerId, message: unknown) => void): void

  publish(topic: Topic, message: unknown): void
  /** `from` is the proven author (signed), not the relay. Own messages are not delivered back. */
  onPublished(topic: Topic, handler: (from: PeerId, message: unknown) => void): void

  /** Asks an admitted peer. The iterator throws Failure: E_UNREACHABLE, E_TIMEOUT, or the responder's own. Ending it early aborts the responder. */
  call(to: PeerId, protocol: Protocol, request: unknown, options: CallOptions): AsyncIterable<unknown>
  /** Asks a stranger by `host:port`; for `join` only. The first value of the result is the peer id that the connection proved. */
  callAddress(
    address: string,
    protocol: 'join',
    request: unknown,
    options: CallOptions,
  ): AsyncIterable<unknown>
  onCall(protocol: Protocol, responder: Responder): void

  /** Who may talk to us, from the roster in the log: replaces the former set; connections of others are closed at once. `null` admits nobody but join callers. */
  admit(peers: ReadonlySet<PeerId>): void
  /**
   * Whom to stay connected to, of those admitted: replaces the former set; `null`, as at first, is everybody. Others are
   * dialled when something is said to them, and their connections let go when nothing was for a while.
   */
  keep(peers: ReadonlySet<PeerId> | null): void
  /** Replaces what is known of a peer's addresses (`host:port`, best first). */
  setAddresses(peer: PeerId, addresses: readonly string[]): void
  onPeer(handler: (event: PeerEvent) => void): void
  /** Admitted peers with a live connection. */
  connected(): ReadonlySet<PeerId>
  /** Those of them to stay connected to: whom to ask what anybody may answer, so that no connection is held for it. */
  near(): ReadonlySet<PeerId>
  /** Those to stay connected to that have no live connection. */
  missing(): ReadonlySet<PeerId>
}

/** First value of a call. */
export const firstOf = async (values: AsyncIterable<unknown>): Promise<unknown> => {
  for await (const value of values) return value
  return undefined
}
