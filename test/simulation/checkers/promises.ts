/** What a node promises to others is on its disk when the message leaves: a vote with its term, and every entry it says it has. */
import type { Check } from './checker.ts'

export const promises: Check = fail => ({
  name: 'promises',
  voted({ machine, to, term }) {
    const hardState = machine.disk.durable()?.hardState
    const isKept = hardState?.term === term ? hardState.vote === to : (hardState?.term ?? 0) > term
    if (!isKept)
      fail(`${machine.id} votes for ${to} in term ${term}; its disk has ${JSON.stringify(hardState ?? null)}`)
  },
  received({ machine, match }) {
    const stored = machine.disk.durable()
    const lastIndex = stored?.entries.at(-1)?.index ?? stored?.snapshot?.index ?? 0
    if (lastIndex < match)
      fail(`${machine.id} says that it has entry ${match}; its disk ends at ${lastIndex}`)
  },
})
