/** What happened in a run: a hash over everything, for "same seed, same history", and the lines that a person reads. */

export type Trace = {
  /** Takes note of something that must be the same in each run of the seed. */
  mark(what: string): void
  /** A line of the timeline; also marked. */
  tell(who: string, what: string): void
  /** Conversation between actors; kept only when asked for. */
  whisper(who: string, what: () => string): void
  hash(): string
}

export type TraceOptions = {
  readonly nowMs: () => number
  /** Called for each line as it comes; null: nobody reads. */
  readonly print: ((line: string) => void) | null
  readonly isVerbose: boolean
}

const PRIMES = [0x01000193, 0x0100019d] as const

export const createTrace = ({ nowMs, print, isVerbose }: TraceOptions): Trace => {
  let one = 0x811c9dc5
  let other = 0x9dc5811c
  const mark = (what: string): void => {
    const text = `${nowMs()} ${what}`
    for (let position = 0; position < text.length; position++) {
      const unit = text.charCodeAt(position)
      one = Math.imul(one ^ unit, PRIMES[0])
      other = Math.imul(other ^ unit, PRIMES[1])
    }
  }
  const show = (who: string, what: string): void =>
    print?.(`${(nowMs() / 1_000).toFixed(3).padStart(8)} s  ${who.padEnd(8)} ${what}`)
  return {
    mark,
    tell(who, what) {
      mark(`${who} ${what}`)
      if (print !== null) show(who, what)
    },
    whisper(who, what) {
      if (print !== null && isVerbose) show(who, what())
    },
    hash: () => [one, other].map(half => (half >>> 0).toString(16).padStart(8, '0')).join(''),
  }
}
