import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { advance, digestOf, emptyState, restoreState, snapshotOf } from '../../../scheduler/index.ts'
import { World } from './fixtures.ts'

const busy = (): World =>
  new World().init('ash', 'birch').apply({ count: 5 }).settle().verdict('ash', 'dead').settle()

test('an empty state restores to an empty state', () => {
  assert.equal(restoreState(snapshotOf(emptyState())), emptyState())
})

test('a snapshot is plain data and restores to the same digest, plan and outcomes', () => {
  const world = busy().ok({ type: 'workload/Scale', name: 'web', count: 7 })
  const copy = new World(restoreState(JSON.parse(JSON.stringify(snapshotOf(world.state)))))
  copy.nowMs = world.nowMs
  assert.is(digestOf(copy.state), digestOf(world.state))
  assert.equal(copy.nextPlan()?.changes.length, world.nextPlan()?.changes.length)
  assert.equal(
    copy.do({ type: 'workload/Scale', name: 'web', count: 9 }, 'r3'),
    world.state.requests.get('r3'),
  )
})

test('pods of one plan are restored in the order in which they were inserted', () => {
  const world = new World().init('ash').apply({ name: 'b', count: 7 }).apply({ name: 'a', count: 7 }).settle()
  const copy = restoreState(snapshotOf(world.state))
  assert.equal([...copy.pods.keys()], [...world.state.pods.keys()])
})

test('a snapshot taken earlier is not touched by what is applied later', () => {
  const world = busy()
  const snapshot = snapshotOf(world.state)
  const text = JSON.stringify(snapshot)
  world.ok({ type: 'workload/Remove', name: 'web' }).settle()
  assert.is(JSON.stringify(snapshot), text)
})

test('a broken snapshot is refused with the broken rule', () => {
  const good = snapshotOf(busy().state)
  const bad = (change: object, rule: RegExp): void =>
    assert.throws(
      () => restoreState({ ...good, ...change }),
      (error: Error) => rule.test(error.message),
    )
  assert.throws(() => restoreState(null))
  bad({ format: 2 }, /known format/)
  bad({ pods: null }, /pods is a list/)
  bad({ nodes: [] }, /node of a pod/)
  bad({ nodes: [...good.nodes, good.nodes[0]] }, /used once/)
  bad({ pods: [...good.pods, good.pods[0]] }, /used once/)
  bad({ index: 1 }, /newer/)
})

test('entries without a command move the place in the log only, and only forward', () => {
  const world = busy()
  const before = digestOf(world.state)
  const { index } = world.state
  advance(world.state, { index: index + 1, term: 2 })
  assert.is(world.state.index, index + 1)
  assert.is(world.state.term, 2)
  assert.is.not(digestOf(world.state), before)
  assert.throws(() => advance(world.state, { index: index + 1, term: 2 }), /in order/)
  assert.throws(() => advance(world.state, { index: index + 2, term: 1 }), /never fall/)
})

test.run()
