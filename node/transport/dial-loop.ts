/**
 * When to dial whom: libp2p has no dialler of its own. The lower peer id dials at once and the higher one gives it
 * a head start, so that a pair rarely dials twice; after a loss both try at once, because a refusal is evidence.
 */
import type { Clock } from '../clock.ts'
import type { PeerId } from './transport.ts'

/** The lower id's head start; then the higher id dials too, because only it may know an address. */
export const HEAD_START_MS = 1_000
const BACKOFF_MS_MIN = 100
const BACKOFF_MS_MAX = 2_000
/** A lost connection is dialled again after at most this: refused means that the process is gone. */
const REDIAL_MS_MAX = 20
/** A connection that lasted this long starts the back-off anew when it is lost. */
const STEADY_MS = 2_000

/**
 * Two dials that cross meet within this: longer than a dial may take. An older connection that is dialled over is dead
 * on the other side.
 */
export const CROSSING_MS = 5_000

/** At once: a handshake costs milliseconds of CPU, and a hundred at once would time each other out. */
export const DIALS_MAX = 6

export type DialOutcome = 'connected' | 'refused' | 'failed'

type Target = {
  attempts: number
  /** To be connected at all times; others are dialled when something is said to them. */
  isKept: boolean
  isDialing: boolean
  /** Milliseconds on the monotonic clock; null while there is no connection. */
  connectedAtMs: number | null
  lastDialMs: number
  /** Of those that are not kept: after a failure nothing but a call dials them before this. */
  restUntilMs: number
  cancel: (() => void) | null
}

export type DialLoopOptions = {
  readonly self: PeerId
  readonly clock: Clock
  /** 0 ≤ x < 1. */
  readonly random: () => number
  /** Starts one attempt at all known addresses; the loop is told by `finished`. */
  readonly dial: (peer: PeerId) => void
}

export class DialLoop {
  readonly #options: DialLoopOptions
  readonly #targets = new Map<PeerId, Target>()
  /** Due, but waiting for a place among the dials under way. */
  readonly #due = new Set<PeerId>()
  #dialingCount = 0

  constructor(options: DialLoopOptions) {
    this.#options = options
  }

  /** Peers that may be dialled: admitted, with an address. Others are forgotten. `kept`: whom to stay connected to; null: all. */
  want(peers: ReadonlySet<PeerId>, kept: ReadonlySet<PeerId> | null): void {
    for (const [peer, target] of this.#targets) {
      if (peers.has(peer)) continue
      target.cancel?.()
      this.#targets.delete(peer)
      this.#due.delete(peer)
      this.#release(target)
    }
    for (const peer of peers) this.#add(peer, kept === null || kept.has(peer))
  }

  isDialing(peer: PeerId): boolean {
    return this.#targets.get(peer)?.isDialing === true
  }

  connected(peer: PeerId): void {
    const target = this.#targets.get(peer)
    if (target === undefined) return
    target.cancel?.()
    target.cancel = null
    this.#due.delete(peer)
    target.connectedAtMs ??= this.#options.clock.monotonicMs()
  }

  /** The connection is gone: try again at once, unless it never lasted. `expected`: nobody asks why, unless it is to be kept. */
  lost(peer: PeerId, how: 'broken' | 'expected'): void {
    const target = this.#targets.get(peer)
    if (target === undefined || target.connectedAtMs === null) return
    const lastedMs = this.#options.clock.monotonicMs() - target.connectedAtMs
    target.connectedAtMs = null
    if (lastedMs >= STEADY_MS) target.attempts = 0
    const isFirst = target.attempts === 0
    if (!target.isKept && (how === 'expected' || !isFirst)) return
    this.#plan(peer, target, isFirst ? this.#options.random() * REDIAL_MS_MAX : this.#backoffMs(target))
  }

  /** Somebody asks the peer now: dial without waiting for the back-off, but never twice within its minimum. */
  nudge(peer: PeerId): void {
    const target = this.#targets.get(peer)
    if (target === undefined || target.connectedAtMs !== null || target.isDialing) return
    const sinceMs = this.#options.clock.monotonicMs() - target.lastDialMs
    this.#plan(peer, target, Math.max(0, BACKOFF_MS_MIN - sinceMs))
  }

  /** A message waits: end the head start, but keep a back-off. True when a dial is under way or about to start. */
  hurry(peer: PeerId): boolean {
    const target = this.#targets.get(peer)
    if (target === undefined) return false
    if (target.isDialing) return true
    if (target.connectedAtMs !== null) return false
    const isResting = target.isKept
      ? target.attempts > 0
      : this.#options.clock.monotonicMs() < target.restUntilMs
    if (isResting) return false
    this.nudge(peer)
    return true
  }

  /** A new address is worth a fresh start. */
  refresh(peer: PeerId): void {
    const target = this.#targets.get(peer)
    if (target === undefined) return
    target.attempts = 0
    target.restUntilMs = Number.NEGATIVE_INFINITY
    if (target.isKept) this.nudge(peer)
  }

  finished(peer: PeerId, outcome: DialOutcome): void {
    const target = this.#targets.get(peer)
    if (target === undefined) return
    this.#release(target)
    if (outcome === 'connected' || target.connectedAtMs !== null) return
    target.attempts += 1
    const waitMs = this.#backoffMs(target)
    if (target.isKept) this.#plan(peer, target, waitMs)
    else target.restUntilMs = this.#options.clock.monotonicMs() + waitMs
  }

  stop(): void {
    for (const target of this.#targets.values()) target.cancel?.()
    this.#targets.clear()
    this.#due.clear()
  }

  #release(target: Target): void {
    if (!target.isDialing) return
    target.isDialing = false
    this.#dialingCount -= 1
    for (const peer of [...this.#due]) {
      if (this.#dialingCount >= DIALS_MAX) return
      this.#due.delete(peer)
      this.#start(peer)
    }
  }

  #start(peer: PeerId): void {
    const target = this.#targets.get(peer)
    if (target === undefined || target.connectedAtMs !== null || target.isDialing) return
    if (this.#dialingCount >= DIALS_MAX) {
      this.#due.add(peer)
      return
    }
    this.#dialingCount += 1
    target.isDialing = true
    target.lastDialMs = this.#options.clock.monotonicMs()
    this.#options.dial(peer)
  }

  #add(peer: PeerId, isKept: boolean): void {
    const known = this.#targets.get(peer)
    if (known?.isKept === isKept) return
    const target: Target = known ?? {
      attempts: 0,
      isKept,
      isDialing: false,
      connectedAtMs: null,
      lastDialMs: Number.NEGATIVE_INFINITY,
      restUntilMs: Number.NEGATIVE_INFINITY,
      cancel: null,
    }
    this.#targets.set(peer, target)
    target.isKept = isKept
    if (!isKept || target.connectedAtMs !== null || target.isDialing || target.cancel !== null) return
    const { self, random } = this.#options
    this.#plan(peer, target, self < peer ? random() * REDIAL_MS_MAX : HEAD_START_MS * (1 + random() / 2))
  }

  /** 100 ms doubling to 2 s, a quarter up or down so that a cluster does not dial in step. */
  #backoffMs(target: Target): number {
    const steps = Math.min(Math.max(target.attempts - 1, 0), 10)
    const plainMs = Math.min(BACKOFF_MS_MIN * 2 ** steps, BACKOFF_MS_MAX)
    return plainMs * (0.75 + this.#options.random() / 2)
  }

  #plan(peer: PeerId, target: Target, delayMs: number): void {
    target.cancel?.()
    target.cancel = this.#options.clock.after(delayMs, () => {
      target.cancel = null
      this.#start(peer)
    })
  }
}
