/** Who holds what on disk, and which machines make a quorum: the checkers' own arithmetic, so that a bug in the nodes' does not hide. */
import type { Configuration, Entry } from '../../../raft/index.ts'
import type { Machine } from '../machine.ts'

export type Mark = { readonly index: number; readonly term: number }

/** Whether a power cut now would leave the entry on this machine, or what came of it. */
export const holds = (machine: Machine, { index, term }: Mark): boolean => {
  const stored = machine.disk.durable()
  if (stored === null) return false
  if ((stored.snapshot?.index ?? 0) >= index) return true
  return entryAt(stored.entries, index)?.term === term
}

/** In a list without gaps. */
export const entryAt = (entries: readonly Entry[], index: number): Entry | undefined =>
  entries[index - (entries[0]?.index ?? 0)]

/** The mark is durable on more than half of the voters; of both lists while they are joint. */
export const isOnQuorum = (
  machines: readonly Machine[],
  { voters, votersOutgoing }: Pick<Configuration, 'voters' | 'votersOutgoing'>,
  mark: Mark,
): boolean => {
  const holders = new Set(machines.filter(machine => holds(machine, mark)).map(({ id }) => id as string))
  const isMost = (list: readonly string[]) => 2 * list.filter(id => holders.has(id)).length > list.length
  return isMost(voters) && (votersOutgoing.length === 0 || isMost(votersOutgoing))
}
