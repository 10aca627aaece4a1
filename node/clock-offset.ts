/**
 * How far this machine's clock is from those of others. Each answer tells the difference to within half the time that it took,
 * so of each peer the quickest answer counts; over the peers the median does, which one wrong clock does not move. Pure.
 */

/** One question and its answer. */
export type ClockSample = {
  /** On the own wall clock, when the question left and when the answer came. */
  readonly sentAtMs: number
  readonly gotAtMs: number
  /** What the peer's clock showed in between. */
  readonly theirsMs: number
  /** By the own monotonic clock. */
  readonly tookMs: number
  readonly monotonicMs: number
}

type Kept = { readonly aheadMs: number; readonly tookMs: number; readonly atMs: number }

/** Clocks drift, and are set: what is older says too little. */
const KEPT_MS = 300_000
const SAMPLES_MAX = 8
/** Wall and monotonic clock go apart by this much only when the wall clock is set. */
const STEP_MS = 100

export class ClockOffsets {
  readonly #peers = new Map<string, Kept[]>()
  /** Wall minus monotonic time, as of the last sample. */
  #epochMs: number | null = null

  note(peer: string, { sentAtMs, gotAtMs, theirsMs, tookMs, monotonicMs }: ClockSample): void {
    // The own clock was set between question and answer: nothing can be said.
    if (Math.abs(gotAtMs - sentAtMs - tookMs) > STEP_MS) return this.#peers.clear()
    const epochMs = gotAtMs - monotonicMs
    if (this.#epochMs !== null && Math.abs(epochMs - this.#epochMs) > STEP_MS) this.#peers.clear()
    this.#epochMs = epochMs
    const sample: Kept = { aheadMs: theirsMs - (sentAtMs + gotAtMs) / 2, tookMs, atMs: monotonicMs }
    const kept = this.#fresh(peer, monotonicMs)
    const best = quickest(kept)
    // More than both answers can be wrong by: the peer's clock was set meanwhile.
    const isSet =
      best !== null && Math.abs(best.aheadMs - sample.aheadMs) > (best.tookMs + tookMs) / 2 + STEP_MS
    this.#peers.set(peer, [...(isSet ? [] : kept.slice(1 - SAMPLES_MAX)), sample])
  }

  keepOnly(peers: ReadonlySet<string>): void {
    for (const peer of this.#peers.keys()) if (!peers.has(peer)) this.#peers.delete(peer)
  }

  /** By how much the own clock is ahead of the peers' (behind: negative); null: nobody has told its time lately. */
  skewMs(nowMs: number): number | null {
    const offsets = [...this.#peers.keys()].flatMap(peer => quickest(this.#fresh(peer, nowMs)) ?? [])
    return offsets.length === 0 ? null : -median(offsets.map(({ aheadMs }) => aheadMs))
  }

  #fresh(peer: string, nowMs: number): readonly Kept[] {
    return (this.#peers.get(peer) ?? []).filter(({ atMs }) => nowMs - atMs < KEPT_MS)
  }
}

const quickest = (kept: readonly Kept[]): Kept | null =>
  kept.reduce<Kept | null>((best, one) => (best === null || one.tookMs <= best.tookMs ? one : best), null)

/** Of an even number the one nearer to 0: two nodes that differ are not both told that they are wrong by more than that. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((left, right) => left - right)
  const [low, high] = [sorted[(sorted.length - 1) >> 1] ?? 0, sorted[sorted.length >> 1] ?? 0]
  return Math.abs(low) <= Math.abs(high) ? low : high
}
