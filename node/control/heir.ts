/** Whether the leader should lead no more, because it is drained or has left the roster, and who takes over then. Pure. */
import type { Candidate } from './quorum-keeper.ts'

/**
 * The living voter that trails least and has the fastest disk, never one that would have to hand over in turn; null when
 * the leader is to stay, or nobody can follow it.
 */
export const heirOf = (
  roster: readonly Candidate[],
  { self, voters }: { readonly self: string; readonly voters: readonly string[] },
): string | null => {
  const leader = roster.find(one => one.id === self)
  if (leader?.isDrained === false) return null
  const heirs = roster.filter(
    one =>
      one.id !== self && one.isAlive && !one.isDrained && voters.includes(one.id) && Number.isFinite(one.lag),
  )
  heirs.sort(
    (left, right) =>
      left.lag - right.lag || (left.diskMs ?? 0) - (right.diskMs ?? 0) || (left.id < right.id ? -1 : 1),
  )
  return heirs[0]?.id ?? null
}
