/** Since when this replica is known to be up to date: not by what the leader says in passing, but because it was asked. */
import type { Clock } from '../clock.ts'
import type { Consensus } from '../consensus/consensus.ts'

export type Freshness = {
  /** Reaches a read point that covers every write acknowledged before the call. Throws what the barrier throws. */
  renew(timeoutMs: number): Promise<void>
  /** The replica holds every write that was acknowledged longer ago than this; null: it never asked. */
  provenAgeMs(): number | null
}

export const createFreshness = (
  consensus: Pick<Consensus, 'barrier'>,
  clock: Pick<Clock, 'monotonicMs' | 'wallMs'>,
): Freshness => {
  const now = () => ({ monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() })
  /** When the newest of the read points that were reached was asked for. */
  let asked: ReturnType<typeof now> | null = null
  return {
    async renew(timeoutMs) {
      const before = now()
      await consensus.barrier({ timeoutMs })
      if (asked === null || before.monotonicMs > asked.monotonicMs) asked = before
    },
    provenAgeMs() {
      if (asked === null) return null
      const { monotonicMs, wallMs } = now()
      // A machine's sleep does not count on every monotonic clock. A wall clock that jumps costs a read point too many.
      return Math.max(0, monotonicMs - asked.monotonicMs, wallMs - asked.wallMs)
    },
  }
}
