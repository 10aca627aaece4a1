import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { apply, REQUESTS_KEPT_MAX, restoreState, snapshotOf } from '../../../scheduler/index.ts'
import { constraint, spec, World } from './fixtures.ts'

const generation = (world: World): number | undefined => world.state.workloads.get('web')?.generation

test('a change of the pod replaces pods; a change of count, place, restart or update does not', () => {
  const world = new World().init('ash').apply()
  world.apply({ count: 5 })
  world.apply({ place: { strategy: 'binpack', constraints: [], spread: [], maxPerNode: 2 } })
  world.apply({ restart: { policy: 'never', backoffMs: 1, backoffMsMax: 2, attemptsMax: 3 } })
  world.apply({ update: { parallelism: 2, order: 'start-first' } })
  assert.is(generation(world), 1)
  world.apply({}, { image: 'nginx:2' })
  assert.is(generation(world), 2)
})

test('an equal spec, with its keys in another order, changes nothing', () => {
  const world = new World().init('ash').apply({}, { env: { A: '1', B: '2' } })
  const before = world.state.workloads.get('web')
  world.apply({}, { env: { B: '2', A: '1' } })
  assert.is(world.state.workloads.get('web'), before)
  assert.equal(world.told('workload/web'), ['created'])
})

test('checkIndex refuses to overwrite what somebody else changed', () => {
  const world = new World().init('ash')
  world.refused({ type: 'workload/Apply', spec: spec(), checkIndex: 3 }, 'E_CONFLICT')
  world.ok({ type: 'workload/Apply', spec: spec(), checkIndex: 0 })
  const seen = world.state.index
  world.refused({ type: 'workload/Apply', spec: spec({ count: 2 }), checkIndex: 0 }, 'E_CONFLICT')
  world.ok({ type: 'workload/Apply', spec: spec({ count: 2 }), checkIndex: seen })
  world.refused({ type: 'workload/Apply', spec: spec({ count: 4 }), checkIndex: seen }, 'E_CONFLICT')
})

test('what the scheduler notes about pending slots is no change of the workload', () => {
  const world = new World().init('ash').apply({
    place: {
      strategy: 'spread',
      constraints: [constraint('zone', '==', 'eu')],
      spread: [],
      maxPerNode: null,
    },
  })
  const seen = world.state.index
  world.step()
  assert.is(world.state.workloads.get('web')?.pending.length, 3)
  world.ok({ type: 'workload/Apply', spec: spec({ count: 1 }), checkIndex: seen })
})

test('an impossible spec and a change of kind are refused', () => {
  const world = new World().init('ash').apply()
  world.refused({ type: 'workload/Apply', spec: spec({ name: 'Web' }), checkIndex: null }, 'E_INVALID')
  world.refused({ type: 'workload/Apply', spec: spec({ kind: 'batch' }), checkIndex: null }, 'E_INVALID')
})

test('scaling refuses unknown, global and nonsense, and tells from and to', () => {
  const world = new World().init('ash').apply().apply({ name: 'agent', kind: 'global' })
  world.refused({ type: 'workload/Scale', name: 'nobody', count: 1 }, 'E_NOT_FOUND')
  world.refused({ type: 'workload/Scale', name: 'agent', count: 1 }, 'E_INVALID')
  world.refused({ type: 'workload/Scale', name: 'web', count: -1 }, 'E_INVALID')
  world.refused({ type: 'workload/Scale', name: 'web', count: 1.5 }, 'E_INVALID')
  world
    .ok({ type: 'workload/Scale', name: 'web', count: 7 })
    .ok({ type: 'workload/Scale', name: 'web', count: 7 })
  assert.equal(world.told('workload/web'), ['created', 'scaled'])
})

test('stop, restart and remove of a workload that is not there are refused', () => {
  const world = new World().init('ash')
  for (const type of ['workload/Stop', 'workload/Restart', 'workload/Remove'] as const)
    world.refused({ type, name: 'web' }, 'E_NOT_FOUND')
})

test('the pods of a removed workload stop, and are forgotten once they have ended', () => {
  const world = new World().init('ash').apply().settle()
  world.report(world.slot('web.1'), { state: 'failed' }).ok({ type: 'workload/Remove', name: 'web' })
  assert.is(world.pods('web').length, 2)
  assert.ok(world.live('web').every(pod => pod.desired === 'stopped'))
  world.settle()
  assert.is(world.pods('web').length, 0)
  assert.is(world.state.podsByWorkload.size + world.state.podsBySlot.size + world.state.podsByNode.size, 0)
})

test('a workload created again at once does not take over the pods of the removed one', () => {
  const world = new World().init('ash').apply({ count: 1 }).settle()
  const old = world.slot('web.1')
  world.ok({ type: 'workload/Remove', name: 'web' }).apply({ count: 1 })
  assert.ok(generation(world)! > old.generation)
  world.step()
  assert.is(world.live('web').length, 1, 'the slot is held until the old pod has ended')
  world.settle()
  assert.is.not(world.slot('web.1').id, old.id)
})

test('a repeated request gets the first outcome and is not applied again', () => {
  const world = new World().init('ash')
  const first = world.do({ type: 'workload/Apply', spec: spec(), checkIndex: 0 }, 'once')
  const again = world.do({ type: 'workload/Apply', spec: spec(), checkIndex: 0 }, 'once')
  assert.ok(first.ok)
  assert.is(again, first)
})

test('the memory of requests is bounded and forgets the oldest', () => {
  const world = new World().init('ash')
  for (let i = 0; i < REQUESTS_KEPT_MAX; i++)
    world.do({ type: 'workload/Stop', name: 'nobody' }, `request ${i}`)
  assert.is(world.state.requests.size, REQUESTS_KEPT_MAX)
  assert.not(world.state.requests.has('r1'))
  assert.ok(world.state.requests.has('request 0'))
  for (let i = 0; i < 2 * REQUESTS_KEPT_MAX; i++)
    world.do({ type: 'workload/Stop', name: 'nobody' }, `later ${i}`)
  const kept = Array.from({ length: REQUESTS_KEPT_MAX }, (_, i) => `later ${REQUESTS_KEPT_MAX + i}`)
  assert.equal([...world.state.requests.keys()], kept)
})

const writeMuch = (world: World): void => {
  for (let i = 0; i <= REQUESTS_KEPT_MAX; i++)
    world.do({ type: 'workload/Stop', name: 'nobody' }, `much ${i}`)
}

test('a node that stood still for very long does not have its write applied twice', () => {
  const world = new World().init('ash')
  const afterIndex = world.state.index
  const mine = { type: 'workload/Apply', spec: spec({ count: 1 }), checkIndex: null } as const
  assert.ok(world.do(mine, 'mine', afterIndex).ok)
  world.apply({ count: 2 })
  writeMuch(world)
  const eventCount = world.events.length
  const again = world.do(mine, 'mine', afterIndex)
  assert.is(again.ok ? 'ok' : again.refusal.code, 'E_TIMEOUT')
  assert.is(world.state.workloads.get('web')?.spec.count, 2, 'what was written since stands')
  assert.is(world.events.length, eventCount)
  assert.not(world.state.requests.has('mine'), 'a client that asks anew is not held to it')
})

test('what was forgotten is forgotten after a snapshot, too, and old requests without a place are taken', () => {
  const world = new World().init('ash')
  const afterIndex = world.state.index
  writeMuch(world)
  const copy = new World(restoreState(snapshotOf(world.state)))
  assert.is(copy.state.forgottenIndex, world.state.forgottenIndex)
  assert.not(copy.do({ type: 'workload/Apply', spec: spec(), checkIndex: null }, 'late', afterIndex).ok)
  const command = { type: 'workload/Apply', spec: spec(), checkIndex: null, atMs: 1 } as const
  const at = { index: copy.state.index + 1, term: 1 }
  assert.ok(apply(copy.state, { requestId: 'of an old version', command }, at).outcome.ok)
})

test.run()
