/**
 * Connections that are not kept: dialled when something was to be said, and let go once nothing was said for a while. Both ends
 * look at the same silence, so that neither takes a farewell for a death.
 */
import type { Clock } from '../clock.ts'
import type { PeerId } from './transport.ts'

/** Longer than the pauses of whoever works with a node, so that a person who thinks for a moment causes no new handshake. */
export const IDLE_MS_MAX = 60_000
/** After so much silence the end of a connection is no news: far more than the difference of what both ends saw last. */
export const RESTING_MS = 30_000
const LOOK_MS = 10_000

type Held = { readonly peer: PeerId; readonly callCount: number }

export type IdleOptions<Connection extends Held> = {
  readonly clock: Clock
  readonly connections: () => Iterable<Connection>
  readonly letGo: (connection: Connection) => void
}

export class Idle<Connection extends Held> {
  readonly #options: IdleOptions<Connection>
  readonly #usedMs = new Map<PeerId, number>()
  /** Null: all are kept, and nothing is looked at. */
  #kept: ReadonlySet<PeerId> | null = null
  #sinceMs = 0
  #cancel: (() => void) | null = null

  constructor(options: IdleOptions<Connection>) {
    this.#options = options
  }

  keep(peers: ReadonlySet<PeerId> | null): void {
    this.#kept = peers
    if (peers === null) return this.stop()
    if (this.#cancel !== null) return
    this.#sinceMs = this.#options.clock.monotonicMs()
    this.#plan()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#usedMs.clear()
  }

  isKept(peer: PeerId): boolean {
    return this.#kept === null || this.#kept.has(peer)
  }

  /** Something was said, or the connection is new. */
  used(peer: PeerId): void {
    if (this.#cancel !== null) this.#usedMs.set(peer, this.#options.clock.monotonicMs())
  }

  /** Whether the end of this connection says nothing about its other end. */
  isResting(connection: Held): boolean {
    return this.#cancel !== null && this.#silentMs(connection) >= RESTING_MS
  }

  /** 0 while it is kept or a call is under way, however little it says. */
  #silentMs({ peer, callCount }: Held): number {
    if (this.isKept(peer) || callCount > 0) return 0
    return this.#options.clock.monotonicMs() - (this.#usedMs.get(peer) ?? this.#sinceMs)
  }

  #plan(): void {
    this.#cancel = this.#options.clock.after(LOOK_MS, () => {
      this.#look()
      this.#plan()
    })
  }

  #look(): void {
    const connections = [...this.#options.connections()]
    const present = new Set(connections.map(({ peer }) => peer))
    for (const peer of this.#usedMs.keys()) if (!present.has(peer)) this.#usedMs.delete(peer)
    for (const connection of connections) {
      // The silence begins when the call is over.
      if (connection.callCount > 0) this.used(connection.peer)
      else if (this.#silentMs(connection) >= IDLE_MS_MAX) this.#options.letGo(connection)
    }
  }
}
