/**
 * At most one leader is elected in a term, by a majority of the voters that its log names (of both lists while they are joint),
 * and no node gives its vote to two candidates of one term, over any restart.
 */
import type { Check } from './checker.ts'
import { configurationOn, isMajority } from './holdings.ts'

export const election: Check = fail => {
  const leaders = new Map<number, string>()
  const votes = new Map<string, string>()
  /** Who voted, for each candidate and term. */
  const voters = new Map<string, string[]>()
  return {
    name: 'election',
    elected(machine, term) {
      const other = leaders.get(term)
      if (other !== undefined && other !== machine.id)
        fail(`${other} and ${machine.id} were both elected in term ${term}`)
      leaders.set(term, machine.id)
      const granted = new Set([machine.id as string, ...(voters.get(`${machine.id} ${term}`) ?? [])])
      // Its own vote is on its disk, and so is all that it wrote before it.
      const configuration = configurationOn(machine)
      if (configuration !== null && !isMajority(configuration, granted))
        fail(
          `${machine.id} was elected in term ${term} by ${[...granted].join(' ')} alone, of ${configuration.voters.join(' ')} and ${configuration.votersOutgoing.join(' ') || 'nobody else'}`,
        )
    },
    voted({ machine, term, to }) {
      const key = `${machine.id} ${term}`
      const other = votes.get(key)
      if (other !== undefined && other !== to)
        fail(`${machine.id} voted for ${other} and for ${to} in term ${term}`)
      votes.set(key, to)
      voters.set(`${to} ${term}`, [...(voters.get(`${to} ${term}`) ?? []), machine.id])
    },
  }
}
