/** A leader whose disk is full steps back and says so; the cluster goes on, and with room again so does the node. */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DemoNode } from '../../cli/demo/demo-node.ts'
import { LocalCluster } from '../harness/local-cluster.ts'
import { attempt, must, until } from '../harness/run-command.ts'

const test = suite<{ cluster: LocalCluster; disk: string }>('full disk')
const DISK = '24m'

test.before(async context => {
  // The first node founds the cluster and so leads it; its data directory is a small disk of its own.
  context.cluster = LocalCluster.create()
  const first = context.cluster.prepare()
  mkdirSync(first.directory)
  must('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=700`, 'tmpfs', first.directory])
  context.disk = first.directory
  context.cluster.undo.push(() => attempt('umount', ['-l', first.directory]))
  await context.cluster.launch(3)
})

test.after(async context => {
  await context.cluster?.stop()
})

/** Writes until there is no byte left; the returned function makes room again. */
const fill = (directory: string): (() => void) => {
  const path = join(directory, 'ballast')
  const file = openSync(path, 'w')
  try {
    for (let bytes = 1024 * 1024; bytes >= 1; ) {
      try {
        writeSync(file, Buffer.alloc(bytes))
      } catch {
        bytes = Math.floor(bytes / 2)
      }
    }
  } finally {
    closeSync(file)
  }
  return () => rmSync(path)
}

const write = async (cluster: LocalCluster, node: DemoNode, name: string): Promise<boolean> =>
  (
    await cluster.tutti(node, [
      'run',
      '--name',
      name,
      '--count',
      '0',
      '--detach',
      '--timeout',
      '4s',
      '--',
      'true',
    ])
  ).code === 0

const leaderSeenBy = async (node: DemoNode): Promise<string | null> =>
  (await node.client(AbortSignal.timeout(3_000)).status()).leader

const workloads = async (cluster: LocalCluster, node: DemoNode): Promise<readonly string[]> => {
  const done = await cluster.tutti(node, ['jobs', '-o', 'json', '--timeout', '3s'])
  return done.code === 0
    ? (JSON.parse(done.stdout) as { items: { name: string }[] }).items.map(item => item.name)
    : []
}

test('the cluster goes on without the full node, and takes it back', async ({ cluster, disk }) => {
  const [first, second] = [cluster.node(0), cluster.node(1)]
  assert.is(await write(cluster, second, 'before'), true)
  assert.is(await leaderSeenBy(first), first.name)
  const makeRoom = fill(disk)
  const acknowledged: string[] = ['before']
  // The last write that still found room may have been one of these.
  await until('another node to lead', 60_000, async () => {
    const name = `during-${acknowledged.length}`
    if (await write(cluster, second, name)) acknowledged.push(name)
    const leader = await leaderSeenBy(second)
    return leader === null || leader === first.name ? null : true
  })
  const others = acknowledged.length
  await until('three writes to be accepted without the full node', 60_000, async () => {
    const name = `during-${acknowledged.length}`
    if (await write(cluster, second, name)) acknowledged.push(name)
    return acknowledged.length >= others + 3 ? true : null
  })
  assert.is(first.hasEnded(), false, 'the full node lives on')
  assert.is.not(await leaderSeenBy(second), first.name, 'and leads no more')
  await says(cluster, first)
  makeRoom()
  await until('the node to have every acknowledged write', 60_000, async () => {
    const known = await workloads(cluster, first)
    return acknowledged.every(name => known.includes(name)) ? true : null
  })
})

/** In its log and to whoever asks it. */
const says = async (cluster: LocalCluster, node: DemoNode): Promise<void> => {
  const log = readFileSync(`${node.directory}.log`, 'utf8')
  assert.match(log, /this node votes and writes no more/)
  assert.match(log, /E_DISK_FULL/)
  const done = await cluster.tutti(node, ['doctor', '-o', 'json'])
  assert.match(done.stdout, /no space left to write/)
}

test.run()
