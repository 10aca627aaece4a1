/** How often something came from each address in the present minute. In bounded memory: addresses cost an attacker nothing. */
import type { Clock } from './clock.ts'

const WINDOW_MS = 60_000
/** Addresses remembered; beyond it the counting starts anew, which errs to the attacker's favour for a minute. */
const HOSTS_MAX = 10_000

type Window = { readonly startedAtMs: number; count: number }

export class HostCounts {
  readonly #clock: Clock
  readonly #windows = new Map<string, Window>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts one more, and says how many that makes. */
  add(host: string): number {
    if (this.#windows.size >= HOSTS_MAX) this.#windows.clear()
    const window = this.#fresh(host) ?? { startedAtMs: this.#clock.monotonicMs(), count: 0 }
    window.count += 1
    this.#windows.set(host, window)
    return window.count
  }

  of(host: string): number {
    return this.#fresh(host)?.count ?? 0
  }

  #fresh(host: string): Window | null {
    const window = this.#windows.get(host)
    if (window === undefined || this.#clock.monotonicMs() - window.startedAtMs >= WINDOW_MS) return null
    return window
  }
}
