/** A clock that counts the sleep of the machine: monotonic clocks may leave it out, and wall clocks are set. Pure. */

/** Beyond what two clocks differ by because one is coarse or is being adjusted. */
const SLEEP_MS_MIN = 5

export class WakingTime {
  readonly #tickMs: number
  #monotonicMs: number | null = null
  #wallMs = 0
  #elapsedMs = 0

  constructor(tickMs: number) {
    this.#tickMs = tickMs
  }

  /** Ticks, with fractions, since the first call. A wall clock that is set forward makes them too many, never too few. */
  ticks(now: { monotonicMs(): number; wallMs(): number }): number {
    const monotonicMs = now.monotonicMs()
    const wallMs = now.wallMs()
    const passedMs = monotonicMs - (this.#monotonicMs ?? monotonicMs)
    const wallPassedMs = this.#monotonicMs === null ? 0 : wallMs - this.#wallMs
    this.#elapsedMs += wallPassedMs > passedMs + SLEEP_MS_MIN ? wallPassedMs : passedMs
    this.#monotonicMs = monotonicMs
    this.#wallMs = wallMs
    return this.#elapsedMs / this.#tickMs
  }
}
