import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { id, nodeFacts, SECRET, World } from './fixtures.ts'

const join = (name: string, facts = {}) =>
  ({ type: 'node/Join', node: nodeFacts(name, facts), tokenId: 't2', secretHash: SECRET }) as const

const withToken = (token: object = {}): World => {
  const world = new World().init('ash')
  const row = { id: 't2', kind: 'join', secretHash: SECRET, role: 'viewer', labels: {}, uses: 1 } as const
  return world.ok({ type: 'token/Create', token: { ...row, expiresAtMs: world.nowMs + 1_000, ...token } })
}

test('a cluster is initialised once', () => {
  const world = new World().init('ash')
  const cluster = { id: 'c2', name: 'other', publicKey: 'p', privateKey: 'k', createdAtMs: 0 }
  world.refused({ type: 'cluster/Init', cluster, node: nodeFacts('birch') }, 'E_ALREADY_INITIALISED')
  assert.equal(world.told('cluster'), ['initialised'])
  assert.equal(world.told('node/ash'), ['joined'])
})

test('three, five or seven nodes vote at most, and five when nobody said so', () => {
  const world = new World().init('ash')
  world.refused({ type: 'cluster/SetVoters', votersMax: 4 }, 'E_INVALID')
  world.refused({ type: 'cluster/SetVoters', votersMax: 9 }, 'E_INVALID')
  assert.is(world.state.cluster?.votersMax, undefined)
  for (const votersMax of [5, 7, 7, 3]) world.ok({ type: 'cluster/SetVoters', votersMax })
  assert.is(world.state.cluster?.votersMax, 3)
  assert.equal(world.told('cluster'), ['initialised', 'changed', 'changed'])
})

test('a join spends one use of the token, and a repeated join of the same node none', () => {
  const world = withToken({ uses: 2 }).ok(join('birch')).ok(join('birch'))
  assert.is(world.state.tokens.get('t2')?.usesLeft, 1)
  assert.equal(world.told('node/birch'), ['joined'])
})

test('a token with no use left, expired, revoked or unknown admits nobody', () => {
  withToken().ok(join('birch')).refused(join('cedar'), 'E_JOIN_TOKEN_SPENT')
  const late = withToken()
  late.wait(1_000)
  late.refused(join('birch'), 'E_JOIN_TOKEN_EXPIRED')
  withToken().ok({ type: 'token/Revoke', id: 't2' }).refused(join('birch'), 'E_JOIN_TOKEN_REVOKED')
  withToken().refused({ ...join('birch'), secretHash: 'guess' }, 'E_JOIN_TOKEN_UNKNOWN')
  withToken().refused({ ...join('birch'), tokenId: 'guess' }, 'E_JOIN_TOKEN_UNKNOWN')
})

test('an api token admits no node', () => {
  withToken({ kind: 'api', uses: null }).refused(join('birch'), 'E_JOIN_TOKEN_UNKNOWN')
})

test('a wrong secret is not told whether the token is spent or revoked', () => {
  const world = withToken().ok({ type: 'token/Revoke', id: 't2' })
  world.refused({ ...join('birch'), secretHash: 'guess' }, 'E_JOIN_TOKEN_UNKNOWN')
})

test('a node receives the labels of its token and keeps them over its own updates', () => {
  const world = withToken({ labels: { zone: 'eu' } }).ok(
    join('birch', { labels: { zone: 'us', disk: 'ssd' } }),
  )
  assert.equal(world.node('birch').labels, { zone: 'eu', disk: 'ssd' })
  world.ok({ type: 'node/Update', node: nodeFacts('birch', { labels: { zone: 'us' } }) })
  assert.equal(world.node('birch').labels, { zone: 'eu' })
})

test('a token is created once, with at least one use, and revoked by id', () => {
  const world = withToken()
  const token = {
    id: 't2',
    kind: 'join',
    secretHash: 'x',
    role: 'viewer',
    labels: {},
    uses: 1,
    expiresAtMs: 1,
  } as const
  world.refused({ type: 'token/Create', token }, 'E_CONFLICT')
  world.refused({ type: 'token/Create', token: { ...token, id: 't3', uses: 0 } }, 'E_INVALID')
  world.refused({ type: 'token/Revoke', id: 't3' }, 'E_NOT_FOUND')
  world.ok({ type: 'token/Revoke', id: 't2' }).ok({ type: 'token/Revoke', id: 't2' })
  assert.equal(world.told('token/t2'), ['created', 'revoked'])
})

test('a name in use is refused, and free again after its node has left', () => {
  const world = withToken({ uses: 9 })
  const other = { ...join('ash'), node: nodeFacts('ash', { id: id('other') }) }
  world.refused(other, 'E_NAME_TAKEN')
  world.ok({ type: 'node/Leave', id: id('ash') }).ok(other)
})

test('nonsense in the facts of a node is refused', () => {
  withToken().refused(join('birch', { portRange: [9, 8] }), 'E_INVALID')
  withToken().refused(join('birch', { capacity: { cpuMillis: -1, memoryBytes: 0 } }), 'E_INVALID')
})

test.run()
