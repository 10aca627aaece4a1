/** A backup of real nodes, what is wrong with a spoilt one, and two ways back: on a machine that the cluster knows, and on a new one. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DemoNode } from '../../cli/demo/demo-node.ts'
import type { PodView } from '../../node/api/native/schema.ts'
import { LocalCluster } from '../harness/local-cluster.ts'
import { until } from '../harness/run-command.ts'

const test = suite<{ cluster: LocalCluster; backup: string }>('backup')

test.before(async context => {
  context.cluster = await LocalCluster.start(3)
  context.backup = join(context.cluster.directory, 'good.tutti')
})

test.after(async context => {
  await context.cluster?.stop()
})

const clientOf = (node: DemoNode) => node.client(AbortSignal.timeout(20_000))

const runningOn = async (node: DemoNode): Promise<readonly PodView[]> =>
  (await clientOf(node).pods()).filter(pod => pod.state === 'running' && pod.node === node.name)

const drills = (): readonly string[] => readdirSync(tmpdir()).filter(name => name.startsWith('tutti-drill-'))

test('any node writes one, for its owner only, and a drill proves that it restores', async context => {
  const { cluster, backup } = context
  const [, birch] = cluster.nodes as [DemoNode, DemoNode, DemoNode]
  const deployed = await cluster.tutti(birch, 'run --name web --count 3 -- sleep 1000'.split(' '))
  assert.is(deployed.code, 0, deployed.stderr)
  const done = await cluster.tutti(birch, ['backup', backup])
  assert.is(done.code, 0, done.stderr)
  assert.match(done.stderr, /holds the key of the cluster/)
  assert.is(statSync(backup).mode & 0o777, 0o600)
  const before = drills()
  const proven = await cluster.tutti(birch, ['restore', '--verify', backup])
  assert.is(proven.code, 0, proven.stderr)
  assert.match(proven.stderr, /✔ it restores: a node started from it and answered with the same state/)
  assert.match(proven.stdout, /nodes +3 {2}\(ash, birch, cedar\)/)
  assert.match(proven.stdout, /workloads +1 {2}\(web\)/)
  assert.equal(drills(), before, 'nothing of the drill is left')
})

test('a flipped byte anywhere, a cut and a foreign version are found, and nothing is restored from them', async context => {
  const { cluster, backup } = context
  const node = cluster.node(0)
  const good = readFileSync(backup)
  const spoilt = join(cluster.directory, 'spoilt.tutti')
  const verify = async (bytes: Buffer, what: RegExp, code: number) => {
    writeFileSync(spoilt, bytes)
    for (const argv of [
      ['restore', '--verify', spoilt],
      ['restore', spoilt, '--data', join(cluster.directory, 'never')],
    ]) {
      const done = await cluster.tutti(node, argv)
      assert.is(done.code, code, done.stderr)
      assert.match(done.stderr, what)
    }
  }
  const flipped = (at: number): Buffer => {
    const bytes = Buffer.from(good)
    bytes[at] = (bytes[at] as number) ^ 0x10
    return bytes
  }
  await verify(flipped(good.length - 40), /is damaged: wrong checksum at byte/, 1)
  await verify(flipped(30), /is damaged: wrong checksum at byte/, 1)
  await verify(good.subarray(0, good.length - 7), /is damaged: it is cut off/, 1)
  await verify(good.subarray(0, 200), /is damaged/, 1)
  const foreign = Buffer.from(good)
  foreign[8] = 2
  await verify(foreign, /is a backup in format 2\n {3}why: this version of Tutti reads format 1/, 2)
  await verify(Buffer.from('something else entirely'), /is not a backup of Tutti/, 2)
  assert.not.ok(readdirSync(cluster.directory).includes('never'))
})

test('a node that the cluster knows founds it from the backup, and the others rejoin with their identities', async context => {
  const { cluster, backup } = context
  const [ash, birch, cedar] = cluster.nodes as [DemoNode, DemoNode, DemoNode]
  const { clusterId } = await clientOf(ash).status()
  const used = await cluster.tutti(ash, ['restore', backup, '--data', ash.directory])
  assert.is(used.code, 4)
  assert.match(used.stderr, /holds a node already/)
  // Forgotten by the backup: it is taken back to what it was.
  await cluster.tutti(ash, 'run --name later --count 0 --detach -- true'.split(' '))
  for (const node of [ash, birch, cedar]) node.kill()

  const restored = new DemoNode('ash', ash.address, join(cluster.directory, 'restored'))
  mkdirSync(restored.directory, { recursive: true })
  copyFileSync(join(ash.directory, 'identity.key'), join(restored.directory, 'identity.key'))
  const done = await cluster.tutti(ash, ['restore', backup, '--data', restored.directory])
  assert.is(done.code, 0, done.stderr)
  assert.match(done.stderr, /with node ash as its only voter/)
  cluster.nodes.push(restored)
  restored.start({ runtime: 'process', join: null, token: null })
  await restored.ready(AbortSignal.timeout(30_000))
  for (const node of [birch, cedar]) node.start({ runtime: 'process', join: null, token: null })
  await until('all three to be one cluster again', 60_000, async () => {
    const raft = await Promise.all(
      [restored, birch, cedar].map(one =>
        clientOf(one)
          .raft()
          .catch(() => []),
      ),
    )
    return raft.every(([one]) => one?.epoch === 1 && one.voters.length === 3) ? true : null
  })
  for (const node of [restored, birch, cedar]) {
    assert.is((await clientOf(node).status()).clusterId, clusterId)
    assert.equal(
      (await clientOf(node).workloads()).map(one => one.name),
      ['web'],
    )
  }
  const token = await clientOf(birch).createToken({ kind: 'join', uses: 1 })
  assert.ok(token.token, 'the key of the cluster is there: it makes tokens')
  for (const node of [restored, birch, cedar]) node.kill()
})

test('on a new machine, workloads are placed again', async context => {
  const { cluster, backup } = context
  const fresh = new DemoNode('fresh', '127.0.77.9', join(cluster.directory, 'elsewhere'))
  const taken = await cluster.tutti(fresh, ['restore', backup, '--data', fresh.directory, '--name', 'birch'])
  assert.is(taken.code, 4)
  assert.match(taken.stderr, /the backup has a node birch already/)
  const done = await cluster.tutti(fresh, ['restore', backup, '--data', fresh.directory, '--name', 'fresh'])
  assert.is(done.code, 0, done.stderr)
  cluster.nodes.push(fresh)
  fresh.start({ runtime: 'process', join: null, token: null })
  await fresh.ready(AbortSignal.timeout(30_000))
  await until('the work to be here', 60_000, async () =>
    (await runningOn(fresh)).length === 3 ? true : null,
  )

  const cedar = cluster.node(2)
  const { token } = await clientOf(fresh).createToken({ kind: 'join', uses: 1 })
  const seed = ['--join', fresh.peerAddress, '--token', token]
  const told = await cluster.tutti(cedar, ['repair', '--force', '--data', cedar.directory, ...seed])
  assert.is(told.code, 0, told.stderr)
  cedar.start({ runtime: 'process', join: null, token: null })
  await until('an old node to be back under its name', 60_000, async () => {
    const nodes = await clientOf(fresh).nodes()
    const status = await clientOf(cedar)
      .status()
      .catch(() => null)
    return nodes.find(node => node.name === 'cedar')?.state === 'alive' && status?.hasQuorum ? true : null
  })
})

test.run()
