/** At most one leader is elected in a term, and no node gives its vote to two candidates of one term, over any restart. */
import type { Check } from './checker.ts'

export const election: Check = fail => {
  const leaders = new Map<number, string>()
  const votes = new Map<string, string>()
  return {
    name: 'election',
    elected(machine, term) {
      const other = leaders.get(term)
      if (other !== undefined && other !== machine.id)
        fail(`${other} and ${machine.id} were both elected in term ${term}`)
      leaders.set(term, machine.id)
    },
    voted({ machine, term, to }) {
      const key = `${machine.id} ${term}`
      const other = votes.get(key)
      if (other !== undefined && other !== to)
        fail(`${machine.id} voted for ${other} and for ${to} in term ${term}`)
      votes.set(key, to)
    },
  }
}
