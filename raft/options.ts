// Tick counts and limits, checked once. Every queue and message of the core has its limit here.
import assert from 'node:assert'

/** Times are in ticks, sizes in bytes. */
export type Options = {
  /**
   * A follower that hears no leader campaigns after a random time in [min, max]; for `min` after hearing one it
   * helps nobody else to be elected. A leader that has not heard a majority for `max` steps down.
   */
  readonly electionTicksMin: number
  readonly electionTicksMax: number
  /** The leader speaks at least this often, and an unanswered pre-vote is asked again after one to two of these. */
  readonly heartbeatTicks: number
  /**
   * Reads on the leader are answered without asking anybody for so long after the start of a round of heartbeats that a
   * quorum answered; 0, the default, asks each time. All nodes of a cluster set it alike. It costs: nobody can be
   * elected within `wordTicks` of a dead leader's last heartbeat, also when its connections are reset.
   */
  readonly leaseTicks: number
  /** One `append` carries at most this many bytes of entries (always at least one entry). */
  readonly appendBytesMax: number
  /** Unanswered `append` messages to one peer: count and bytes of entries. */
  readonly inflightMessagesMax: number
  readonly inflightBytesMax: number
  /** One proposal carries at most this many bytes. */
  readonly entryBytesMax: number
  /** A leader refuses proposals with `busy` while this much is not committed: memory is bounded when a quorum is lost. */
  readonly uncommittedBytesMax: number
  /** Entries handed out in `apply` and not yet answered by `applied`, in bytes (always at least one entry). */
  readonly applyBytesMax: number
  /** Bytes per `installSnapshot`. One chunk is under way per peer, so this over the round trip is the speed. */
  readonly snapshotChunkBytes: number
  /** Entries that a compaction leaves for peers which are being fed an older snapshot, in bytes. */
  readonly heldBytesMax: number
  /**
   * The leader feeds every voter and this many learners itself. All further learners get the committed log through these
   * and through each other, each passing it on to `relayFanOut` others, so that the leader's work does not grow with them.
   */
  readonly directLearnersMax: number
  readonly relayFanOut: number
  /** Reads waiting for an answer on one node, its own and forwarded ones; more are refused with `busy`. */
  readonly readsPendingMax: number
}

/**
 * The defaults for a tick of `tickMs`: heartbeats every 100 ms, election timeouts of 500 to 1,000 ms. Ticks of
 * 10 to 50 ms keep the timeouts fine enough that two nodes seldom campaign in the same tick.
 */
export const defaultOptions = (tickMs: number): Options => ({
  electionTicksMin: Math.ceil(500 / tickMs),
  electionTicksMax: Math.ceil(1000 / tickMs),
  heartbeatTicks: Math.ceil(100 / tickMs),
  leaseTicks: 0,
  appendBytesMax: 256 * 1024,
  inflightMessagesMax: 64,
  inflightBytesMax: 4 * 1024 * 1024,
  entryBytesMax: 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  applyBytesMax: 1024 * 1024,
  snapshotChunkBytes: 256 * 1024,
  heldBytesMax: 128 * 1024 * 1024,
  directLearnersMax: 8,
  relayFanOut: 16,
  readsPendingMax: 10_000,
})

/** How much faster one clock may be than another: more than any quartz by far. */
const DRIFT_MAX = 1 / 16

/**
 * How many ticks a word binds that was given to a leader with leases. Both clocks may be wrong, in opposite directions,
 * and the first tick after giving it may come at once.
 */
export const wordTicks = ({ leaseTicks }: Pick<Options, 'leaseTicks'>): number =>
  leaseTicks === 0 ? 0 : leaseTicks + Math.ceil(leaseTicks * 2 * DRIFT_MAX) + 1

const MAY_BE_ZERO: ReadonlySet<string> = new Set([
  'leaseTicks',
  'directLearnersMax',
] satisfies (keyof Options)[])

/** Asserts that the options make sense; called once by the constructor of `Raft`. */
export const checkOptions = (options: Options): void => {
  for (const [name, value] of Object.entries(options))
    assert(
      Number.isSafeInteger(value) && (value > 0 || (value === 0 && MAY_BE_ZERO.has(name))),
      `option ${name} is a positive integer`,
    )
  assert(
    wordTicks(options) <= options.electionTicksMin,
    'a lease ends before the shortest election timeout, with room for clocks that differ',
  )
  assert(
    options.electionTicksMin > options.heartbeatTicks,
    'an election timeout is longer than the heartbeat interval',
  )
  assert(
    options.electionTicksMax > options.electionTicksMin,
    'election timeouts have a range to be drawn from',
  )
}
