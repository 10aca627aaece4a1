/**
 * What a node says in gossip of how it fares, for whoever chooses voters or drains: its disk and its clock in one word. It is
 * told to everybody, so it is told seldom: only what has changed by much, and the less often the more nodes there are. All
 * together they say at most some two words a second, and the bytes that a node hears do not grow with the cluster. Pure but
 * for its memory.
 */
import { FULL_MESH_MAX } from '../../gossip/index.ts'
import { diskMetadata, nextDiskWord } from './disk-word.ts'
import { clockMetadata, nextClockWord } from './health/clock-word.ts'

/** Between two looks at whether the word still fits. */
export const LOOK_MS = 10_000

/** From one word to the next. The first after a long time is said at once: a disk that goes bad need not wait its turn. */
export const pauseMsOf = (size: number): number => LOOK_MS * Math.max(1, size / FULL_MESH_MAX)

export type Measured = {
  readonly nowMs: number
  /** The number of members, this one included. */
  readonly size: number
  /** What a write to the log takes; null: none was made. */
  readonly diskMs: number | null
  /** By how much the clock is ahead of the peers'; null: not known. */
  readonly skewMs: number | null
}

export class Measures {
  #diskWord: number | null = null
  #clockWord = 0
  #saidMs = Number.NEGATIVE_INFINITY

  /** As metadata of the member: what is said until there is another word. */
  metadata(): Readonly<Record<string, string>> {
    return { ...diskMetadata(this.#diskWord), ...clockMetadata(this.#clockWord) }
  }

  /** True: there is another word, and it is time to say it. What changed meanwhile goes with it. */
  look({ nowMs, size, diskMs, skewMs }: Measured): boolean {
    const diskWord = nextDiskWord(this.#diskWord, diskMs)
    const clockWord = nextClockWord(this.#clockWord, skewMs)
    const isNews = diskWord !== this.#diskWord || clockWord !== this.#clockWord
    if (!isNews || nowMs - this.#saidMs < pauseMsOf(size)) return false
    this.#diskWord = diskWord
    this.#clockWord = clockWord
    this.#saidMs = nowMs
    return true
  }
}
