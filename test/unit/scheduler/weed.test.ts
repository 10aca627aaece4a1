/** Rows that nobody needs go after a while, and what they guarded stays guarded. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { departedOf, digestOf, restoreState, snapshotOf } from '../../../scheduler/index.ts'
import { DEPARTED_KEPT_MAX } from '../../../scheduler/tables.ts'
import { id, nodeFacts, SECRET, World } from './fixtures.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const token = (name: string, facts: { uses?: number | null; lifeMs?: number } = {}, world = new World()) =>
  ({
    type: 'token/Create',
    token: {
      id: name,
      kind: 'join',
      secretHash: SECRET,
      role: 'viewer',
      labels: {},
      uses: facts.uses ?? 1,
      expiresAtMs: world.nowMs + (facts.lifeMs ?? 400 * DAY_MS),
    },
  }) as const

/** A command that changes nothing but time. */
const tick = (world: World, ms: number): World => {
  world.wait(ms)
  return world.ok({ type: 'node/Update', node: nodeFacts('ash') })
}

const tokens = (world: World): string[] => [...world.state.tokens.keys()].filter(name => name !== 't1')

test('a token goes seven days after it was spent, revoked or expired, and not before', () => {
  const world = new World().init('ash')
  world
    .ok(token('spent'))
    .ok(token('revoked'))
    .ok(token('expired', { lifeMs: HOUR_MS }))
    .ok(token('good'))
  world.ok({ type: 'node/Join', node: nodeFacts('birch'), tokenId: 'spent', secretHash: SECRET })
  world.ok({ type: 'token/Revoke', id: 'revoked' })
  tick(world, 7 * DAY_MS - 1)
  assert.equal(tokens(world), ['spent', 'revoked', 'expired', 'good'])
  tick(world, 1)
  assert.equal(tokens(world), ['expired', 'good'])
  tick(world, HOUR_MS)
  assert.equal(tokens(world), ['good'])
})

test('a spent token that is revoked later ended when it was spent', () => {
  const world = new World().init('ash').ok(token('spent'))
  world.ok({ type: 'node/Join', node: nodeFacts('birch'), tokenId: 'spent', secretHash: SECRET })
  const spentAtMs = world.nowMs
  world.wait(DAY_MS)
  world.ok({ type: 'token/Revoke', id: 'spent' })
  assert.is(world.state.tokens.get('spent')?.endedAtMs, spentAtMs)
})

test('a node that left is listed for a day, and refused for good', () => {
  const world = new World().init('ash', 'birch').ok({ type: 'node/Leave', id: id('birch') })
  tick(world, DAY_MS - 1)
  assert.is(world.node('birch').state, 'left')
  tick(world, 1)
  assert.is(world.node('birch'), undefined)
  assert.is(departedOf(world.state, id('birch'))?.name, 'birch')
  const node = nodeFacts('birch')
  world.refused({ type: 'node/Join', node, tokenId: 't1', secretHash: SECRET }, 'E_NODE_LEFT')
  world.refused({ type: 'node/Update', node }, 'E_NODE_LEFT')
  world.refused({ type: 'node/Verdict', id: node.id, state: 'alive', reason: '' }, 'E_NODE_LEFT')
  world.refused({ type: 'node/Activate', id: node.id }, 'E_NODE_LEFT')
  world.ok({ type: 'node/Leave', id: node.id })
})

test('a node stays listed while a kept pod ran on it', () => {
  const world = new World().init('ash', 'birch').apply({ count: 2 }).settle()
  world.ok({ type: 'node/Leave', id: id('birch') }).settle()
  tick(world, 2 * DAY_MS)
  assert.is(world.node('birch').state, 'left')
  world.ok({ type: 'workload/Remove', name: 'web' }).settle()
  tick(world, 1)
  assert.is(world.node('birch'), undefined)
})

test('who has departed is in the snapshot and in the digest', () => {
  const world = new World().init('ash', 'birch').ok({ type: 'node/Leave', id: id('birch') })
  tick(world, DAY_MS)
  const copy = restoreState(JSON.parse(JSON.stringify(snapshotOf(world.state))))
  assert.equal(copy.departed, world.state.departed)
  assert.is(digestOf(copy), digestOf(world.state))
  assert.is.not(digestOf(restoreState({ ...snapshotOf(world.state), departed: [] })), digestOf(world.state))
})

test('the memory of departed nodes is bounded and forgets the oldest', () => {
  const base = snapshotOf(new World().init('ash', 'birch').ok({ type: 'node/Leave', id: id('birch') }).state)
  const departed = Array.from({ length: DEPARTED_KEPT_MAX }, (_, number) => [`old-${number}`, 'old'])
  const world = new World(restoreState({ ...base, departed }))
  tick(world, DAY_MS)
  assert.is(world.state.departed.size, DEPARTED_KEPT_MAX)
  assert.not(world.state.departed.has('old-0' as never))
  assert.ok(world.state.departed.has(id('birch')))
})

test('plans and reports weed nothing', () => {
  const world = new World().init('ash', 'birch').ok({ type: 'node/Leave', id: id('birch') })
  world.wait(DAY_MS)
  world.ok({ type: 'plan/Apply', plan: { basedOnIndex: world.state.index, changes: [] } })
  world.ok({ type: 'pod/Report', node: id('ash'), reports: [] })
  assert.is(world.node('birch').state, 'left')
})

test.run()
