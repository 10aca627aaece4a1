/**
 * Two nodes, one of which votes. Without the other it does all the work; without it the other one runs on, decides nothing,
 * says so, and takes over when a person tells it to.
 */
import * as assert from 'uvu/assert'
import { until } from '../../../harness/run-command.ts'
import { LabCluster } from '../../cluster.ts'
import type { Host } from '../../host.ts'
import { timed } from '../effort.ts'
import { countOn, heldToBe, openLab, runWeb, text } from './work.ts'

const POD_COUNT = 4
/** Exit code for `no leader` and `no quorum`. */
const EXIT_UNREACHABLE = 6

export const pair = async (): Promise<void> => {
  const cluster = await LabCluster.found(2, openLab)
  try {
    await runWeb(cluster.lab.host(1), POD_COUNT)
    const voter = await cluster.leader(cluster.lab.host(1))
    const other = cluster.lab.hosts.find(host => host !== voter) as Host
    await timed('the one that votes gives the other up, and does all the work', () =>
      otherDies(cluster, voter, other),
    )
    await timed('the one that does not vote decides nothing and says so', () =>
      voterDies(cluster, voter, other),
    )
    await timed('it takes over when it is told to, and the other comes back', () =>
      takeOver(cluster, voter, other),
    )
  } finally {
    await cluster.close()
  }
}

const otherDies = async (cluster: LabCluster, voter: Host, other: Host): Promise<void> => {
  other.kill({ silent: true })
  const tookMs = await cluster.healthyOn('web', POD_COUNT, [voter], voter, 30_000)
  console.log(`  all work is on ${voter.name} after ${text(tookMs)}`)
  await heldToBe(cluster, other, { state: 'dead', witness: voter })
  await other.revive()
  other.startNode([])
  await cluster.memberIsKnown(other, voter)
  const done = await voter.tutti(['scale', `web=${2 * POD_COUNT}`, '--timeout', '60s'])
  assert.is(done.code, 0, done.stderr)
  assert.is(await countOn(cluster, other, voter), POD_COUNT, 'it gets work again')
}

const voterDies = async (cluster: LabCluster, voter: Host, other: Host): Promise<void> => {
  voter.kill({ silent: true })
  await until('no leader is known', 30_000, async () =>
    (await cluster.status(other))?.leader === null ? true : null,
  )
  const refused = await other.tutti(['scale', 'web=2', '--timeout', '5s'])
  assert.is(refused.code, EXIT_UNREACHABLE, refused.stderr)
  assert.is(await countOn(cluster, other, other), POD_COUNT, 'what it runs, it runs on')
  const nodes = await cluster.nodes(other)
  assert.is.not(nodes.find(({ name }) => name === voter.name)?.state, 'dead', 'nobody may decide that')
  const advice = await other.tutti(['doctor'])
  assert.is(advice.code, 1)
  assert.match(advice.stdout, /the only voter, h\d, does not answer: writes wait/)
  assert.match(advice.stdout, /if they are gone for ever: tutti recover --dry-run/)
}

const takeOver = async (cluster: LabCluster, voter: Host, other: Host): Promise<void> => {
  const done = await other.tutti(['recover', '--yes'])
  assert.is(done.code, 0, done.stderr)
  const tookMs = await cluster.healthyOn('web', 2 * POD_COUNT, [other], other, 60_000)
  console.log(`  all work is on ${other.name} ${text(tookMs)} after the recovery`)
  await voter.revive()
  voter.startNode([])
  await neverLeadsAlone(cluster, voter, other)
  await cluster.memberIsKnown(voter, other)
  await until('both know the same leader', 30_000, async () => {
    const leaders = await Promise.all([voter, other].map(async host => (await cluster.status(host))?.leader))
    return leaders[0] === other.name && leaders[1] === other.name ? true : null
  })
}

/** It comes back with a log that makes it the only voter, and writes through it must end up where they count. */
const neverLeadsAlone = (cluster: LabCluster, voter: Host, other: Host): Promise<true> =>
  until('the former voter to follow', 30_000, async () => {
    const leader = (await cluster.status(voter))?.leader ?? null
    assert.is.not(leader, voter.name, 'it asks before it leads')
    return leader === other.name ? true : null
  })
