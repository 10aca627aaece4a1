/** Being connected to the members, or able to be: their addresses, when to dial, who waits for a connection, and whose host refused. */
import type { Clock } from '../clock.ts'
import { Failure } from '../errors.ts'
import { DialLoop, type DialOutcome } from './dial-loop.ts'
import { hostPortOf, isHostPort } from './host-port.ts'
import type { PeerId } from './transport.ts'

/** Addresses kept per peer. */
export const ADDRESSES_MAX = 8

export type ReachOptions<Connection> = {
  readonly self: PeerId
  readonly clock: Clock
  /** 0 ≤ x < 1. */
  readonly random: () => number
  /** Starts one attempt at these addresses, best first; its end is told by `connected` or `missed`. */
  readonly dial: (peer: PeerId, addresses: readonly string[]) => void
  /** The connection to a member, when both sides have admitted each other. */
  readonly connectionTo: (peer: PeerId) => Connection | null
  /** A dial was answered with a refusal: told once until the next connection. */
  readonly onRefused: (peer: PeerId) => void
}

export class Reach<Connection> {
  readonly #options: ReachOptions<Connection>
  readonly #dialLoop: DialLoop
  readonly #addresses = new Map<PeerId, readonly string[]>()
  /** The address at which each peer was reached last. */
  readonly #worked = new Map<PeerId, string>()
  readonly #waiting = new Map<PeerId, Set<(connection: Connection | null) => void>>()
  readonly #refused = new Set<PeerId>()
  #admitted: ReadonlySet<PeerId> = new Set()
  #kept: ReadonlySet<PeerId> | null = null
  #isRunning = false

  constructor(options: ReachOptions<Connection>) {
    const { self, clock, random, dial } = options
    this.#options = options
    this.#dialLoop = new DialLoop({ self, clock, random, dial: peer => dial(peer, this.#inOrder(peer)) })
  }

  start(): void {
    this.#isRunning = true
    this.#updateTargets()
  }

  stop(): void {
    this.#isRunning = false
    this.#dialLoop.stop()
    for (const peer of [...this.#waiting.keys()]) this.#wake(peer, null)
  }

  admit(peers: ReadonlySet<PeerId>): void {
    this.#admitted = peers
    for (const peer of this.#refused) if (!peers.has(peer)) this.#refused.delete(peer)
    for (const peer of this.#worked.keys()) if (!peers.has(peer)) this.#worked.delete(peer)
    this.#updateTargets()
  }

  /** Null: everybody. */
  keep(peers: ReadonlySet<PeerId> | null): void {
    this.#kept = peers
    this.#updateTargets()
  }

  /** Those to stay connected to that are not. */
  missing(): ReadonlySet<PeerId> {
    const { self, connectionTo } = this.#options
    const wanted = [...(this.#kept ?? this.#admitted)]
    return new Set(
      wanted.filter(peer => peer !== self && this.#admitted.has(peer) && connectionTo(peer) === null),
    )
  }

  setAddresses(peer: PeerId, addresses: readonly string[]): void {
    if (peer === this.#options.self) return
    const usable = [...new Set(addresses.filter(isHostPort))].slice(0, ADDRESSES_MAX)
    const before = this.#addressesOf(peer)
    if (usable.length === before.length && usable.every((address, position) => address === before[position]))
      return
    this.#addresses.set(peer, usable)
    this.#updateTargets()
    this.#dialLoop.refresh(peer)
  }

  /** A dial reached the peer there: the next one begins with it. */
  reachedAt(peer: PeerId, address: string): void {
    this.#worked.set(peer, address)
  }

  /** Whether a member is known to live on this host. */
  isMemberHost(host: string): boolean {
    return [...this.#addresses].some(
      ([peer, list]) => this.#admitted.has(peer) && list.some(address => hostPortOf(address).host === host),
    )
  }

  /** The member that is known to be at this address. */
  memberAt(address: string): PeerId | null {
    for (const [peer, list] of this.#addresses)
      if (this.#admitted.has(peer) && list.includes(address)) return peer
    return null
  }

  isDialing(peer: PeerId): boolean {
    return this.#dialLoop.isDialing(peer)
  }

  /** A message waits: true when a dial is under way or about to start. */
  hurry(peer: PeerId): boolean {
    return this.#dialLoop.hurry(peer)
  }

  /** The peer gave a sign that it can be reached now. */
  refresh(peer: PeerId): void {
    this.#dialLoop.refresh(peer)
  }

  connected(peer: PeerId, connection: Connection): void {
    this.#refused.delete(peer)
    this.#dialLoop.connected(peer)
    this.#dialLoop.finished(peer, 'connected')
    this.#wake(peer, connection)
  }

  lost(peer: PeerId, how: 'broken' | 'expected'): void {
    this.#dialLoop.lost(peer, how)
  }

  missed(peer: PeerId, outcome: Exclude<DialOutcome, 'connected'>): void {
    this.#dialLoop.finished(peer, outcome)
    this.#wake(peer, null)
    if (outcome !== 'refused' || this.#refused.has(peer) || !this.#admitted.has(peer)) return
    this.#refused.add(peer)
    this.#options.onRefused(peer)
  }

  /** The connection to a member, dialled when needed; E_UNREACHABLE when that fails or the signal aborts. */
  async wait(peer: PeerId, signal: AbortSignal): Promise<Connection> {
    const connection = this.#options.connectionTo(peer)
    if (connection !== null) return connection
    const isMember = this.#admitted.has(peer)
    const isPossible = this.#addressesOf(peer).length > 0 || this.isDialing(peer)
    if (!this.#isRunning || !isMember || !isPossible) {
      const why = isMember ? 'no address of it is known' : 'it is no member'
      throw new Failure('E_UNREACHABLE', { message: `node ${peer} cannot be reached`, why })
    }
    this.#dialLoop.nudge(peer)
    const reached = await new Promise<Connection | null>(resolve => {
      const waiting = this.#waiting.get(peer) ?? new Set()
      this.#waiting.set(peer, waiting.add(resolve))
      signal.addEventListener('abort', () => resolve(null), { once: true })
    })
    if (reached !== null) return reached
    throw new Failure('E_UNREACHABLE', {
      message: `node ${peer} cannot be reached`,
      why: `nothing answers at ${this.#addressesOf(peer).join(', ')}`,
    })
  }

  #addressesOf(peer: PeerId): readonly string[] {
    return this.#addresses.get(peer) ?? []
  }

  /** What worked last, and then as they were told. */
  #inOrder(peer: PeerId): readonly string[] {
    const all = this.#addressesOf(peer)
    const worked = this.#worked.get(peer)
    return worked === undefined || !all.includes(worked) ? all : [...new Set([worked, ...all])]
  }

  #updateTargets(): void {
    if (!this.#isRunning) return
    const { self, connectionTo } = this.#options
    const reachable = [...this.#admitted].filter(peer => peer !== self && this.#addressesOf(peer).length > 0)
    this.#dialLoop.want(new Set(reachable), this.#kept)
    for (const peer of reachable) if (connectionTo(peer) !== null) this.#dialLoop.connected(peer)
  }

  #wake(peer: PeerId, connection: Connection | null): void {
    const waiting = this.#waiting.get(peer)
    this.#waiting.delete(peer)
    for (const resolve of waiting ?? []) resolve(connection)
  }
}
