/** Whether the leader should lead no more, because it is drained or has left the roster, and who takes over then. Pure. */
import type { Candidate } from './quorum-keeper.ts'

/**
 * The living voter that trails least and has the fastest disk, one that would rather not lead only for want of others, never
 * one that would have to hand over in turn; null when the leader is to stay, or nobody can follow it.
 */
export const heirOf = (
  roster: readonly Candidate[],
  {
    self,
    voters,
    reluctant,
  }: {
    readonly self: string
    readonly voters: readonly string[]
    readonly reluctant: ReadonlySet<string>
  },
): string | null => {
  const leader = roster.find(one => one.id === self)
  if (leader?.isDrained === false) return null
  const heirs = roster.filter(
    one =>
      one.id !== self && one.isAlive && !one.isDrained && voters.includes(one.id) && Number.isFinite(one.lag),
  )
  heirs.sort(
    (left, right) =>
      Number(reluctant.has(left.id)) - Number(reluctant.has(right.id)) ||
      left.lag - right.lag ||
      (left.diskMs ?? 0) - (right.diskMs ?? 0) ||
      (left.id < right.id ? -1 : 1),
  )
  return heirs[0]?.id ?? null
}
