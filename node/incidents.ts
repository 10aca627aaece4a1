/**
 * What was kept out at a door of this node: all of it counted, and told in the log so that it is noticed, but never so
 * often that whoever causes it could fill the disk.
 */
import type { Log } from './log.ts'

/** The same of the same peer is told again after this, with how often it has happened meanwhile. */
const QUIET_MS = 60_000
/** Pairs of what and who that are remembered; beyond them nobody is told apart any more. */
const PAIRS_MAX = 1_024
const ANYBODY = 'many'

type Tally = { count: number; untoldCount: number; toldAtMs: number }

export class Incidents {
  readonly #log: Log
  readonly #tallies = new Map<string, Tally>()

  constructor(log: Log) {
    this.#log = log
  }

  /** `what`: a constant phrase, never words of the peer's own. */
  note(what: string, { peer, nowMs }: { readonly peer: string; readonly nowMs: number }): void {
    const own = `${what} ${peer}`
    const isOneTooMany = !this.#tallies.has(own) && this.#tallies.size >= PAIRS_MAX
    const key = isOneTooMany ? `${what} ${ANYBODY}` : own
    const tally = this.#tallies.get(key) ?? {
      count: 0,
      untoldCount: 0,
      toldAtMs: Number.NEGATIVE_INFINITY,
    }
    this.#tallies.set(key, tally)
    tally.count += 1
    tally.untoldCount += 1
    if (nowMs - tally.toldAtMs < QUIET_MS) return
    this.#log.warn(what, { peer, times: tally.untoldCount, sinceStart: tally.count })
    tally.untoldCount = 0
    tally.toldAtMs = nowMs
  }

  /** Of all kinds and peers. */
  get count(): number {
    let count = 0
    for (const tally of this.#tallies.values()) count += tally.count
    return count
  }
}
