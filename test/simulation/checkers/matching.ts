/** Two logs that have an entry of the same index and term have the same entry there, and the same before it (log matching). */
import type { Entry } from '../../../raft/index.ts'
import { isSameEntry } from '../history.ts'
import type { Check } from './checker.ts'
import { entryAt } from './holdings.ts'

type Known = { readonly entry: Entry; readonly termBefore: number | null; readonly by: string }

export const matching: Check = fail => {
  /** The first of its index and term that any disk was given. By induction over the predecessors all before it agree. */
  const known = new Map<string, Known>()
  return {
    name: 'matching',
    writing({ machine, writes }) {
      const stored = machine.disk.durable()
      const given: Entry[] = []
      const termAt = (index: number): number | null => {
        const entry = given.findLast(one => one.index === index) ?? entryAt(stored?.entries ?? [], index)
        if (entry !== undefined) return entry.term
        return stored?.snapshot?.index === index ? stored.snapshot.term : null
      }
      for (const write of writes)
        for (const entry of write.entries) {
          const termBefore = write.snapshot === null ? termAt(entry.index - 1) : null
          given.push(entry)
          const key = `${entry.index} ${entry.term}`
          const first = known.get(key)
          if (first === undefined) known.set(key, { entry, termBefore, by: machine.id })
          else if (!isSameEntry(first.entry, entry))
            fail(`entry ${entry.index} of term ${entry.term} on ${machine.id} is not the one on ${first.by}`)
          else if (termBefore !== null && first.termBefore !== null && first.termBefore !== termBefore)
            fail(
              `entry ${entry.index} of term ${entry.term} follows one of term ${termBefore} on ${machine.id}, and of term ${first.termBefore} on ${first.by}`,
            )
        }
    },
  }
}
