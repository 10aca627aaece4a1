/** What the log and gossip know of each node's health, brought together. Pure. */
import type { Member } from '../../../gossip/index.ts'
import { lossesOf, type NodeId, type State } from '../../../scheduler/index.ts'
import { diskMsOf } from '../disk-word.ts'
import { skewMsOf } from './clock-word.ts'
import { type Health, healthOf } from './health.ts'
import { startFailuresOf } from './start-failures.ts'

/** Of two clocks that differ nobody can say which one is wrong. */
const CLOCKS_MIN = 3

/** The health of every node that has not left, by what the log and gossip know: the same on every node, but for its age. */
export const healthOfAll = (
  state: State,
  members: ReadonlyMap<string, Member>,
  nowMs: number,
): ReadonlyMap<NodeId, Health> => {
  const failures = startFailuresOf(state, nowMs)
  const present = [...state.nodes.values()].filter(node => node.state !== 'left')
  const canTell = present.filter(node => node.state === 'alive').length >= CLOCKS_MIN
  return new Map(
    present.map(node => [
      node.id,
      healthOf({
        losses: lossesOf(node, nowMs),
        diskMs: diskMsOf(members.get(node.id)),
        skewMs: canTell ? skewMsOf(members.get(node.id)) : null,
        startFailures: failures.get(node.id) ?? [],
      }),
    ]),
  )
}
