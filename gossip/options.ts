/** Times and limits of the protocol, as presets. A preset is chosen, not twenty knobs. */
import assert from 'node:assert'

export type Options = {
  /** One member is probed every interval. Bounds the time until a failure is first noticed. */
  readonly probeIntervalMs: number
  /** How long a direct probe waits before helpers are asked. */
  readonly probeTimeoutMs: number
  /** How long a whole probe waits, helpers included. May be longer than the interval: probes overlap. */
  readonly probeDeadlineMs: number
  /** How many members are asked to probe in our place. */
  readonly helperCount: number
  /** The worst local health score; waits grow up to `1 + awarenessMax` times (Lifeguard §IV.A). */
  readonly awarenessMax: number
  /** No member is declared dead sooner than this after it was first suspected: its time to refute. */
  readonly suspicionMinMs: number
  /** How long a suspicion that nobody confirms lasts. */
  readonly suspicionMaxMs: number
  /** The same for one whose host says that nobody listens: there is hardly anything left to refute. */
  readonly goneMs: number
  /** Independent confirmations that bring the suspicion down to its minimum. */
  readonly confirmationsWanted: number
  /** While there are rumours to spread, this often `gossipFanout` random members get them. */
  readonly gossipIntervalMs: number
  readonly gossipFanout: number
  /** A rumour is repeated `retransmitFactor × log10(n + 1)` times by each node. */
  readonly retransmitFactor: number
  /** Estimated size of the rumours that ride on one message. */
  readonly piggybackBytesMax: number
  /** Full-state exchange with one random live member. */
  readonly syncIntervalMs: number
  /** Full-state exchange with one random dead member, so that healed partitions merge again. */
  readonly reviveIntervalMs: number
  /** A timer later than this means that we stood still ourselves. */
  readonly stallMs: number
}

/** Machines on one network. A silent death is declared after about 1.2 to 2 s, a refused connection after 0.1 s. */
export function lan(size: number): Options {
  // Rumours travel over pub/sub in a few hops, so the time to refute needs to grow only gently with the size.
  const growth = 1 + Math.max(0, Math.log10(Math.max(1, size) / 10)) / 8
  const suspicionMinMs = Math.round(800 * growth)
  return {
    probeIntervalMs: 250,
    probeTimeoutMs: 200,
    probeDeadlineMs: 400,
    helperCount: 5,
    awarenessMax: 4,
    suspicionMinMs,
    suspicionMaxMs: 3 * suspicionMinMs,
    goneMs: 50,
    confirmationsWanted: 2,
    gossipIntervalMs: 100,
    gossipFanout: 3,
    retransmitFactor: 4,
    piggybackBytesMax: 2_048,
    syncIntervalMs: Math.round(10_000 * (1 + Math.max(0, Math.log2(Math.max(1, size) / 32)))),
    reviveIntervalMs: 2_000,
    stallMs: 150,
  }
}

/** Machines far apart: slower probes, longer doubts, fewer full exchanges. */
export function wan(size: number): Options {
  const near = lan(size)
  return {
    ...near,
    probeIntervalMs: 2_000,
    probeTimeoutMs: 900,
    probeDeadlineMs: 2_000,
    suspicionMinMs: 4 * near.suspicionMinMs,
    suspicionMaxMs: 4 * near.suspicionMaxMs,
    goneMs: 500,
    gossipIntervalMs: 400,
    gossipFanout: 4,
    syncIntervalMs: 3 * near.syncIntervalMs,
    reviveIntervalMs: 10_000,
    stallMs: 400,
  }
}

/** Several nodes on one machine: as fast as `lan`, with more patience for a starved processor. */
export function local(size: number): Options {
  const near = lan(size)
  return { ...near, awarenessMax: 6, suspicionMaxMs: 4 * near.suspicionMinMs, syncIntervalMs: 5_000 }
}

/** A wrong preset is a bug, so it crashes at once instead of detecting nothing. */
export function checkOptions(options: Options): void {
  for (const [name, value] of Object.entries(options))
    assert(Number.isFinite(value) && value >= 0, `${name} is a number, not negative`)
  assert(options.probeTimeoutMs < options.probeDeadlineMs, 'a probe leaves its helpers some time')
  assert(options.suspicionMinMs <= options.suspicionMaxMs, 'confirmations shorten a suspicion')
  assert(
    options.gossipIntervalMs > 0 && options.reviveIntervalMs > 0 && options.syncIntervalMs > 0,
    'rounds take time',
  )
}
