/** What the leader remembers of its contact with each node: since when it is in touch, and how often it was lost. Pure. */

export type Contact = {
  readonly isAlive: boolean
  /** Monotonic time since when it has been alive, or not. */
  readonly sinceMs: number
  /** How long it should have been in touch before it is given a vote. */
  readonly probationMs: number
}

export type ContactPolicy = {
  /** Probation after the first loss; each further one doubles it. */
  readonly stabilisationMs: number
}

/** However often a node was lost: in touch for so long it is as good as any, and what came before is forgiven. */
const FORGIVEN_AFTER_MS = 600_000

export class Contacts {
  readonly #policy: ContactPolicy
  readonly #known = new Map<string, { isAlive: boolean; sinceMs: number; lossCount: number }>()

  constructor(policy: ContactPolicy) {
    this.#policy = policy
  }

  /** `silentMs`: for how long it has not been heard; not finite: never. Lost contact began when it was last heard, not when that was noticed. */
  note(
    id: string,
    {
      isAlive,
      silentMs,
      nowMs,
    }: { readonly isAlive: boolean; readonly silentMs: number; readonly nowMs: number },
  ): Contact {
    const known = this.#known.get(id)
    if (known?.isAlive !== isAlive) {
      const isLost = known !== undefined && !isAlive
      const isForgiven = isLost && nowMs - known.sinceMs >= FORGIVEN_AFTER_MS
      const lossCount = (isForgiven ? 0 : (known?.lossCount ?? 0)) + Number(isLost)
      const sinceMs = isAlive || !Number.isFinite(silentMs) ? nowMs : nowMs - silentMs
      this.#known.set(id, { isAlive, sinceMs, lossCount })
    }
    const { sinceMs, lossCount } = this.#known.get(id)!
    return { isAlive, sinceMs, probationMs: this.#probationMs(lossCount) }
  }

  /** Nodes that left the roster are forgotten. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id)
  }

  #probationMs(lossCount: number): number {
    return lossCount === 0
      ? 0
      : Math.min(FORGIVEN_AFTER_MS, this.#policy.stabilisationMs * 2 ** (lossCount - 1))
  }
}
