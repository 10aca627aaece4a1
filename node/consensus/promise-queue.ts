/** Messages that promise something to others, held back until the disk has kept its part. The raft actor owns one. */
import assert from 'node:assert'
import type { Envelope } from '../../raft/index.ts'

export class PromiseQueue {
  readonly #waiting: { readonly sequence: number; readonly envelopes: readonly Envelope[] }[] = []
  #durable = 0
  #handed = 0
  #term = 0

  /** True while a write is under way. */
  get isWriting(): boolean {
    return this.#durable < this.#handed
  }

  /** A write was given to the disk, perhaps with a new term. Sequence numbers grow by one. */
  handed(sequence: number, term = 0): void {
    assert(sequence === this.#handed + 1, 'writes are numbered without gaps')
    this.#handed = sequence
    this.#term = Math.max(this.#term, term)
  }

  /** Returns what may leave at once; the rest leaves with the last write that was handed out. */
  hold(envelopes: readonly Envelope[]): readonly Envelope[] {
    if (envelopes.length === 0 || !this.isWriting) return envelopes
    this.#waiting.push({ sequence: this.#handed, envelopes })
    return []
  }

  /**
   * All writes up to this one are durable: returns what may leave now. What was promised in a former term is void: the disk
   * may have taken the write after it in the same turn, which cut off what it speaks of, and nobody who counts waits for it.
   */
  durable(sequence: number): readonly Envelope[] {
    assert(sequence <= this.#handed, 'only what was handed out becomes durable')
    this.#durable = Math.max(this.#durable, sequence)
    const count = this.#waiting.findIndex(waiting => waiting.sequence > this.#durable)
    return this.#waiting
      .splice(0, count < 0 ? this.#waiting.length : count)
      .flatMap(({ envelopes }) => envelopes)
      .filter(({ message }) => message.term >= this.#term)
  }
}
