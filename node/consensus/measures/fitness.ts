/**
 * Whether this node is fit to lead. A leader whose disk or process stands still is heard by all and leads nobody (etcd
 * issues 15247, 7617): it should hand over, and not come back at once. Pure: it is told what happens and when.
 */
import type { Unfit, WriteTimes } from '../consensus.ts'

export type FitnessPolicy = {
  /** A write under way for longer, or a tick that came later, is a stall. */
  readonly stallMs: number
  /** After a stall. */
  readonly restMs: number
}

/** Writes that count: enough for a middle one, few enough to follow a disk that changes. */
const USUAL_OF = 32
/** The worst write of this window and of the one before it is told. */
const WINDOW_MS = 30_000

export const stallText = (stalled: 'disk' | 'loop'): string =>
  stalled === 'disk'
    ? 'a write to its disk has been under way for more than half an election timeout'
    : 'it stood still for more than half an election timeout'

export class Fitness {
  readonly #policy: FitnessPolicy
  /** Start of the oldest write that the disk has not acknowledged. */
  #writingSinceMs: number | null = null
  #lastMs: number | null = null
  /** What the last writes took, oldest first. */
  readonly #tookMs: number[] = []
  /** Their median; it is asked for far more often than it changes. */
  #medianMs = 0
  #worstMs = 0
  #formerWorstMs = 0
  #windowSinceMs = 0
  #tickedAtMs: number | null = null
  #stalled: 'disk' | 'loop' | null = null
  #restsUntilMs = 0

  constructor(policy: FitnessPolicy) {
    this.#policy = policy
  }

  /** A write was given to the disk. */
  writing(nowMs: number): void {
    this.#writingSinceMs ??= nowMs
  }

  /** One that was given at `sinceMs` is durable; `isIdle`: it was the last. */
  written(sinceMs: number, nowMs: number, isIdle: boolean): void {
    const tookMs = nowMs - sinceMs
    this.#tookMs.push(tookMs)
    if (this.#tookMs.length > USUAL_OF) this.#tookMs.shift()
    const sorted = [...this.#tookMs].sort((left, right) => left - right)
    this.#medianMs = sorted[Math.floor(sorted.length / 2)] ?? 0
    this.#lastMs = tookMs
    this.#turnWindow(nowMs)
    this.#worstMs = Math.max(this.#worstMs, tookMs)
    this.#writingSinceMs = isIdle ? null : nowMs
  }

  /** Nobody waits for the disk any more: what was under way is forgotten. */
  forgetWrites(): void {
    this.#writingSinceMs = null
  }

  /** A tick came, `tickMs` after the last one if all is well. Returns what stalls at this moment. */
  ticked(nowMs: number, tickMs: number): 'disk' | 'loop' | null {
    const lateMs = this.#tickedAtMs === null ? 0 : nowMs - this.#tickedAtMs - tickMs
    this.#tickedAtMs = nowMs
    const { stallMs, restMs } = this.#policy
    const stalled = this.#writingMs(nowMs) > stallMs ? 'disk' : lateMs > stallMs ? 'loop' : null
    if (stalled !== null) {
      this.#stalled = stalled
      this.#restsUntilMs = nowMs + restMs
    }
    return stalled
  }

  unfit(nowMs: number, isDrained: boolean): Unfit | null {
    if (isDrained) return 'drained'
    return nowMs < this.#restsUntilMs ? this.#stalled : null
  }

  times(nowMs: number): WriteTimes | null {
    if (this.#lastMs === null) return null
    this.#turnWindow(nowMs)
    const worstMs = Math.max(this.#worstMs, this.#formerWorstMs, this.#writingMs(nowMs))
    // The age of the one under way when that is more.
    return { lastMs: this.#lastMs, usualMs: Math.max(this.#medianMs, this.#writingMs(nowMs)), worstMs }
  }

  #writingMs(nowMs: number): number {
    return this.#writingSinceMs === null ? 0 : nowMs - this.#writingSinceMs
  }

  #turnWindow(nowMs: number): void {
    if (nowMs - this.#windowSinceMs < WINDOW_MS) return
    this.#formerWorstMs = nowMs - this.#windowSinceMs < 2 * WINDOW_MS ? this.#worstMs : 0
    this.#worstMs = 0
    this.#windowSinceMs = nowMs
  }
}
