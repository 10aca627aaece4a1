/**
 * Six nodes in three zones. A zone that is cut off for a few seconds moves nothing; one that dies is recognised as such, and its
 * work moves when the time that the cluster's policy names is over, or not before it is back.
 */
import * as assert from 'uvu/assert'
import { pause } from '../../../../cli/demo/demo-node.ts'
import { until } from '../../../harness/run-command.ts'
import { LabCluster } from '../../cluster.ts'
import type { Host } from '../../host.ts'
import { timed } from '../effort.ts'
import { heldToBe, layout, openLab, runWeb, text } from './work.ts'

const ZONES = ['north', 'south', 'west'] as const
const COUNT = 6
/** ZONE_LOSS_MS_DEFAULT of the scheduler. */
const WAIT_MS = 10_000
/** Longer than it takes to find out that the nodes are silent. */
const BLIP_MS = 5_000

const zoneOf = (number: number): string => ZONES[number % ZONES.length] as string

export type ZoneLossOptions = {
  /** Also the zone that leads, and a policy that waits for ever. */
  readonly isLong: boolean
}

export const zoneLoss = async ({ isLong }: ZoneLossOptions): Promise<void> => {
  const cluster = await LabCluster.found(COUNT, {
    ...openLab,
    labelsOf: number => [`zone=${zoneOf(number)}`],
  })
  try {
    await runWeb(cluster.lab.host(1), COUNT)
    await timed('a zone that is cut off for a moment moves nothing', () => blip(cluster))
    await timed('a zone dies, and its work moves when its time is over', () => dies(cluster, false))
    if (!isLong) return
    await timed('the zone that leads dies', () => dies(cluster, true))
    await timed('the policy says never: the work waits', () => waits(cluster))
  } finally {
    await cluster.close()
  }
}

/** The hosts of a zone, and one of another. */
const choose = async (
  cluster: LabCluster,
  isLeading: boolean,
): Promise<{ lost: Host[]; rest: Host[]; witness: Host }> => {
  const leader = await cluster.leader(cluster.lab.host(1))
  const zone = ZONES.find(name => (name === zoneOf(leader.number)) === isLeading)
  const lost = cluster.lab.hosts.filter(host => zoneOf(host.number) === zone)
  const rest = cluster.lab.hosts.filter(host => !lost.includes(host))
  return { lost, rest, witness: rest[0] as Host }
}

const blip = async (cluster: LabCluster): Promise<void> => {
  const { lost, witness } = await choose(cluster, false)
  const before = await layout(cluster, witness)
  for (const host of lost) host.unplug()
  await pause(BLIP_MS)
  const doubted = (await cluster.nodes(witness))
    .filter(({ state }) => state === 'suspect')
    .map(({ name }) => name)
  assert.equal(doubted.sort(), lost.map(({ name }) => name).sort(), 'they are missed, and not given up')
  const leader = await cluster.leader(witness)
  const told = await leader.tutti(['members'])
  assert.match(told.stdout, /zone \w+ is lost as a whole: its work moves in \d+ s/)
  for (const host of lost) host.plug()
  for (const host of lost) await heldToBe(cluster, host, { state: 'alive', witness })
  assert.is(await layout(cluster, witness), before)
}

const dies = async (cluster: LabCluster, isLeading: boolean): Promise<void> => {
  const { lost, rest, witness } = await choose(cluster, isLeading)
  for (const host of lost) host.kill({ silent: true })
  const startedMs = performance.now()
  const [first] = lost
  const deadMs = await heldToBe(cluster, first as Host, { state: 'dead', witness })
  assert.ok(deadMs >= WAIT_MS, `given up after ${text(deadMs)}`)
  await cluster.healthyOn('web', COUNT, rest, witness, 30_000)
  console.log(
    `  given up after ${text(deadMs)}, all work elsewhere after ${text(performance.now() - startedMs)}`,
  )
  const events = await witness.tutti(['events'])
  assert.match(events.stdout, new RegExp(`${first?.name}.*dead.*zone \\w+ is lost as a whole`))
  await bringBack(cluster, lost, witness)
}

const waits = async (cluster: LabCluster): Promise<void> => {
  const { lost, witness } = await choose(cluster, false)
  const done = await witness.tutti(['zone-loss', 'never'])
  assert.is(done.code, 0, done.stderr)
  for (const host of lost) host.kill({ silent: true })
  await pause(3 * WAIT_MS)
  const states = (await cluster.nodes(witness)).map(({ state }) => state)
  assert.not.ok(states.includes('dead'))
  await bringBack(cluster, lost, witness)
  await until('all work to run', 30_000, async () =>
    (await cluster.pods(witness)).filter(({ state }) => state === 'running').length === COUNT ? true : null,
  )
}

const bringBack = async (cluster: LabCluster, lost: readonly Host[], witness: Host): Promise<void> => {
  for (const host of lost) await host.revive()
  for (const host of lost) host.startNode([])
  for (const host of lost) await heldToBe(cluster, host, { state: 'alive', witness })
}
