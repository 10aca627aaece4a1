/** Says once, beside the data, that what a node shows may be old: without a majority it still answers, with its age. */
import type { Meta } from '../node/api/native/schema.ts'
import { escapeLine } from './output/escape.ts'
import type { Style } from './output/style.ts'
import { age, clock } from './output/time.ts'

/** Longer than an election takes: who hears of no leader for so long is cut off, or all of them are. */
const STALE_MS = 2000

/** For `Client`'s `onMeta`; `note` writes to stderr. */
export const staleNotice = (note: (text: string) => void, style: Style): ((meta: Meta) => void) => {
  let isTold = false
  return ({ node, ageMs }) => {
    if (isTold || (ageMs !== null && ageMs < STALE_MS)) return
    isTold = true
    const name = escapeLine(node)
    const asOf =
      ageMs === null
        ? `data of unknown age: ${name} has heard of no leader since it started`
        : `data as of ${clock(new Date(Date.now() - ageMs).toISOString())}, ${age(ageMs)} ago: ${name} hears of no leader`
    note(`${style.paint('busy', 'old:')} ${asOf}. Running pods keep running. try: tutti status\n`)
  }
}
