/** How much strangers may take: they can connect, because a joiner is one, but few at a time, briefly, and not often. */
import type { Clock } from '../clock.ts'
import { HostCounts } from '../host-counts.ts'

/** Strangers connected at once, all addresses together. */
export const GUESTS_MAX = 64
/** Connections of strangers per address and minute; a cluster of many nodes may start on one address. */
export const GUEST_ATTEMPTS_PER_MINUTE = 120
/** A stranger's connection without a join call ends after this. */
export const GUEST_IDLE_MS_MAX = 10_000
/** A join waits for the log to commit; beyond this it has failed. */
export const GUEST_JOIN_MS_MAX = 60_000
/** A join needs two small requests. */
export const GUEST_BYTES_MAX = 256 * 1024
export const GUEST_FRAME_BYTES_MAX = 16 * 1024
export const GUEST_STREAMS_MAX = 8

export class GuestBook {
  readonly #attempts: HostCounts
  #present = 0

  constructor(clock: Clock) {
    this.#attempts = new HostCounts(clock)
  }

  /** Counts one attempt from this host; false when it is one too many, or the house is full. */
  mayEnter(host: string): boolean {
    return this.#attempts.add(host) <= GUEST_ATTEMPTS_PER_MINUTE && this.#present < GUESTS_MAX
  }

  /** Known to have used up its minute: not even worth a handshake. */
  isFlooding(host: string): boolean {
    return this.#attempts.of(host) >= GUEST_ATTEMPTS_PER_MINUTE
  }

  entered(): void {
    this.#present += 1
  }

  left(): void {
    this.#present -= 1
  }
}
