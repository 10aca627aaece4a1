/** Starts that come to nothing: on a data directory in use, under a name that is taken, interrupted. They change nothing. */
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { DemoNode } from '../../cli/demo/demo-node.ts'
import { foundCluster } from '../../node/founding.ts'
import { createToken } from '../../node/membership/token.ts'
import { LocalCluster } from '../harness/local-cluster.ts'
import { run } from '../harness/run-command.ts'

const LAUNCHER = fileURLToPath(new URL('../../cli/bin.mjs', import.meta.url))
const soon = () => AbortSignal.timeout(20_000)

let cluster: LocalCluster
test.before(async () => {
  cluster = await LocalCluster.start(2)
})
test.after(() => cluster.stop())

const recordOf = (node: DemoNode): string => readFileSync(path.join(node.directory, 'node.json'), 'utf8')

/** `tutti start` in the node's directory until it ends by itself. */
const startIn = (node: DemoNode, flags: readonly string[]) =>
  run(process.execPath, [LAUNCHER, 'start', '--data', node.directory, '--api', 'off', ...flags], {
    timeoutMs: 20_000,
    env: { ...process.env, NO_COLOR: '1' },
  })

test('a second program in one data directory is refused before it touches anything', async () => {
  const birch = cluster.node(1)
  const before = recordOf(birch)
  const { code, stderr } = await startIn(birch, ['--name', 'impostor', '--listen', '127.0.77.9:7701'])
  assert.match(stderr, 'E_CONFLICT')
  assert.is(code, 4)
  assert.is(recordOf(birch), before)
  assert.is((await birch.client(soon()).status()).node, 'birch')
})

test('a node that starts again under a name that is taken says so and ends; without it, it is itself again', async () => {
  const birch = cluster.node(1)
  await birch.stop()
  const before = recordOf(birch)
  const { code, stderr } = await startIn(birch, ['--name', 'ash', '--listen', birch.peerAddress])
  assert.match(stderr, 'another node is named ash')
  assert.is(code, 1)
  assert.is(recordOf(birch), before)
  birch.start({ runtime: 'process', join: null, token: null })
  assert.is((await birch.ready(soon())).node, 'birch')
})

test('a member whose log is gone does not vote again as if it had promised nothing', async () => {
  const birch = cluster.node(1)
  await birch.stop()
  for (const name of ['raft.db', 'raft.db-wal', 'raft.tail', 'snapshots'])
    rmSync(path.join(birch.directory, name), { recursive: true, force: true })
  const { code, stderr } = await startIn(birch, ['--listen', birch.peerAddress])
  assert.match(stderr, 'E_DISK_DAMAGED')
  assert.is(code, 1)
})

test('a start that waits for others ends at once when it is asked to', async () => {
  const asked = Promise.withResolvers<void>()
  const silent = createServer(socket => {
    socket.on('error', () => undefined)
    asked.resolve()
  })
  await new Promise<void>(resolve => silent.listen(0, '127.0.77.9', resolve))
  const join = `127.0.77.9:${(silent.address() as AddressInfo).port}`
  const { text } = createToken(foundCluster(0).publicKey)
  const data = path.join(cluster.directory, 'late')
  const flags = ['--join', join, '--data', data, '--api', 'off', '--listen', '127.0.77.9:0']
  const child = spawn(process.execPath, [LAUNCHER, 'start', ...flags], {
    stdio: 'ignore',
    env: { ...process.env, TUTTI_TOKEN: text },
  })
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
  try {
    await asked.promise
    const sinceMs = performance.now()
    child.kill('SIGTERM')
    assert.is(await ended, 143)
    assert.ok(performance.now() - sinceMs < 2_000, 'at once')
  } finally {
    child.kill('SIGKILL')
    silent.close()
  }
})

test.run()
