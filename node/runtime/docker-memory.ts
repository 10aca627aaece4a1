/**
 * Which containers ran out of memory. The engine hears of that on another way than of their end, and when the end comes
 * first it never corrects what it says of the container: the event that follows is then the only word.
 */
import type { Clock } from '../clock.ts'

/** How long the word of a lack of memory may come after the word of the end. */
const LATE_MS_MAX = 500

export type MemoryWords = {
  /** The engine says that this container wants more memory than it may have. */
  told(id: string): void
  isTold(id: string): boolean
  /** Resolves once it was told, at the latest when the word would have come. */
  settled(id: string): Promise<void>
  /** Forgets all but these. */
  keep(ids: ReadonlySet<string>): void
}

export const createMemoryWords = (clock: Clock): MemoryWords => {
  const starved = new Set<string>()
  const waiting = new Map<string, { readonly over: Promise<void>; readonly end: () => void }>()
  const wait = (id: string): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = () => {
      cancel()
      waiting.delete(id)
      resolve()
    }
    const cancel = clock.after(LATE_MS_MAX, end)
    waiting.set(id, { over: promise, end })
    return promise
  }
  return {
    told(id) {
      starved.add(id)
      waiting.get(id)?.end()
    },
    isTold: id => starved.has(id),
    async settled(id) {
      if (!starved.has(id)) await (waiting.get(id)?.over ?? wait(id))
    },
    keep(ids) {
      for (const id of starved) if (!ids.has(id)) starved.delete(id)
    },
  }
}
