/** Measures what a write to the log takes, as the node feels it: waiting for other writes included. */
import type { Clock } from '../clock.ts'
import type { LogStore } from './storage.ts'

/** Writes that count: enough for a middle one, few enough to follow a disk that changes. */
const SAMPLES = 32

export type PacedStore = {
  readonly store: LogStore
  /** The median of the last writes, or the age of the oldest one under way when that is more; null before the first. */
  paceMs(): number | null
}

export const paced = (store: LogStore, clock: Clock): PacedStore => {
  const tookMs: number[] = []
  const underWay = new Set<{ readonly sinceMs: number }>()
  return {
    store: {
      ...store,
      async write(write) {
        const one = { sinceMs: clock.monotonicMs() }
        underWay.add(one)
        try {
          await store.write(write)
        } finally {
          underWay.delete(one)
        }
        tookMs.push(clock.monotonicMs() - one.sinceMs)
        if (tookMs.length > SAMPLES) tookMs.shift()
      },
    },
    paceMs() {
      const [oldest] = underWay
      const waitingMs = oldest === undefined ? 0 : clock.monotonicMs() - oldest.sinceMs
      const sorted = [...tookMs].sort((left, right) => left - right)
      const median = sorted[Math.floor(sorted.length / 2)]
      return median === undefined ? (oldest === undefined ? null : waitingMs) : Math.max(median, waitingMs)
    },
  }
}
