/**
 * How old the replica may be, judged by what was heard: when the leader (on the leader: a quorum) last spoke, and whether
 * all that was committed by then is applied here. Real times, for ticks stand still while a process is paused. Pure.
 */

/** Beyond it, newer contacts are not noted until an older one is caught up with: the age errs on the old side. */
const NOTED_MAX = 256

export class Contact {
  readonly #ticksMax: number
  /** When the last ticks came, newest last. */
  readonly #tickedAtMs: number[] = []
  /** Contacts that the state has not caught up with yet, oldest first. */
  readonly #noted: { readonly atMs: number; readonly commit: number }[] = []
  #toldCommit = 0
  #freshAtMs: number | null = null

  constructor(ticksMax: number) {
    this.#ticksMax = ticksMax
  }

  /** All up to here is committed, as far as was heard. */
  told(commit: number): void {
    this.#toldCommit = Math.max(this.#toldCommit, commit)
  }

  /** A tick came, and the last contact was `ageTicks` ago; null: there is none that counts. */
  ticked(nowMs: number, ageTicks: number | null): void {
    this.#tickedAtMs.push(nowMs)
    if (this.#tickedAtMs.length > this.#ticksMax + 1) this.#tickedAtMs.shift()
    if (ageTicks === null || this.#noted.length >= NOTED_MAX) return
    // Counted as zero at some moment after that tick.
    const atMs = this.#tickedAtMs.at(-1 - ageTicks)
    if (atMs !== undefined) this.#noted.push({ atMs, commit: this.#toldCommit })
  }

  /** Null: nothing was ever heard. */
  ageMs(nowMs: number, appliedIndex: number): number | null {
    while (this.#noted.length > 0 && this.#noted[0]!.commit <= appliedIndex) {
      const { atMs } = this.#noted.shift()!
      this.#freshAtMs = Math.max(this.#freshAtMs ?? atMs, atMs)
    }
    return this.#freshAtMs === null ? null : Math.max(0, nowMs - this.#freshAtMs)
  }
}
