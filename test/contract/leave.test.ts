/** Leaving for good, with real processes: whoever leaves hears that it was heard, and its machine may begin anew. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LocalCluster } from '../harness/local-cluster.ts'

const WITHIN_MS = 20_000
const soon = () => AbortSignal.timeout(WITHIN_MS)

const until = async (isSo: () => boolean): Promise<void> => {
  const deadlineMs = performance.now() + WITHIN_MS
  while (!isSo()) {
    assert.ok(performance.now() < deadlineMs, 'in time')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

test('a node that leaves is told so, ends, and its data directory serves a new member', async () => {
  const cluster = await LocalCluster.start(4)
  try {
    const [ash, doug] = [cluster.node(0), cluster.node(3)]
    await doug.client(soon()).leave()
    await until(() => doug.hasEnded())
    assert.not.ok(existsSync(join(doug.directory, 'node.json')), 'it has forgotten the cluster')
    const nodes = await ash.client(soon()).nodes()
    assert.is(nodes.find(node => node.name === 'doug')?.state, 'left')
    const token = await cluster.createToken(1)
    doug.start({ runtime: 'process', join: ash.peerAddress, token })
    const status = await doug.ready(soon())
    assert.is(status.nodes.alive, 4)
  } finally {
    await cluster.stop()
  }
})

test.run()
