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

type Voters = Pick<Configuration, 'voters' | 'votersOutgoing'>

/** More than half of the voters; of both lists while they are joint. */
export const isMajority = ({ voters, votersOutgoing }: Voters, of: ReadonlySet<string>): boolean => {
  const isMost = (list: readonly string[]) => 2 * list.filter(id => of.has(id)).length > list.length
  return isMost(voters) && (votersOutgoing.length === 0 || isMost(votersOutgoing))
}

/** The mark is durable on a majority. */
export const isOnQuorum = (machines: readonly Machine[], voters: Voters, mark: Mark): boolean =>
  isMajority(voters, new Set(machines.filter(machine => holds(machine, mark)).map(({ id }) => id as string)))

/** The newest configuration on its disk. */
export const configurationOn = (machine: Machine): Configuration | null => {
  const stored = machine.disk.durable()
  const newest = stored?.entries.findLast(entry => entry.type === 'configuration')
  return newest?.type === 'configuration' ? newest.configuration : (stored?.snapshot?.configuration ?? null)
}
