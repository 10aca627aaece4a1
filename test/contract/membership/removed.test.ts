/** S4: a node that was removed is cut off everywhere, learns of it, gives up its work, and its key never returns. */
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DemoNode } from '../../../cli/demo/demo-node.ts'
import { LocalCluster } from '../../harness/local-cluster.ts'
import { until } from '../../harness/run-command.ts'
import { introduceTo, intruder } from './intruder.ts'

const CUT_OFF_WITHIN_MS = 2_000
/** Longer than any dial loop's patience. */
const RETURNS_WITHIN_MS = 4_000
const SOON_MS = 30_000

const story = suite<{ cluster: LocalCluster }>('removed')

story.before(async context => {
  context.cluster = await LocalCluster.start(4)
})

story.after(async context => {
  await context.cluster?.stop()
})

const clientOf = (node: DemoNode) => node.client(AbortSignal.timeout(SOON_MS))
const logOf = (cluster: LocalCluster, node: DemoNode): string =>
  readFileSync(join(cluster.directory, `${node.name}.log`), 'utf8')

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The processes of the node's pods, as the cluster knows them. */
const workOf = async (seen: DemoNode, node: DemoNode): Promise<readonly number[]> =>
  (await clientOf(seen).pods())
    .filter(pod => pod.node === node.name && pod.state === 'running')
    .flatMap(pod => pod.containers.map(container => Number.parseInt(String(container.runtimeId), 10)))

story(
  'a running node is thrown out: no member has a connection with it after 2 s, nor later',
  async ({ cluster }) => {
    const doug = cluster.node(3)
    await doug.stop()
    const thief = await intruder({ listen: doug.peerAddress, stolenFrom: doug.directory })
    await thief.start()
    try {
      await introduceTo(thief, cluster)
      await until('the thief is taken for a member', SOON_MS, () =>
        thief.connected().size === 3 ? true : null,
      )
      const ash = clientOf(cluster.node(0))
      await ash.removeNode('doug', { force: true })
      const removedAtMs = performance.now()
      await until('it is cut off', CUT_OFF_WITHIN_MS, () => (thief.connected().size === 0 ? true : null))
      while (performance.now() - removedAtMs < RETURNS_WITHIN_MS) {
        assert.is(thief.connected().size, 0, 'it is back')
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    } finally {
      await thief.stop()
    }
  },
)

story('its key is not admitted again, with a fresh token either', async ({ cluster }) => {
  const [ash, doug] = [cluster.node(0), cluster.node(3)]
  const directory = join(cluster.directory, 'again')
  mkdirSync(directory)
  cpSync(join(doug.directory, 'identity.key'), join(directory, 'identity.key'))
  const again = await cluster.tutti(
    ash,
    [
      'start',
      '--data',
      directory,
      '--listen',
      doug.peerAddress,
      '--api',
      'off',
      '--join',
      ash.peerAddress,
    ].concat(['--runtime', 'process', '--token', '-']),
    await cluster.createToken(1),
  )
  assert.is(again.code, 5)
  assert.match(again.stderr, /doug has left the cluster/)
})

story(
  'who was away when it was removed is told when it is back, and stops its pods and itself',
  async ({ cluster }) => {
    const [ash, , cedar] = cluster.nodes as [DemoNode, DemoNode, DemoNode, DemoNode]
    const work = ['run', '--name', 'web', '--count', '3', '--', 'sh', '-c', 'while sleep 1; do :; done']
    const done = await cluster.tutti(ash, work)
    assert.is(done.code, 0, done.stderr)
    const pids = await workOf(ash, cedar)
    assert.ok(pids.length > 0 && pids.every(isRunning))
    const refused = await cluster.tutti(ash, ['node', 'rm', 'cedar'])
    assert.is(refused.code, 4, 'it runs')
    assert.match(refused.stderr, 'tutti leave')
    cedar.kill()
    await until('cedar is taken for dead', SOON_MS, async () => {
      const node = (await clientOf(ash).nodes()).find(({ name }) => name === 'cedar')
      return node?.state === 'dead' ? true : null
    })
    await clientOf(ash).removeNode('cedar', { force: false })
    assert.ok(pids.every(isRunning), 'its pods do not know')
    const before = logOf(cluster, cedar).length
    cluster.restart(cedar)
    await until('its pods are ended', SOON_MS, () => (pids.some(isRunning) ? null : true))
    await until('it ends', SOON_MS, () => (cedar.hasEnded() ? true : null))
    const said = logOf(cluster, cedar).slice(before)
    assert.match(said, 'was removed from its cluster while it was away')
    assert.match(said, 'is no member of its cluster any more')
  },
)

story('started again, it says the same', async ({ cluster }) => {
  const cedar = cluster.node(2)
  const before = logOf(cluster, cedar).length
  cluster.restart(cedar)
  await until('it ends', SOON_MS, () => (cedar.hasEnded() ? true : null))
  assert.match(logOf(cluster, cedar).slice(before), 'is no member of its cluster any more')
  const { stderr, code } = await cluster.tutti(cluster.node(0), ['ps'])
  assert.is(code, 0, stderr)
})

story.run()
