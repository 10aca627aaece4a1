/** Nine nodes in three zones: a whole zone dies at once, each in turn. Writes go on, and the spread comes back with the zone. */
import * as assert from 'uvu/assert'
import type { DemoNode } from '../../../cli/demo/demo-node.ts'
import { WatchedVoters } from '../voters.ts'
import { timed } from './effort.ts'
import { step } from './quorum.ts'

const COUNT = 9
const ZONES = ['north', 'south', 'west'] as const

const zoneOf = (position: number): string => ZONES[position % ZONES.length] as string

export const zones = async (): Promise<void> => {
  const voters = await WatchedVoters.start(COUNT, position => [`zone=${zoneOf(position)}`])
  try {
    assert.is(spread(voters), '2,2,1')
    for (const zone of ZONES)
      await timed(`${zone} is lost and comes back`, async () => {
        const lost = voters.cluster.nodes.filter((_, position) => zoneOf(position) === zone)
        await loseAll(voters, lost, zone)
        for (const node of lost) await voters.revive(node)
        await step(voters, `${zone} is back`)
        assert.is(spread(voters), '2,2,1')
      })
    await timed(`${voters.accepted.length} accepted writes are known to all`, () => voters.keptEverything())
    console.log(`  ${voters.history.length - 1} changes of the voters since the founding`)
  } finally {
    await voters.stop()
  }
}

const loseAll = async (voters: WatchedVoters, lost: readonly DemoNode[], zone: string): Promise<void> => {
  const leader = (await voters.reign())?.leader ?? null
  for (const node of lost) node.kill()
  while (!lost.every(node => node.hasEnded())) await new Promise(resolve => setImmediate(resolve))
  await step(voters, `${zone} dies${leader !== null && lost.includes(leader) ? ' (leader)' : ''}`)
  assert.is(spread(voters), '3,2', 'replaced from the two that are left')
  assert.not(voters.voters.some(node => lost.includes(node)))
}

/** How many voters each zone has, most first. */
const spread = ({ cluster, voters }: WatchedVoters): string =>
  ZONES.map(zone => voters.filter(node => zoneOf(cluster.nodes.indexOf(node)) === zone).length)
    .filter(count => count > 0)
    .sort((left, right) => right - left)
    .join()
