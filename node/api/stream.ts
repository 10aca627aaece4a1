/** Streams with a bound: waking a reader, merging sources without reading ahead, and noticing a silent sender. */
import type { Clock } from '../clock.ts'

/** A reader takes `next` before it looks, so that a ring between looking and waiting is not lost. */
export type Bell = { ring(): void; next(): Promise<void> }

export const createBell = (): Bell => {
  let waiting = Promise.withResolvers<void>()
  return {
    ring() {
      waiting.resolve()
      waiting = Promise.withResolvers<void>()
    },
    next: () => waiting.promise,
  }
}

export type Funnel<T> = {
  /** Starts reading one more source. At most one of its values waits at a time: a slow reader slows the source. */
  add(source: AsyncIterable<T>): void
  /** No source will be added: the values end with the last source. */
  seal(): void
  /** Everything that the sources give, as it comes. Read once. Fails as soon as a source fails. */
  readonly values: AsyncIterable<T>
}

/** Interleaves sources that come and go until they are sealed and done, or `signal` aborts. */
export const createFunnel = <T>(signal: AbortSignal): Funnel<T> => {
  const bell = createBell()
  const waiting: { readonly value: T; taken(): void }[] = []
  let openCount = 0
  let isSealed = false
  let isClosed = false
  let failure: { readonly thrown: unknown } | null = null

  const pump = async (source: AsyncIterable<T>): Promise<void> => {
    try {
      for await (const value of source) {
        if (isClosed) return
        const { promise, resolve } = Promise.withResolvers<void>()
        waiting.push({ value, taken: resolve })
        bell.ring()
        await promise
        if (isClosed) return
      }
    } catch (thrown) {
      failure = { thrown }
    } finally {
      openCount--
      bell.ring()
    }
  }

  async function* drain(): AsyncGenerator<T> {
    signal.addEventListener('abort', bell.ring)
    try {
      for (;;) {
        const rung = bell.next()
        if (signal.aborted) return
        const first = waiting.shift()
        if (first !== undefined) {
          try {
            yield first.value
          } finally {
            first.taken()
          }
          continue
        }
        if (failure !== null) throw failure.thrown
        if (isSealed && openCount === 0) return
        await rung
      }
    } finally {
      signal.removeEventListener('abort', bell.ring)
      // A source that comes late finds nobody reading; those that wait go on, see it too, and end.
      isClosed = true
      for (const { taken } of waiting.splice(0)) taken()
    }
  }

  return {
    add(source) {
      openCount++
      void pump(source)
    },
    seal() {
      isSealed = true
      bell.ring()
    },
    values: drain(),
  }
}

/** Merges ordered sources into one ordered stream, holding one value of each. Equal values keep the order of the sources. */
export async function* mergeOrdered<T>(
  sources: readonly AsyncIterable<T>[],
  compare: (a: T, b: T) => number,
): AsyncGenerator<T> {
  const iterators = sources.map(source => source[Symbol.asyncIterator]())
  try {
    const heads = await Promise.all(iterators.map(iterator => iterator.next()))
    for (;;) {
      let first = -1
      for (const [position, head] of heads.entries()) {
        if (head.done === true) continue
        const best = heads[first]
        if (best === undefined || compare(head.value, best.value as T) < 0) first = position
      }
      const head = heads[first]
      if (head === undefined) return
      yield head.value as T
      heads[first] = await iterators[first]!.next()
    }
  } finally {
    iterators.forEach(letGo)
  }
}

/** The same values, and `beat` whenever the source was silent for `everyMs`: its reader can tell silence from death. */
export async function* withBeats<T>(
  values: AsyncIterable<T>,
  beat: T,
  everyMs: number,
  clock: Clock,
): AsyncGenerator<T> {
  const iterator = values[Symbol.asyncIterator]()
  try {
    let next = iterator.next()
    for (;;) {
      const result = await beforeTimeout(next, everyMs, clock)
      if (result === 'timeout') yield beat
      else if (result.done === true) return
      else {
        yield result.value
        next = iterator.next()
      }
    }
  } finally {
    letGo(iterator)
  }
}

/** The same values; throws what `late` makes when the next one does not come within `withinMs`. */
export async function* withDeadline<T>(
  values: AsyncIterable<T>,
  withinMs: number,
  clock: Clock,
  late: () => Error,
): AsyncGenerator<T> {
  const iterator = values[Symbol.asyncIterator]()
  try {
    for (;;) {
      const result = await beforeTimeout(iterator.next(), withinMs, clock)
      if (result === 'timeout') throw late()
      if (result.done === true) return
      yield result.value
    }
  } finally {
    letGo(iterator)
  }
}

const beforeTimeout = async <T>(work: Promise<T>, ms: number, clock: Clock): Promise<T | 'timeout'> => {
  const { promise, resolve } = Promise.withResolvers<'timeout'>()
  const cancel = clock.after(ms, () => resolve('timeout'))
  try {
    return await Promise.race([work, promise])
  } finally {
    cancel()
  }
}

/** Ends a source without waiting: one that hangs would hold up its reader's end. */
const letGo = (iterator: AsyncIterator<unknown>): void => {
  iterator.return?.()?.catch(() => undefined)
}
