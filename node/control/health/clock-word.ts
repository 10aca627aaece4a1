/**
 * What a node says in gossip about its clock: nothing while it agrees with its peers' to a quarter of a second, else a power of
 * two milliseconds, said anew only when it is wrong by more than a factor of two. So the word stays small, and rumours rare.
 */
import type { Member } from '../../../gossip/index.ts'

const TOLERATED_MS = 250
/** Longer than any clock is wrong by that was ever set. */
const SKEW_MS_MAX = 2 ** 42

/** The word after `said`; 0: there is nothing to say. */
export const nextClockWord = (said: number, skewMs: number | null): number => {
  if (skewMs === null) return said
  const size = Math.min(SKEW_MS_MAX, Math.abs(skewMs))
  if (size < (said === 0 ? TOLERATED_MS : TOLERATED_MS / 2)) return 0
  const isFitting =
    Math.sign(said) === Math.sign(skewMs) && size <= 2 * Math.abs(said) && 2 * size >= Math.abs(said)
  return isFitting ? said : Math.sign(skewMs) * 2 ** Math.round(Math.log2(size))
}

/** As metadata of the member. */
export const clockMetadata = (word: number): Readonly<Record<string, string>> =>
  word === 0 ? {} : { skewMs: String(word) }

/** By how much its clock is ahead (behind: negative); 0: it has said nothing that can be understood. */
export const skewMsOf = (member: Member | undefined): number => {
  const text = member?.metadata.skewMs ?? ''
  return /^-?\d{1,13}$/.test(text) ? Number(text) : 0
}
