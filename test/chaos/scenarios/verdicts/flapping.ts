/** A node that comes and goes: each return puts it on a longer probation, new work passes it by, and comes to it afterwards. */
import * as assert from 'uvu/assert'
import { until } from '../../../harness/run-command.ts'
import { LabCluster } from '../../cluster.ts'
import type { Host } from '../../host.ts'
import { timed } from '../effort.ts'
import { countOn, heldToBe, nodeOf, openLab, runWeb, scaleWeb, text } from './work.ts'

const COUNT = 3
/** PROBATION_MS of the scheduler: after the second loss, doubled with each further one. */
const PROBATION_MS = 30_000

export type FlappingOptions = {
  /** At least two: the first loss is a restart. */
  readonly times: number
}

export const flapping = async ({ times }: FlappingOptions): Promise<void> => {
  const cluster = await LabCluster.found(COUNT, openLab)
  try {
    await runWeb(cluster.lab.host(1), COUNT)
    const leader = await cluster.leader(cluster.lab.host(1))
    const victim = cluster.lab.hosts.find(host => host !== leader) as Host
    await timed(`${victim.name} is lost and back ${times} times`, async () => {
      for (let time = 1; time <= times; time++) await flap(cluster, victim, leader)
    })
    await timed('new work passes it by', () => passedBy(cluster, victim, { leader, times }))
    await timed('and comes to it when its probation is over', () => trustedAgain(cluster, victim, leader))
  } finally {
    await cluster.close()
  }
}

const flap = async (cluster: LabCluster, victim: Host, witness: Host): Promise<void> => {
  victim.signalNode('SIGKILL')
  await victim.nodeIsGone()
  await heldToBe(cluster, victim, { state: 'dead', witness })
  victim.startNode([])
  await heldToBe(cluster, victim, { state: 'alive', witness })
}

const passedBy = async (
  cluster: LabCluster,
  victim: Host,
  { leader, times }: { readonly leader: Host; readonly times: number },
): Promise<void> => {
  const node = await nodeOf(cluster, victim, leader)
  assert.is(node?.losses, times)
  const wholeMs = PROBATION_MS * 2 ** (times - 2)
  const leftMs = node?.probationMs ?? 0
  assert.ok(leftMs > wholeMs / 2 && leftMs <= wholeMs, `${text(leftMs)} of ${text(wholeMs)}`)
  const listed = await leader.tutti(['nodes'])
  assert.match(listed.stdout, new RegExp(`${victim.name} .*on probation`))
  const explained = await leader.tutti(['explain', `node/${victim.name}`])
  assert.match(
    explained.stdout,
    new RegExp(`lost ${times} times of late: for \\d+ s more it gets new pods only where`),
  )
  await scaleWeb(leader, 2 * COUNT)
  assert.is(await countOn(cluster, victim, leader), 0)
}

const trustedAgain = async (cluster: LabCluster, victim: Host, leader: Host): Promise<void> => {
  const leftMs = (await nodeOf(cluster, victim, leader))?.probationMs ?? 0
  await until(
    'the probation to end',
    leftMs + 10_000,
    async () => ((await nodeOf(cluster, victim, leader))?.probationMs === null ? true : null),
    undefined,
    500,
  )
  await scaleWeb(leader, 3 * COUNT)
  assert.ok((await countOn(cluster, victim, leader)) > 0)
}
