import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { announce } from '../../node/announce.ts'
import { Failure } from '../../node/errors.ts'
import { foundCluster } from '../../node/founding.ts'
import { type Log, silentLog } from '../../node/log.ts'
import type { NodeFacts, NodeId } from '../../scheduler/index.ts'
import { fakeLog } from '../harness/fake-consensus.ts'
import { virtualClock } from '../harness/virtual-clock.ts'

const factsOf = (id: string, name: string): NodeFacts => ({
  id: id as NodeId,
  name,
  address: '10.0.0.1',
  peerAddress: '10.0.0.1:7701',
  apiAddress: null,
  labels: {},
  capacity: { cpuMillis: 1_000, memoryBytes: 1_000 },
  runtime: 'fake',
  portRange: [20_000, 29_999],
  version: '1',
})

const clusterOf = (...names: readonly string[]) => {
  const log = fakeLog()
  const [first, ...others] = names.map(name => factsOf(`id of ${name}`, name))
  log.commit({ type: 'cluster/Init', atMs: 0, cluster: foundCluster(0), node: first as NodeFacts })
  const hash = 'f'.repeat(64)
  const token = { id: 't', kind: 'join', secretHash: hash, role: 'viewer', labels: {} } as const
  log.commit({ type: 'token/Create', atMs: 0, token: { ...token, uses: 9, expiresAtMs: 1e9 } })
  for (const node of others) log.commit({ type: 'node/Join', atMs: 0, node, tokenId: 't', secretHash: hash })
  return log
}

/** Lets `work` go on whenever the time has moved. */
const passing = async (clock: ReturnType<typeof virtualClock>, ms: number): Promise<void> => {
  for (let passedMs = 0; passedMs < ms; passedMs += 100) {
    await new Promise(resolve => setImmediate(resolve))
    clock.advance(100)
  }
}

const common = { founded: null, admission: null, log: silentLog, isOver: () => false }

test('a name that another node has is refused once and for all, not asked for again and again', async () => {
  const log = clusterOf('ash', 'birch')
  const before = log.state.index
  const welcome = await announce({
    ...common,
    consensus: log.consensus('id of birch'),
    facts: factsOf('id of birch', 'ash'),
    clock: virtualClock(),
  })
  assert.ok(typeof welcome === 'object')
  assert.is(welcome.code, 'E_NAME_TAKEN')
  assert.is(log.state.index, before + 1)
})

test('a node that the cluster does not know is told so', async () => {
  const welcome = await announce({
    ...common,
    consensus: clusterOf('ash').consensus('nobody'),
    facts: factsOf('nobody', 'nobody'),
    clock: virtualClock(),
  })
  assert.ok(typeof welcome === 'object')
  assert.is(welcome.code, 'E_NOT_FOUND')
})

test('a cluster that stays silent is waited for without end, and a person is told once', async () => {
  const consensus = clusterOf('ash', 'birch').consensus('id of birch')
  const clock = virtualClock()
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: message => warnings.push(message) }
  consensus.fail(new Failure('E_NO_QUORUM', 'no quorum'))
  const welcome = announce({ ...common, log, consensus, facts: factsOf('id of birch', 'birch'), clock })
  await passing(clock, 10_000)
  assert.is(warnings.length, 0)
  await passing(clock, 60_000)
  assert.is(warnings.length, 1)
  consensus.fail(null)
  await passing(clock, 1_000)
  assert.is(await welcome, 'known')
})

test('a node that a backup does not know lets itself in once, by what the restored log admits it with', async () => {
  const log = clusterOf('ash')
  const admission = { tokenId: 'restore-1', secretHash: 'e'.repeat(64) }
  const token = { id: admission.tokenId, kind: 'join', secretHash: admission.secretHash } as const
  log.commit({
    type: 'token/Create',
    atMs: 0,
    token: { ...token, role: 'viewer', labels: {}, uses: 1, expiresAtMs: 1e9 },
  })
  const self = {
    ...common,
    admission,
    consensus: log.consensus('new'),
    facts: factsOf('new', 'new'),
    clock: virtualClock(),
  }
  assert.is(await announce(self), 'known')
  assert.is(log.state.nodes.get('new' as NodeId)?.name, 'new')
  assert.is(log.state.tokens.get('restore-1')?.usesLeft, 0)
  assert.is(await announce(self), 'known', 'again after a restart that came too early')
})

test.run()
