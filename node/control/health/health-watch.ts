/**
 * Which ailing node is drained, if any. Slow to act and never greedy: one at a time, after it has ailed for a while, while the
 * others can hold its work, and never many. What was drained stays so until an operator says otherwise. Pure but for its memory.
 */

export type Patient = {
  readonly id: string
  readonly score: number
  readonly ailments: readonly string[]
  readonly isAlive: boolean
  readonly isDrained: boolean
  /** The cluster has drained it for its health. */
  readonly isAiling: boolean
  /** An operator has given it work again a while ago, whatever its health. */
  readonly isTrusted: boolean
  readonly podCount: number
}

export type Drain = { readonly id: string; readonly reason: string }

/** Below it a node ails … */
export const AILING_BELOW = 50
/** … until it is as well as this again. */
export const WELL_FROM = 70
/** For so long without a break. */
export const AILING_MS = 60_000
/** From one drain to the next, so that the work settles and the measures do too. */
export const DRAIN_PAUSE_MS = 300_000
/** Of the living nodes; at least one may be. */
const DRAINED_SHARE_MAX = 0.1
/** With more ailing at once, what ails is not the machines. */
const AILING_SHARE_MAX = 1 / 3
/** Nodes that take work must be left. */
const LEFT_MIN = 2

export class HealthWatch {
  /** By node id, since when it ails. */
  readonly #since = new Map<string, number>()
  #drainedAtMs = Number.NEGATIVE_INFINITY

  /** `whyNot`: why the others cannot hold its work; null when they can. Asked of one node at most, and seldom. */
  judge(
    patients: readonly Patient[],
    { nowMs, whyNot }: { readonly nowMs: number; readonly whyNot: (id: string) => string | null },
  ): Drain | null {
    this.#note(patients, nowMs)
    const alive = patients.filter(({ isAlive }) => isAlive)
    const ailing = alive.filter(({ id }) => this.#since.has(id))
    const [worst] = ailing
      .filter(one => one.score < AILING_BELOW && !one.isDrained && !one.isTrusted)
      .filter(({ id }) => nowMs - (this.#since.get(id) ?? nowMs) >= AILING_MS)
      .sort((left, right) => left.score - right.score || (left.id < right.id ? -1 : 1))
    if (worst === undefined || ailing.length > Math.max(1, alive.length * AILING_SHARE_MAX)) return null
    if (!this.#mayDrain(alive, nowMs) || whyNot(worst.id) !== null) return null
    this.#drainedAtMs = nowMs
    return { id: worst.id, reason: `health ${worst.score} of 100: ${worst.ailments.join('; ')}` }
  }

  #note(patients: readonly Patient[], nowMs: number): void {
    const present = new Set(patients.map(({ id }) => id))
    for (const id of this.#since.keys()) if (!present.has(id)) this.#since.delete(id)
    for (const { id, score, isAlive } of patients) {
      // Of one that is away nothing new is known.
      if (score >= WELL_FROM || !isAlive) this.#since.delete(id)
      else if (score < AILING_BELOW && !this.#since.has(id)) this.#since.set(id, nowMs)
    }
  }

  #mayDrain(alive: readonly Patient[], nowMs: number): boolean {
    const drained = alive.filter(({ isAiling }) => isAiling)
    const isRoomy = drained.length < Math.max(1, Math.floor(alive.length * DRAINED_SHARE_MAX))
    const isSettled = drained.every(({ podCount }) => podCount === 0)
    const leftCount = alive.filter(({ isDrained }) => !isDrained).length - 1
    return isRoomy && isSettled && leftCount >= LEFT_MIN && nowMs - this.#drainedAtMs >= DRAIN_PAUSE_MS
  }
}
