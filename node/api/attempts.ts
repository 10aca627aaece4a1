/**
 * How often somebody may be wrong: failed proofs are counted by address and by the token that was meant, so that guessing
 * at one is slow, and nobody can lock others out without knowing the id of their token.
 */
import { Failure } from '../errors.ts'

/** That many at once, and one more after each pause. */
const BURST = 10
const PAUSE_MS = 6_000
/** Addresses and tokens remembered; with more, the one that failed longest ago is forgotten. */
const KEPT_MAX = 2_000

export type Attempts = {
  /** Throws E_BUSY, before the proof is looked at, when it has failed too often. */
  check(key: string, nowMs: number): void
  failed(key: string, nowMs: number): void
}

/** `nowMs` is the monotonic clock. */
export const createAttempts = (): Attempts => {
  /** When the allowance will be whole again; later than now by a pause for each failure. */
  const wholeAtMs = new Map<string, number>()
  return {
    check(key, nowMs) {
      const owedMs = (wholeAtMs.get(key) ?? nowMs) - nowMs
      if (owedMs <= (BURST - 1) * PAUSE_MS) return
      const waitMs = owedMs - (BURST - 1) * PAUSE_MS
      throw new Failure(
        'E_BUSY',
        {
          message: 'too many failed attempts from this address',
          why: 'guessing at tokens is slowed down, and this one is not looked at now',
          try: `again in ${Math.ceil(waitMs / 1_000)} s, with a token that is valid`,
        },
        { facts: { waitMs: Math.ceil(waitMs) } },
      )
    },
    failed(key, nowMs) {
      const next = Math.max(wholeAtMs.get(key) ?? nowMs, nowMs) + PAUSE_MS
      wholeAtMs.delete(key)
      wholeAtMs.set(key, Math.min(next, nowMs + BURST * PAUSE_MS))
      if (wholeAtMs.size <= KEPT_MAX) return
      const [oldest] = wholeAtMs.keys()
      wholeAtMs.delete(oldest as string)
    },
  }
}
