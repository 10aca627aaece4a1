/** Real nodes whose addresses have all changed, and real nodes whose seed is gone for ever. */
import { rmSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DemoNode } from '../../cli/demo/demo-node.ts'
import { LocalCluster } from '../harness/local-cluster.ts'
import { until } from '../harness/run-command.ts'

const OTHER_NETWORK = '127.0.78'
const WITHIN_MS = 60_000

const test = suite('addresses')
let running: LocalCluster | null = null
test.after.each(async () => {
  await running?.stop()
  running = null
})

const started = async (count: number): Promise<LocalCluster> => {
  running = await LocalCluster.start(count)
  return running
}

const killed = async (nodes: readonly DemoNode[]): Promise<void> => {
  for (const node of nodes) node.kill()
  await until('the nodes to be gone', 10_000, () => (nodes.every(node => node.hasEnded()) ? true : null))
}

/** Until each of them holds exactly the others for members, all alive and connected, where they are now. */
const areTogether = async (nodes: readonly DemoNode[]): Promise<void> => {
  const wanted = nodes.map(node => `${node.name} alive ${node.peerAddress}`).sort()
  for (const node of nodes) {
    let seen: readonly string[] = []
    await until(
      `${node.name} to see all the others`,
      WITHIN_MS,
      async () => {
        const client = node.client(AbortSignal.timeout(5_000))
        const members = await client.members().catch(() => [])
        seen = members
          .filter(member => member.state !== 'left')
          .map(member => `${member.name} ${member.state} ${member.addresses[0]}`)
          .sort()
        return seen.join() === wanted.join() ? true : null
      },
      () => seen.join(', '),
      100,
    )
  }
}

const isHeldForDead = (dead: DemoNode, witness: DemoNode): Promise<true> =>
  until(`${dead.name} to be held for dead`, WITHIN_MS, async () => {
    const members = await witness.client(AbortSignal.timeout(5_000)).members()
    return members.find(member => member.name === dead.name)?.state === 'dead' ? true : null
  })

test('all nodes come back under other addresses, and nobody is told where the others are', async () => {
  const cluster = await started(4)
  await areTogether(cluster.nodes)
  await killed(cluster.nodes)
  for (const [position, node] of [...cluster.nodes].entries())
    cluster.move(node, `${OTHER_NETWORK}.${position + 1}`)
  for (const node of cluster.nodes) cluster.restart(node)
  for (const node of cluster.nodes) await node.ready(AbortSignal.timeout(WITHIN_MS))
  await areTogether(cluster.nodes)
})

test('the node through which all joined is gone for ever: they start without it, and others join', async () => {
  const cluster = await started(4)
  const [seed, ...others] = cluster.nodes as [DemoNode, ...DemoNode[]]
  await killed([seed])
  rmSync(seed.directory, { recursive: true, force: true })
  await isHeldForDead(seed, others[0] as DemoNode)
  await killed(others)
  for (const node of others) cluster.restart(node)
  for (const node of others) await node.ready(AbortSignal.timeout(WITHIN_MS))
  await isHeldForDead(seed, others[0] as DemoNode)
  const removed = await cluster.tutti(others[0] as DemoNode, ['node', 'rm', seed.name])
  assert.is(removed.code, 0, removed.stderr)

  const last = others.at(-1) as DemoNode
  const newcomer = cluster.prepare()
  newcomer.start({ runtime: 'process', join: last.peerAddress, token: await cluster.createToken(1, last) })
  await newcomer.ready(AbortSignal.timeout(WITHIN_MS))
  await areTogether([...others, newcomer])
})

test.run()
