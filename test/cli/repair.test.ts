/** A node whose log is damaged in the middle, or gone, refuses to start, is repaired from its peers and votes again under its name. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DemoNode } from '../../cli/demo/demo-node.ts'
import { LocalCluster } from '../harness/local-cluster.ts'
import { until } from '../harness/run-command.ts'

const test = suite<{ cluster: LocalCluster }>('repair')

test.before(async context => {
  context.cluster = await LocalCluster.start(3)
})

test.after(async context => {
  await context.cluster?.stop()
})

const clientOf = (node: DemoNode) => node.client(AbortSignal.timeout(20_000))

const repair = (cluster: LocalCluster, node: DemoNode, ...flags: readonly string[]) =>
  cluster.tutti(node, ['repair', '--data', node.directory, ...flags])

const again = (node: DemoNode): void => node.start({ runtime: 'process', join: null, token: null })

/** Flips a bit in the middle of the log, inside the entry that names this workload. */
const damage = (node: DemoNode, workload: string): void => {
  for (const name of ['raft.db', 'raft.db-wal']) {
    const path = join(node.directory, name)
    if (!existsSync(path)) continue
    const bytes = readFileSync(path)
    const at = bytes.indexOf(workload)
    if (at < 0) continue
    bytes[at] = (bytes[at] as number) ^ 1
    writeFileSync(path, bytes)
    return
  }
  throw new Error(`${workload} is in no file of the log`)
}

const wholeAgain = (cluster: LocalCluster, node: DemoNode, id: string): Promise<true> =>
  until(`${node.name} to vote again, as the one it was`, 60_000, async () => {
    const [one] = await clientOf(node)
      .raft()
      .catch(() => [])
    const status = await clientOf(node)
      .status()
      .catch(() => null)
    const names = await clientOf(node)
      .workloads()
      .catch(() => [])
    const [first] = await clientOf(cluster.node(0)).workloads()
    return one?.voters.length === 3 && status?.nodeId === id && names[0]?.name === first?.name ? true : null
  })

test('an intact log is not given up by mistake, nor that of a node that runs', async ({ cluster }) => {
  const [ash, , cedar] = cluster.nodes as [DemoNode, DemoNode, DemoNode]
  for (const name of ['early', 'marked-workload', 'late-1', 'late-2'])
    assert.is(
      (await cluster.tutti(ash, ['run', '--name', name, '--count', '0', '--detach', '--', 'true'])).code,
      0,
    )
  const running = await repair(cluster, cedar)
  assert.is(running.code, 4)
  assert.match(running.stderr, /in use by another process/)
  await cedar.stop()
  const intact = await repair(cluster, cedar)
  assert.is(intact.code, 4)
  assert.match(intact.stderr, /is intact/)
  again(cedar)
  await cedar.ready(AbortSignal.timeout(30_000))
})

test('a damaged middle stops the node and names the command that brings it back', async ({ cluster }) => {
  const [, birch, cedar] = cluster.nodes as [DemoNode, DemoNode, DemoNode]
  const { nodeId } = await clientOf(cedar).status()
  await cedar.stop()
  damage(cedar, 'marked-workload')
  again(cedar)
  const refused = await cedar.ready(AbortSignal.timeout(30_000)).catch((thrown: unknown) => thrown)
  assert.match(String((refused as { why?: string }).why), /is damaged[\s\S]*try: tutti repair/)

  const done = await repair(cluster, cedar)
  assert.is(done.code, 0, done.stderr)
  assert.match(done.stderr, /✔ cedar has the state as of entry \d+; the cluster has let it in anew/)
  assert.match(done.stderr, /found: .* is damaged/)
  const aside = readdirSync(cedar.directory).find(name => name.startsWith('given-up-'))
  assert.ok(readdirSync(join(cedar.directory, aside ?? '')).includes('raft.db'))
  again(cedar)
  await wholeAgain(cluster, cedar, nodeId)
  // Its vote counts: with another one gone, the two decide.
  birch.kill()
  await until('the two that are left to take a write', 30_000, async () => {
    const argv = ['run', '--name', 'by-two', '--count', '0', '--detach', '--timeout', '5s', '--', 'true']
    return (await cluster.tutti(cedar, argv)).code === 0 ? true : null
  })
  again(birch)
  await birch.ready(AbortSignal.timeout(30_000))
})

test('a log that is gone is fetched again, also through a member that is named', async ({ cluster }) => {
  const [ash, , cedar] = cluster.nodes as [DemoNode, DemoNode, DemoNode]
  const { nodeId } = await clientOf(cedar).status()
  await until('all three to vote', 30_000, async () =>
    (await clientOf(ash).raft())[0]?.voters.length === 3 ? true : null,
  )
  cedar.kill()
  await until('it to be gone', 10_000, () => (cedar.hasEnded() ? true : null))
  for (const name of ['raft.db', 'raft.db-wal', 'addresses.json'])
    rmSync(join(cedar.directory, name), { force: true })
  const alone = await repair(cluster, cedar)
  assert.is(alone.code, 6)
  assert.match(alone.stderr, /no leader of the cluster could be reached; nothing was changed/)
  const { leader } = await clientOf(ash).status()
  const node = cluster.nodes.find(one => one.name === leader) as DemoNode
  const token = await cluster.createToken(1)
  const done = await repair(cluster, cedar, '--join', node.peerAddress, '--token', token)
  assert.is(done.code, 0, done.stderr)
  assert.match(done.stderr, /found: the log is gone/)
  again(cedar)
  await wholeAgain(cluster, cedar, nodeId)
})

test('a voter of which nothing is left but its key is not let in with an empty log, and is repaired', async context => {
  const { cluster } = context
  const [ash, , cedar] = cluster.nodes as [DemoNode, DemoNode, DemoNode]
  const { nodeId } = await clientOf(cedar).status()
  await until('all three to vote', 30_000, async () =>
    (await clientOf(ash).raft())[0]?.voters.length === 3 ? true : null,
  )
  await cedar.stop()
  for (const name of readdirSync(cedar.directory))
    if (name !== 'identity.key') rmSync(join(cedar.directory, name), { recursive: true, force: true })
  const { leader } = await clientOf(ash).status()
  const node = cluster.nodes.find(one => one.name === leader) as DemoNode
  const token = await cluster.createToken(3)
  cedar.start({ runtime: 'process', join: node.peerAddress, token })
  const refused = await cedar.ready(AbortSignal.timeout(30_000)).catch((thrown: unknown) => thrown)
  assert.match(
    String((refused as { why?: string }).why),
    /a member whose log was on its disk, and is there no more/,
  )
  const done = await repair(cluster, cedar, '--join', node.peerAddress, '--token', token)
  assert.is(done.code, 0, done.stderr)
  again(cedar)
  await wholeAgain(cluster, cedar, nodeId)
})

test.run()
