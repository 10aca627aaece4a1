/** A leader whose disk answers EIO to fsync: it says so and never tries again, its work runs on, the cluster goes on. */
import { readdirSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DemoNode } from '../../../cli/demo/demo-node.ts'
import { buildFailingFsync, type FailingFsync } from '../../harness/failing-fsync.ts'
import { LocalCluster } from '../../harness/local-cluster.ts'
import { until } from '../../harness/run-command.ts'

const test = suite<{ cluster: LocalCluster; disk: FailingFsync }>('failing fsync')

test.before(async context => {
  context.disk = buildFailingFsync()
  process.env.LD_PRELOAD = context.disk.library
  context.cluster = await LocalCluster.start(3)
})

test.after(async ({ cluster, disk }) => {
  delete process.env.LD_PRELOAD
  await cluster?.stop()
  disk?.dispose()
})

const write = async (cluster: LocalCluster, node: DemoNode, name: string): Promise<boolean> => {
  const args = ['run', '--name', name, '--count', '0', '--detach', '--timeout', '4s', '--', 'true']
  return (await cluster.tutti(node, args)).code === 0
}

const items = async <Item>(cluster: LocalCluster, node: DemoNode, what: string): Promise<readonly Item[]> => {
  const done = await cluster.tutti(node, [what, '-o', 'json', '--timeout', '3s'])
  return done.stdout === '' ? [] : (JSON.parse(done.stdout) as { items: Item[] }).items
}

const names = async (cluster: LocalCluster, node: DemoNode): Promise<readonly string[]> =>
  (await items<{ name: string }>(cluster, node, 'jobs')).map(({ name }) => name)

const leaderSeenBy = async (node: DemoNode): Promise<string | null> =>
  (await node.client(AbortSignal.timeout(3_000)).status()).leader

/** Pids of `sleep 7341`, of which each node runs one. */
const sleepers = (): readonly string[] => {
  const found: string[] = []
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      if (words[0]?.endsWith('sleep') === true && words[1] === '7341') found.push(pid)
    } catch {
      // Ended in the meantime.
    }
  }
  return found.sort()
}

test('one failed fsync ends its part in the cluster, and nothing else', async ({ cluster, disk }) => {
  const [first, second] = [cluster.node(0), cluster.node(1)]
  const { directory } = first
  const run = ['run', '--name', 'sleeper', '--count', '3', '--timeout', '30s', '--', 'sleep', '7341']
  const started = await cluster.tutti(first, run)
  assert.is(started.code, 0, started.stderr)
  assert.is(sleepers().length, 3)
  const before = sleepers()
  assert.is(await leaderSeenBy(first), first.name)

  disk.fail(directory)
  const acknowledged: string[] = []
  await until('three writes to be accepted without that node', 60_000, async () => {
    const name = `during-${acknowledged.length}`
    if (await write(cluster, second, name)) acknowledged.push(name)
    return acknowledged.length >= 3 ? true : null
  })
  assert.ok([second.name, cluster.node(2).name].includes(String(await leaderSeenBy(second))))
  assert.is(disk.failures(directory), 1, 'a failed fsync is never tried again')
  assert.not(first.hasEnded(), 'the node lives on for the sake of its containers')
  assert.equal(sleepers(), before, 'the containers run on')
  await says(cluster, first)

  // That fsync works again proves nothing about what was written before: only a person may decide.
  disk.heal(directory)
  assert.not((await names(cluster, first)).some(name => acknowledged.includes(name)))
  await first.stop()
  first.start({ runtime: 'process', join: null, token: null })
  await first.ready(AbortSignal.timeout(60_000))
  await until('the node to have every acknowledged write', 60_000, async () => {
    const known = await names(cluster, first)
    return acknowledged.every(name => known.includes(name)) ? true : null
  })
})

/** In its log and to whoever asks it. */
const says = async (cluster: LocalCluster, node: DemoNode): Promise<void> => {
  const log = readFileSync(`${node.directory}.log`, 'utf8')
  assert.match(log, /this node votes and writes no more/)
  assert.match(log, /E_DISK_FAILED/)
  const checks = await items<{ check: string; state: string; text: string }>(cluster, node, 'doctor')
  const disk = checks.find(({ check, state }) => check === 'disk' && state === 'failure')
  assert.match(disk?.text ?? JSON.stringify(checks), /the disk failed on .*raft\.db/)
}

test.run()
