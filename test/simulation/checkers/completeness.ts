/** Whoever is elected has every entry that was committed in an earlier term (Raft paper, figure 3: leader completeness). */
import type { History } from '../history.ts'
import type { Check } from './checker.ts'
import { entryAt, holds } from './holdings.ts'

export const completeness =
  (history: History): Check =>
  fail => {
    /** Everything up to `index` was committed when the first machine that applied it was in this term. */
    const commits: { readonly index: number; readonly inTerm: number }[] = []
    return {
      name: 'completeness',
      applied({ machine, state }) {
        if (state.index <= (commits.at(-1)?.index ?? 0)) return
        commits.push({
          index: state.index,
          inTerm: machine.node?.consensus.status().term ?? Number.POSITIVE_INFINITY,
        })
      },
      // Its own vote is durable now, and so is all that it wrote before; it has added nothing since that it would sign.
      elected(machine, term) {
        const index = commits.findLast(({ inTerm }) => inTerm < term)?.index
        if (index === undefined) return
        const entries = machine.disk.durable()?.entries ?? []
        for (let at = entries[0]?.index ?? index; at < index; at++) {
          const wanted = history.termAt(at)
          const stored = entryAt(entries, at)
          if (wanted === undefined || stored === undefined || stored.term === wanted) continue
          return fail(
            `${machine.id} leads in term ${term} with an entry ${at} of term ${stored.term}; committed was one of term ${wanted}`,
          )
        }
        const last = history.termAt(index)
        if (last !== undefined && !holds(machine, { index, term: last }))
          fail(
            `${machine.id} leads in term ${term} and lacks entry ${index} of term ${last}, which was committed`,
          )
      },
    }
  }
