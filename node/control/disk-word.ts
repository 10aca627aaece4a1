/**
 * What a node says in gossip about its disk, for whoever chooses voters. A power of two milliseconds that is only said anew
 * when it is wrong by more than a factor of two: so the word stays small, and rumours about it rare.
 */
import type { Member } from '../../gossip/index.ts'

/** Longer than any disk takes that still works. */
const DISK_MS_MAX = 2 ** 16

/** The word after `said`, null while nothing was ever written. */
export const nextDiskWord = (said: number | null, paceMs: number | null): number | null => {
  if (paceMs === null) return said
  const boundedMs = Math.min(DISK_MS_MAX, Math.max(1, paceMs))
  if (said !== null && boundedMs <= said * 2 && boundedMs >= said / 2) return said
  return 2 ** Math.round(Math.log2(boundedMs))
}

/** As metadata of the member. */
export const diskMetadata = (word: number | null): Readonly<Record<string, string>> =>
  word === null ? {} : { diskMs: String(word) }

/** Null: it has not said anything that can be understood. */
export const diskMsOf = (member: Member | undefined): number | null => {
  const text = member?.metadata.diskMs ?? ''
  return /^\d{1,5}$/.test(text) ? Number(text) : null
}
