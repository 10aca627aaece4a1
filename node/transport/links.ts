/**
 * The table of connections and who may have one. A connection is a member's or a guest's from its first moment to its
 * last: when a guest becomes a member it connects anew, because gossipsub and identify look at a connection only once.
 * A pair of members has one connection; which of two survives is decided at the gater.
 */
import type { Connection, ConnectionGater, MultiaddrConnection, StreamMessageEvent } from '@libp2p/interface'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { CROSSING_MS } from './dial-loop.ts'
import {
  GUEST_BYTES_MAX,
  GUEST_IDLE_MS_MAX,
  GUEST_JOIN_MS_MAX,
  GUEST_STREAMS_MAX,
  GuestBook,
} from './guests.ts'
import type { PeerId } from './transport.ts'

/** The other side must treat us as a member within this. */
const CONFIRM_MS_MAX = 5_000
const GUEST_CHECK_MS = 250
const VISIT_IDLE_MS_MAX = 2_000
/** Expelled peers that are not dialled any more. */
const EXPELLED_MAX = 4_096

export type CloseCause = 'closed' | 'timeout'

export type Link = {
  readonly connection: Connection
  readonly peer: PeerId
  readonly kind: 'member' | 'guest'
  readonly openedAtMs: number
  /** Cancels the timer that watches it. */
  cancelWatch: () => void
  /** Both sides have admitted each other: proven by an answer that only members get. */
  isConfirmed: boolean
  /** Running calls; a guest that was admitted meanwhile is cut off when the last one ends. */
  callCount: number
  isRetiring: boolean
}

export type LinksOptions = {
  readonly self: PeerId
  readonly clock: Clock
  readonly log: Log
  readonly onOpened: (link: Link) => void
  readonly onClosed: (link: Link, cause: CloseCause) => void
  /** Hosts of members, which are never refused before they could prove who they are. */
  readonly isMemberHost: (host: string) => boolean
  /** A member that is cut off for a while. */
  readonly isBarred: (peer: PeerId) => boolean
}

/** The address that a connection comes from. */
export const hostOf = (connection: Pick<MultiaddrConnection, 'remoteAddr'>): string =>
  connection.remoteAddr.getComponents().find(part => ['ip4', 'ip6', 'dns'].includes(part.name))?.value ?? ''

const TIMEOUTS = new Set(['TimeoutError', 'AbortError'])
const TIMEOUT_CODES = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'])

const causeOf = (error: (Error & { code?: unknown }) | undefined): CloseCause =>
  error !== undefined && (TIMEOUTS.has(error.name) || TIMEOUT_CODES.has(String(error.code)))
    ? 'timeout'
    : 'closed'

export class Links {
  readonly #options: LinksOptions
  readonly #guests: GuestBook
  readonly #byConnection = new Map<string, Link>()
  readonly #members = new Map<PeerId, Link>()
  /** Own dials whose TCP connection stands, by when: the handshake is on its way. */
  readonly #crossing = new Map<PeerId, number>()
  /** Members whose connection passed the gate, by when, until it is open. */
  readonly #arriving = new Map<PeerId, number>()
  readonly #expelled = new Set<PeerId>()
  #admitted: ReadonlySet<PeerId> = new Set()

  constructor(options: LinksOptions) {
    this.#options = options
    this.#guests = new GuestBook(options.clock)
  }

  get admitted(): ReadonlySet<PeerId> {
    return this.#admitted
  }

  /** The one connection to a member, confirmed or not. */
  member(peer: PeerId): Link | undefined {
    return this.#members.get(peer)
  }

  of(connection: Connection): Link | undefined {
    return this.#byConnection.get(connection.id)
  }

  all(): readonly Link[] {
    return [...this.#byConnection.values()]
  }

  admit(peers: ReadonlySet<PeerId>): void {
    for (const peer of this.#admitted) if (!peers.has(peer)) this.#expel(peer)
    for (const peer of peers) this.#expelled.delete(peer)
    this.#admitted = new Set(peers)
    for (const link of this.all()) {
      if (link.kind === 'member' && !peers.has(link.peer))
        link.connection.abort(new Error('no longer a member'))
      if (link.kind === 'guest' && peers.has(link.peer)) this.retire(link)
    }
  }

  /** An own dial is over, however it ended. */
  dialEnded(peer: PeerId): void {
    this.#crossing.delete(peer)
  }

  callStarted(link: Link): void {
    link.callCount += 1
  }

  callEnded(link: Link): void {
    link.callCount -= 1
    if (link.isRetiring) return this.retire(link)
    if (link.kind === 'member' || link.connection.direction === 'inbound' || link.callCount > 0) return
    // Our own visit to a stranger: kept a moment for a second question.
    this.#options.clock.after(VISIT_IDLE_MS_MAX, () => {
      if (link.callCount === 0 && this.#byConnection.has(link.connection.id)) this.retire(link)
    })
  }

  /** Ends a connection once its calls are over, letting what is written leave first. */
  retire(link: Link): void {
    link.isRetiring = true
    if (link.callCount > 0) return
    link.connection.close().catch((error: Error) => link.connection.abort(error))
  }

  #expel(peer: PeerId): void {
    this.#expelled.add(peer)
    const [oldest] = this.#expelled
    if (this.#expelled.size > EXPELLED_MAX && oldest !== undefined) this.#expelled.delete(oldest)
  }

  /** From libp2p's `connection:open`. */
  opened(connection: Connection): void {
    const { clock, onOpened, onClosed } = this.#options
    const peer = connection.remotePeer.toString()
    const link: Link = {
      connection,
      peer,
      kind: this.#admitted.has(peer) ? 'member' : 'guest',
      openedAtMs: clock.monotonicMs(),
      cancelWatch: () => {},
      isConfirmed: false,
      callCount: 0,
      isRetiring: false,
    }
    this.#byConnection.set(connection.id, link)
    this.#crossing.delete(peer)
    this.#arriving.delete(peer)
    connection.addEventListener('close', event => {
      if (!this.#byConnection.delete(connection.id)) return
      link.cancelWatch()
      if (this.#members.get(peer) === link) this.#members.delete(peer)
      if (link.kind === 'guest') this.#guests.left()
      onClosed(link, causeOf(event.error))
    })
    if (link.kind === 'guest') {
      this.#guests.entered()
      this.#watchGuest(link)
    } else {
      const older = this.#members.get(peer)
      this.#members.set(peer, link)
      older?.connection.abort(new Error('replaced by a newer connection'))
      this.#watchConfirmation(link)
    }
    onOpened(link)
  }

  #watchConfirmation(link: Link): void {
    link.cancelWatch = this.#options.clock.after(CONFIRM_MS_MAX, () => {
      const isIdle = !link.isConfirmed && link.callCount === 0
      if (isIdle) link.connection.abort(new Error('not admitted by the peer'))
    })
  }

  #watchGuest(link: Link): void {
    const { clock, log } = this.#options
    link.cancelWatch = clock.after(GUEST_CHECK_MS, () => {
      const ageMs = clock.monotonicMs() - link.openedAtMs
      const isTooOld = ageMs > (link.callCount > 0 ? GUEST_JOIN_MS_MAX : GUEST_IDLE_MS_MAX)
      if (!isTooOld && link.connection.streams.length <= GUEST_STREAMS_MAX) return this.#watchGuest(link)
      log.debug('a stranger is sent away', {
        peer: link.peer,
        ageMs,
        streams: link.connection.streams.length,
      })
      link.connection.abort(new Error('a stranger may not stay'))
    })
  }

  /** libp2p's own default lets everybody in. */
  gater(): ConnectionGater {
    const { isMemberHost } = this.#options
    return {
      denyInboundConnection: connection => {
        const host = hostOf(connection)
        return this.#guests.isFlooding(host) && !isMemberHost(host)
      },
      denyOutboundConnection: peer => this.#deniesDial(peer.toString()),
      denyInboundEncryptedConnection: (peer, connection) => this.#deniesInbound(peer.toString(), connection),
      denyOutboundEncryptedConnection: peer => this.#deniesOutbound(peer.toString()),
    }
  }

  /**
   * Before the first packet. A dial that went on beside a connection which the peer has just opened would look to the peer
   * like a sign that this connection is dead.
   */
  #deniesDial(peer: PeerId): boolean {
    if (this.#options.isBarred(peer)) return true
    const nowMs = this.#options.clock.monotonicMs()
    const arrivingMs = this.#arriving.get(peer)
    if (this.#members.has(peer) || (arrivingMs !== undefined && nowMs - arrivingMs < CROSSING_MS)) return true
    this.#crossing.set(peer, nowMs)
    return false
  }

  #deniesInbound(peer: PeerId, connection: MultiaddrConnection): boolean {
    // Whoever was expelled is a stranger: it may ask, in the join protocol, and hears there that it has left.
    if (!this.#admitted.has(peer)) return this.#deniesGuest(peer, connection)
    if (this.#options.isBarred(peer)) return true
    const nowMs = this.#options.clock.monotonicMs()
    const isLower = this.#options.self < peer
    const crossingMs = this.#crossing.get(peer)
    if (isLower && crossingMs !== undefined && nowMs - crossingMs < CROSSING_MS) return true
    const older = this.#members.get(peer)
    const isYoung = older !== undefined && nowMs - older.openedAtMs < CROSSING_MS
    if (isLower && isYoung && older.connection.direction === 'outbound') return true
    this.#arriving.set(peer, nowMs)
    // The peer dials only when it has no connection, so this one is dead at its end.
    older?.connection.abort(new Error('replaced by a newer connection'))
    return false
  }

  #deniesOutbound(peer: PeerId): boolean {
    return this.#expelled.has(peer) || this.#members.has(peer)
  }

  #deniesGuest(peer: PeerId, connection: MultiaddrConnection): boolean {
    if (!this.#guests.mayEnter(hostOf(connection))) {
      this.#options.log.debug('a stranger was refused: too many', { peer, host: hostOf(connection) })
      return true
    }
    let bytes = 0
    connection.addEventListener('message', (event: StreamMessageEvent) => {
      bytes += event.data.byteLength
      if (bytes > GUEST_BYTES_MAX && !this.#admitted.has(peer))
        connection.abort(new Error('a stranger sends too much'))
    })
    return false
  }
}
