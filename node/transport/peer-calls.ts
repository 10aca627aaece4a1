/** Calls over libp2p: a stream per call, to members by peer id and to strangers by address. */
import type { Connection, Stream } from '@libp2p/interface'
import type { Clock } from '../clock.ts'
import { FRAME_BYTES_MAX } from '../codec.ts'
import { Failure, messageOf } from '../errors.ts'
import { placeCall, serveCall } from './calls.ts'
import { GUEST_FRAME_BYTES_MAX } from './guests.ts'
import { hostOf, type Link, type Links } from './links.ts'
import type { Pipe } from './pipe.ts'
import { pipeOf } from './streams.ts'
import type { CallOptions, PeerId, Protocol, Responder } from './transport.ts'

/** At once, per connection and direction. */
const CALLS_MAX = 128
const JOINS_MAX = 4

const PROTOCOLS: readonly Protocol[] = ['join', 'api']
const wireProtocol = (protocol: Protocol): string => `/tutti/${protocol}/1`
const callsMax = (protocol: Protocol): number => (protocol === 'join' ? JOINS_MAX : CALLS_MAX)

export type PeerCallsOptions = {
  readonly clock: Clock
  readonly links: Links
  /** Waits for the confirmed connection to a member, dialling when needed; E_UNREACHABLE. */
  readonly reach: (peer: PeerId, signal: AbortSignal) => Promise<Link>
  /** Connects to whoever listens at the address. */
  readonly visit: (address: string, signal: AbortSignal) => Promise<Connection>
  readonly onMalformed: (from: PeerId, reason: string) => void
}

export class PeerCalls {
  readonly #options: PeerCallsOptions
  readonly #responders = new Map<Protocol, Responder>()
  /** Open connections to strangers by the address they were found at: a second question goes to the same peer. */
  readonly #visits = new Map<string, Connection>()

  constructor(options: PeerCallsOptions) {
    this.#options = options
  }

  onCall(protocol: Protocol, responder: Responder): void {
    this.#responders.set(protocol, responder)
  }

  call(to: PeerId, protocol: Protocol, request: unknown, options: CallOptions): AsyncIterable<unknown> {
    const { clock, reach } = this.#options
    return placeCall({
      clock,
      options,
      request,
      whom: to,
      open: async signal => {
        const { connection } = await reach(to, signal)
        return this.#open(connection, protocol, signal, to).catch(async (thrown: unknown) => {
          // It was let go in the very moment in which it was wanted again: nothing was asked yet.
          if (connection.status === 'open') throw thrown
          return this.#open((await reach(to, signal)).connection, protocol, signal, to)
        })
      },
    })
  }

  /** The request leaves only when the value after the peer id is asked for. */
  async *callAddress(
    address: string,
    protocol: 'join',
    request: unknown,
    options: CallOptions,
  ): AsyncGenerator<unknown, void> {
    const { clock } = this.#options
    const startedAtMs = clock.monotonicMs()
    const connection = await this.#visit(address, options)
    yield connection.remotePeer.toString()
    const elapsedMs = clock.monotonicMs() - startedAtMs
    yield* placeCall({
      clock,
      options: { ...options, timeoutMs: Math.max(1, options.timeoutMs - elapsedMs) },
      request,
      whom: address,
      open: signal => this.#open(connection, protocol, signal, address),
    })
  }

  async #visit(address: string, { timeoutMs, signal }: CallOptions): Promise<Connection> {
    const known = this.#visits.get(address)
    if (known?.status === 'open') return known
    const signals = [AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]
    const connection = await this.#options.visit(address, AbortSignal.any(signals))
    this.#visits.set(address, connection)
    connection.addEventListener('close', () => {
      if (this.#visits.get(address) === connection) this.#visits.delete(address)
    })
    return connection
  }

  async #open(connection: Connection, protocol: Protocol, signal: AbortSignal, whom: string): Promise<Pipe> {
    const { links, onMalformed } = this.#options
    const stream = await connection
      .newStream(wireProtocol(protocol), { signal, maxOutboundStreams: callsMax(protocol) })
      .catch((cause: unknown) => {
        throw new Failure(
          'E_UNREACHABLE',
          { message: `${whom} did not take the call`, why: messageOf(cause) },
          { cause },
        )
      })
    this.#holdWhileOpen(links.of(connection), stream)
    return pipeOf(stream, FRAME_BYTES_MAX, reason => onMalformed(connection.remotePeer.toString(), reason))
  }

  #holdWhileOpen(link: Link | undefined, stream: Stream): void {
    if (link === undefined) return
    this.#options.links.callStarted(link)
    stream.addEventListener('close', () => this.#options.links.callEnded(link))
    if (stream.status !== 'open') this.#options.links.callEnded(link)
  }

  /** libp2p's handlers, one per protocol; only `join` may be opened by strangers. */
  *inbound(): Iterable<{
    readonly name: string
    readonly streamsMax: number
    readonly handle: (stream: Stream, connection: Connection) => void
  }> {
    for (const protocol of PROTOCOLS) {
      yield {
        name: wireProtocol(protocol),
        streamsMax: callsMax(protocol),
        handle: (stream, connection) => this.#serve(protocol, stream, connection),
      }
    }
  }

  #serve(protocol: Protocol, stream: Stream, connection: Connection): void {
    const { links, onMalformed } = this.#options
    const from = connection.remotePeer.toString()
    const link = links.of(connection)
    const responder = this.#responders.get(protocol)
    const isWelcome = link !== undefined && (link.kind === 'member' || protocol === 'join')
    if (!isWelcome || responder === undefined) return stream.abort(new Error('not served'))
    const bytesMax = protocol === 'join' ? GUEST_FRAME_BYTES_MAX : FRAME_BYTES_MAX
    const pipe = pipeOf(stream, bytesMax, reason => onMalformed(from, reason))
    this.#holdWhileOpen(link, stream)
    serveCall(pipe, { from, host: hostOf(connection) }, responder, {
      onMalformed: reason => onMalformed(from, reason),
    })
  }
}
