/** A committed entry is never lost nor changed: what one node applied at an index is what every node applies there. */
import type { History } from '../history.ts'
import type { Check } from './checker.ts'

export const log =
  (history: History): Check =>
  fail => ({
    name: 'log',
    applied({ machine, entries }) {
      const conflict = history.record(entries)
      if (conflict !== null) fail(`${machine.id} applied another history: ${conflict}`)
    },
    atEnd(world) {
      for (const { id, node } of world.machines) {
        const index = node?.consensus.state().index ?? 0
        if (index < history.state.index)
          fail(`${id} ended at entry ${index}, though entry ${history.state.index} was applied somewhere`)
      }
    },
  })
