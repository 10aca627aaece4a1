/** Nobody who is well is given up, whatever one member says: in the calm at the end of a play one lies about the others. */
import type { Check } from './checker.ts'
import type { View } from './view.ts'

export const witnesses: Check = fail => {
  let world: View | null = null
  return {
    name: 'witnesses',
    begin(view) {
      world = view
    },
    committed({ entry, request }) {
      const command = request?.command
      if (world?.isCalm !== true || command?.type !== 'node/Verdict' || command.state !== 'dead') return
      fail(`entry ${entry.index} gives up ${command.id}, which is well: ${command.reason}`)
    },
  }
}
