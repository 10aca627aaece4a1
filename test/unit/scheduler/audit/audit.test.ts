/** The audit trails: who did what, in a chain that shows every change, within limits that no stranger can use up. */
import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { AUDIT_KEPT_MAX } from '../../../../scheduler/audit/trail.ts'
import {
  type Actor,
  type AuditRecord,
  CHAIN_START,
  digestOf,
  headOf,
  NOTES_MAX,
  type Note,
  recordOf,
  restoreState,
  snapshotOf,
  type Trail,
} from '../../../../scheduler/index.ts'
import { id, nodeFacts, SECRET, spec, World } from '../fixtures.ts'

const BY: Actor = { who: 'token/t9', from: '10.0.0.9', node: id('ash') }

const records = (trail: Trail): readonly AuditRecord[] => [...trail.rows.values()].map(recordOf)

/** With the platform's own hash, as somebody would who keeps the trail elsewhere. */
const headByHand = (trail: Trail): string =>
  [...trail.rows.values()].reduce(
    (before, row) =>
      createHash('sha256')
        .update(`${before}\n${row.slice(65)}`)
        .digest('hex'),
    trail.anchor,
  )

/** A cluster whose trail has begun. */
const begun = (...names: string[]): World => {
  const world = new World().init(...names)
  const by = { who: 'local', from: null, node: id('ash') }
  world.do({ type: 'cluster/SetVoters', votersMax: 7 }, 'begin', world.state.index, by)
  return world
}

const note = (facts: Partial<Note> = {}): Note => ({
  trail: 'tried',
  seenAtMs: 5,
  who: 'unknown',
  from: '10.9.9.9',
  action: 'login',
  target: '',
  detail: '',
  outcome: 'E_AUTH',
  ...facts,
})

test('a write names who asked for it, from where, through which node, and what became of it', () => {
  const world = new World().init('ash')
  const token = {
    id: 't9',
    kind: 'api',
    secretHash: SECRET,
    role: 'operator',
    labels: {},
    uses: null,
  } as const
  world.ok({ type: 'token/Create', token: { ...token, expiresAtMs: 1e15, name: 'ci' } })
  world.do({ type: 'workload/Apply', spec: spec({ count: 2 }), checkIndex: null }, 'r-7', 1, BY)
  world.do({ type: 'workload/Scale', name: 'wbe', count: 1 }, 'r-8', 1, BY)
  const [applied, scaled] = records(world.state.audit.done).slice(-2)
  assert.equal(applied, {
    number: 1,
    index: 4,
    atMs: world.nowMs,
    who: 'token/t9',
    name: 'ci',
    from: '10.0.0.9',
    node: 'ash',
    action: 'workload/Apply',
    target: 'workload/web',
    detail: 'service, 2 wanted',
    outcome: 'ok',
    requestId: 'r-7',
  })
  assert.equal([scaled?.target, scaled?.outcome], ['workload/wbe', 'E_NOT_FOUND'])
})

test('the trail begins with the first entry that names somebody, as entries of older versions do not', () => {
  const world = new World().init('ash').apply({})
  assert.is(world.state.audit.done.next, 1)
  world.do({ type: 'workload/Stop', name: 'web' }, 'r', world.state.index, BY)
  assert.is(records(world.state.audit.done)[0]?.action, 'workload/Stop')
})

test('a retry is no second act, and what the cluster concludes by itself is nobody’s', () => {
  const world = begun('ash').apply({ count: 2 })
  const before = world.state.audit.done.next
  world.do({ type: 'workload/Stop', name: 'web' }, 'once', 1, BY)
  world.do({ type: 'workload/Stop', name: 'web' }, 'once', 1, BY)
  assert.is(world.state.audit.done.next, before + 1)
  world.settle().verdict('ash', 'dead')
  assert.is(world.state.audit.done.next, before + 1)
})

test('a node that joins or comes back is on record without an actor', () => {
  const world = begun('ash')
    .join('birch')
    .ok({ type: 'node/Update', node: nodeFacts('birch') })
  assert.equal(
    records(world.state.audit.done).map(({ action, who, node }) => [action, who, node]),
    [
      ['cluster/SetVoters', 'local', 'ash'],
      ['node/Join', 'token/t1', 'birch'],
      ['node/Update', 'node', 'birch'],
    ],
  )
})

test('the chain can be followed by anybody, and shows any change', () => {
  const world = begun('ash').apply({})
  const { done } = world.state.audit
  assert.is(done.anchor, CHAIN_START)
  assert.is(headByHand(done), headOf(done))
  for (const number of done.rows.keys()) {
    const rows = new Map(done.rows)
    rows.set(number, (rows.get(number) as string).replace('"ok"', '"no"'))
    assert.is.not(headByHand({ ...done, rows }), headOf(done))
    rows.delete(number)
    assert.is.not(headByHand({ ...done, rows }), headOf(done))
  }
})

test('the oldest records go, the chain goes on from the last that went', () => {
  const world = begun('ash').apply({})
  const heads = new Map<number, string>()
  for (let count = 0; count < AUDIT_KEPT_MAX.done + 10; count++) {
    world.ok({ type: 'workload/Scale', name: 'web', count: count % 2 })
    heads.set(world.state.audit.done.next - 1, headOf(world.state.audit.done))
  }
  const { done } = world.state.audit
  assert.is(done.rows.size, AUDIT_KEPT_MAX.done)
  const [oldest] = done.rows.keys()
  assert.is(done.anchor, heads.get((oldest as number) - 1))
  assert.is(headByHand(done), headOf(done))
})

test('what strangers try has a trail of its own and pushes out nothing that was done', () => {
  const world = begun('ash').apply({})
  const before = world.state.audit.done
  const kept = before.rows.size
  const notes = Array.from({ length: NOTES_MAX }, () => note())
  for (let round = 0; round * NOTES_MAX < 2 * AUDIT_KEPT_MAX.tried; round++)
    world.ok({ type: 'audit/Note', node: id('ash'), notes })
  assert.is(world.state.audit.done.rows.size, kept)
  assert.is(world.state.audit.tried.rows.size, AUDIT_KEPT_MAX.tried)
  assert.is(headByHand(world.state.audit.tried), headOf(world.state.audit.tried))
  const [last] = records(world.state.audit.tried).slice(-1)
  assert.equal([last?.action, last?.outcome, last?.from, last?.node], ['login', 'E_AUTH', '10.9.9.9', 'ash'])
})

test('too many notes at once, or for no trail, are refused', () => {
  const world = new World().init('ash')
  const many = Array.from({ length: NOTES_MAX + 1 }, () => note())
  world.refused({ type: 'audit/Note', node: id('ash'), notes: many }, 'E_INVALID')
  const lost = note({ trail: 'other' as 'done' })
  world.refused({ type: 'audit/Note', node: id('ash'), notes: [lost] }, 'E_INVALID')
  assert.is(world.state.audit.tried.next, 1)
})

test('what comes from outside cannot make a record long, nor look like two', () => {
  const world = new World().init('ash')
  const text = `x"}\n${'y'.repeat(10_000)}`
  world.ok({ type: 'audit/Note', node: id('ash'), notes: [note({ who: text, detail: text, from: text })] })
  const [row] = [...world.state.audit.tried.rows.values()]
  assert.ok((row as string).length < 2_000 && !(row as string).includes('\n'))
  assert.is(recordOf(row as string).who.length, 256)
})

test('trails survive a snapshot; one of before there were any begins anew', () => {
  const world = begun('ash').apply({})
  world.ok({ type: 'audit/Note', node: id('ash'), notes: [note()] })
  const data = JSON.parse(JSON.stringify(snapshotOf(world.state)))
  const copy = new World(restoreState(data))
  assert.equal(copy.state.audit, world.state.audit)
  for (const each of [world, copy]) each.do({ type: 'workload/Stop', name: 'web' }, 'r', 0, BY)
  assert.is(digestOf(copy.state), digestOf(world.state))
  const { audit: _absent, ...former } = data
  assert.is(headOf(restoreState(former).audit.done), CHAIN_START)
  for (const broken of [{ anchor: 'x' }, { next: 0 }, { rows: Array(5_000).fill('') }])
    assert.throws(() =>
      restoreState({ ...data, audit: { ...data.audit, done: { ...data.audit.done, ...broken } } }),
    )
})

test.run()
