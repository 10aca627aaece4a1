/** Two of three nodes die for good: the third founds the cluster anew, and its pods do not notice. Then one comes back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DemoNode } from '../../cli/demo/demo-node.ts'
import type { PodView, RecoveryView } from '../../node/api/native/schema.ts'
import { LocalCluster } from '../harness/local-cluster.ts'
import { until } from '../harness/run-command.ts'

const test = suite<{ cluster: LocalCluster }>('recover')

test.before(async context => {
  context.cluster = await LocalCluster.start(3)
})

test.after(async context => {
  await context.cluster?.stop()
})

const clientOf = (node: DemoNode) => node.client(AbortSignal.timeout(20_000))

const running = async (node: DemoNode): Promise<readonly PodView[]> =>
  (await clientOf(node).pods()).filter(pod => pod.state === 'running')

/** The process behind each pod of the node: pid and start time, so a restart would show. */
const processesOn = async (node: DemoNode): Promise<readonly string[]> =>
  (await running(node))
    .filter(pod => pod.node === node.name)
    .flatMap(pod => pod.containers.map(container => String(container.runtimeId)))
    .sort()

const namesOf = async (node: DemoNode): Promise<readonly string[]> =>
  (await clientOf(node).workloads()).map(workload => workload.name).sort()

const write = (cluster: LocalCluster, node: DemoNode, name: string) =>
  cluster.tutti(node, ['run', '--name', name, '--count', '0', '--detach', '--', 'true'])

test('nothing is recovered while a quorum lives, and the error says who leads', async ({ cluster }) => {
  const [, , cedar] = cluster.nodes as [DemoNode, DemoNode, DemoNode]
  const done = await cluster.tutti(cedar, [
    'run',
    '--name',
    'web',
    '--count',
    '6',
    '--',
    'sh',
    '-c',
    'while sleep 1; do :; done',
  ])
  assert.is(done.code, 0, done.stderr)
  const refused = await cluster.tutti(cedar, ['recover', '--yes'])
  assert.is(refused.code, 4)
  assert.match(refused.stderr, /nothing needs to be recovered: \w+ leads/)
  assert.is((await clientOf(cedar).raft())[0]?.epoch, 0)
})

test('the survivor re-forms the cluster: same state, same processes, and writes work', async ({
  cluster,
}) => {
  const [ash, birch, cedar] = cluster.nodes as [DemoNode, DemoNode, DemoNode]
  const before = await processesOn(cedar)
  assert.is(before.length, 2)
  ash.kill()
  birch.kill()
  await until('the quorum to be lost', 20_000, async () =>
    (await clientOf(cedar).status()).hasQuorum ? null : true,
  )
  const refused = await write(cluster, cedar, 'lost')
  assert.is(refused.code, 6)
  assert.match(refused.stderr, /tutti recover/)

  const dry = await cluster.tutti(cedar, ['recover', '--dry-run'])
  assert.is(dry.code, 0, dry.stderr)
  assert.match(dry.stdout, /cedar +● most advanced +voter/)
  assert.match(dry.stdout, /ash +○ silent/)
  assert.match(dry.stderr, /may be lost +changes that ash and birch acknowledged and cedar never received/)
  assert.is((await clientOf(cedar).raft())[0]?.epoch, 0, 'nothing was changed')
  const unasked = await cluster.tutti(cedar, ['recover'])
  assert.is(unasked.code, 2, 'nobody is there to be asked')

  const done = await cluster.tutti(cedar, ['recover', '--yes'])
  assert.is(done.code, 0, done.stderr)
  assert.match(
    done.stderr,
    /✔ cedar has founded the cluster anew, from entry \d+ of term \d+; .*before-recovery-1-/,
  )
  assert.equal(await namesOf(cedar), ['web'])
  const written = await write(cluster, cedar, 'after')
  assert.is(written.code, 0, written.stderr)
  await until('all six to run on the survivor', 40_000, async () => {
    const pods = await running(cedar)
    return pods.length === 6 && pods.every(pod => pod.node === 'cedar') ? true : null
  })
  const now = await processesOn(cedar)
  for (const process of before) assert.ok(now.includes(process), `${process} was restarted`)
})

test('an old voter comes back without harm, and votes again', async ({ cluster }) => {
  const [ash, birch, cedar] = cluster.nodes as [DemoNode, DemoNode, DemoNode]
  const { term } = await clientOf(cedar).status()
  const before = await processesOn(cedar)
  for (const node of [ash, birch]) node.start({ runtime: 'process', join: null, token: null })
  await until('all three to vote in the new epoch', 40_000, async () => {
    const raft = await Promise.all(
      [ash, birch, cedar].map(node =>
        clientOf(node)
          .raft()
          .catch(() => []),
      ),
    )
    return raft.every(([one]) => one?.epoch === 1 && one.voters.length === 3) ? true : null
  })
  assert.is((await clientOf(cedar).status()).term, term, 'the leader was not disturbed')
  for (const node of [ash, birch]) assert.equal(await namesOf(node), ['after', 'web'])
  const now = await processesOn(cedar)
  for (const process of before) assert.ok(now.includes(process), `${process} was restarted`)
  cedar.kill()
  await until('the two old voters to take writes', 30_000, async () =>
    (await write(cluster, ash, 'without-cedar')).code === 0 ? true : null,
  )
  const view: RecoveryView = await clientOf(ash).recovery()
  assert.match(view.refusal?.message ?? '', /leads/)
})

test.run()
