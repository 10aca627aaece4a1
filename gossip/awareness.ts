/** How much to trust ourselves: a node that hears nobody is probably the sick one (Lifeguard §IV.A). */

export class Awareness {
  readonly #max: number
  #score = 0

  constructor(max: number) {
    this.#max = max
  }

  /** 0 is well, `max` is very ill. */
  get score(): number {
    return this.#score
  }

  improve(): void {
    this.#score = Math.max(0, this.#score - 1)
  }

  worsen(): void {
    this.#score = Math.min(this.#max, this.#score + 1)
  }

  /** Waits grow in proportion to our own trouble. */
  scale(ms: number): number {
    return ms * (1 + this.#score)
  }
}
