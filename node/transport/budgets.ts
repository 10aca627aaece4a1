/**
 * How much one member may say, per protocol: a broken or hostile one must not take the time of all others. Whoever says more
 * is cut off, for longer each time. The limits lie far above what a sound member can come to, so that load never meets them.
 * Calls are not counted: a caller has a limited number of them at once, each of which it is answered by and by.
 */
import type { Clock } from '../clock.ts'
import type { Channel, PeerId, Topic } from './transport.ts'

type Limit = { readonly perSecond: number; readonly burst: number }
type Budget = { readonly messages: Limit; readonly bytes: Limit }

const MIB = 1024 * 1024

/**
 * A burst is what may have gathered while this process stood still: a connection on which nothing is answered ends after
 * some seconds, and a sender keeps 8 MiB at most.
 */
export const BUDGETS: Readonly<Record<Channel | Topic, Budget>> = {
  // A few probes, answers and rounds of rumours a second; a whole view of 10,000 members is 4 MiB.
  swim: { messages: { perSecond: 1_000, burst: 10_000 }, bytes: { perSecond: 8 * MIB, burst: 64 * MIB } },
  // One for each batch of writes and its answer. The log and its snapshots come as fast as the connection carries them.
  raft: {
    messages: { perSecond: 50_000, burst: 250_000 },
    bytes: { perSecond: 1_024 * MIB, burst: 4_096 * MIB },
  },
  // One for each write of a client: a node has 4,096 under way, and a round trip takes a fraction of a millisecond at best.
  propose: {
    messages: { perSecond: 100_000, burst: 500_000 },
    bytes: { perSecond: 1_024 * MIB, burst: 4_096 * MIB },
  },
  // A change of its own now and then; where thousands die at once, a word about each.
  rumors: { messages: { perSecond: 100, burst: 10_000 }, bytes: { perSecond: MIB, burst: 64 * MIB } },
}

const BAR_MS_MIN = 1_000
const BAR_MS_MAX = 60_000
/** Who has behaved for so long begins anew. */
const FORGIVEN_MS = 600_000

class Bucket {
  readonly #limit: Limit
  #left: number
  #atMs: number

  constructor(limit: Limit, nowMs: number) {
    this.#limit = limit
    this.#left = limit.burst
    this.#atMs = nowMs
  }

  take(amount: number, nowMs: number): boolean {
    const { perSecond, burst } = this.#limit
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#atMs) * perSecond) / 1_000) - amount
    this.#atMs = nowMs
    return this.#left >= 0
  }
}

type Account = { readonly messages: Bucket; readonly bytes: Bucket }
type Bar = { readonly untilMs: number; readonly lastMs: number }

export class Budgets {
  readonly #clock: Clock
  readonly #accounts = new Map<PeerId, Map<Channel | Topic, Account>>()
  readonly #bars = new Map<PeerId, Bar>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** False: that was too much, and the peer is barred from now on. */
  spend(peer: PeerId, kind: Channel | Topic, bytes: number): boolean {
    const nowMs = this.#clock.monotonicMs()
    const account = this.#accountOf(peer, kind, nowMs)
    const isFew = account.messages.take(1, nowMs)
    const isWithin = account.bytes.take(bytes, nowMs) && isFew
    if (!isWithin && !this.isBarred(peer)) this.#bar(peer, nowMs)
    return isWithin
  }

  isBarred(peer: PeerId): boolean {
    const bar = this.#bars.get(peer)
    return bar !== undefined && this.#clock.monotonicMs() < bar.untilMs
  }

  /** Those who are no members any more are forgotten. */
  keepOnly(peers: ReadonlySet<PeerId>): void {
    for (const kept of [this.#accounts, this.#bars])
      for (const peer of kept.keys()) if (!peers.has(peer)) kept.delete(peer)
  }

  #accountOf(peer: PeerId, kind: Channel | Topic, nowMs: number): Account {
    const ofPeer = this.#accounts.get(peer) ?? new Map<Channel | Topic, Account>()
    const known = ofPeer.get(kind)
    if (known !== undefined) return known
    const { messages, bytes } = BUDGETS[kind]
    const account = { messages: new Bucket(messages, nowMs), bytes: new Bucket(bytes, nowMs) }
    this.#accounts.set(peer, ofPeer.set(kind, account))
    return account
  }

  /** It comes back with what it may say after a pause, and not with what it had saved up. */
  #bar(peer: PeerId, nowMs: number): void {
    const former = this.#bars.get(peer)
    const isNew = former === undefined || nowMs - former.untilMs > FORGIVEN_MS
    const lastMs = isNew ? BAR_MS_MIN : Math.min(BAR_MS_MAX, 2 * former.lastMs)
    this.#bars.set(peer, { untilMs: nowMs + lastMs, lastMs })
    this.#accounts.delete(peer)
  }
}
