/** No false death remains: when all is quiet, every node holds every other alive, in gossip and in the roster. */

import type { Check } from './checker.ts'
import type { View } from './view.ts'

export const membership: Check = fail => ({
  name: 'membership',
  atEnd(world) {
    const problem = membershipProblem(world)
    if (problem !== null) fail(problem)
  },
})

export const membershipProblem = (world: View): string | null => {
  for (const { id, node } of world.machines) {
    if (node === null) return `${id} is not running`
    const members = new Map(node.members().map(member => [member.id, member.state]))
    for (const other of world.machines) {
      if (other === world.machines.find(machine => machine.id === id)) continue
      const state = members.get(other.id) ?? 'unknown'
      if (state !== 'alive') return `${id} holds ${other.id} ${state}`
    }
    for (const row of node.consensus.state().nodes.values())
      if (row.state !== 'alive') return `the roster of ${id} has ${row.id} ${row.state}`
  }
  return null
}
