// A drain by the cluster itself: it gives its reason, and only an operator undoes it.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explain, restoreState, snapshotOf } from '../../../../scheduler/index.ts'
import { id, nodeFacts, World } from '../fixtures.ts'

const REASON = 'health 40 of 100: its disk takes 2048 ms for a write'
const drained = (): World =>
  new World().init('ash', 'birch').ok({ type: 'node/Drain', id: id('ash'), ailing: REASON })

test('the reason is kept, told and explained', () => {
  const world = drained()
  assert.is(world.node('ash').schedulable, false)
  assert.is(world.events.at(-1)?.text, REASON)
  const [first, second] = explain(world.state, 'ash', world.nowMs)?.sentences ?? []
  assert.is(first, `ash is alive and drained by the cluster for its health (${REASON}): it gets no new pods.`)
  assert.is(second, 'It takes pods again after: tutti activate ash.')
  assert.equal(snapshotOf(restoreState(snapshotOf(world.state))), snapshotOf(world.state))
})

test('neither a restart nor a death and return undoes it', () => {
  const world = drained().ok({ type: 'node/Update', node: nodeFacts('ash') })
  world.verdict('ash', 'dead').verdict('ash', 'alive')
  assert.is(world.node('ash').schedulable, false)
  assert.is(world.node('ash').ailing, REASON)
})

test('an operator undoes it, and that is the last word for an hour', () => {
  const world = drained().ok({ type: 'node/Activate', id: id('ash') })
  assert.is(world.node('ash').ailing, undefined)
  world.refused({ type: 'node/Drain', id: id('ash'), ailing: REASON }, 'E_CONFLICT')
  world.ok({ type: 'node/Drain', id: id('ash') }).ok({ type: 'node/Activate', id: id('ash') })
  world.wait(3_600_000)
  world.ok({ type: 'node/Drain', id: id('ash'), ailing: REASON })
})

test("an operator's own drain has no such reason and leaves no such trust", () => {
  const world = new World().init('ash', 'birch').ok({ type: 'node/Drain', id: id('ash') })
  assert.is(world.node('ash').ailing, undefined)
  world.ok({ type: 'node/Drain', id: id('ash'), ailing: REASON })
  assert.is(world.node('ash').ailing, undefined, 'it is drained already, by whoever came first')
  world.ok({ type: 'node/Activate', id: id('ash') })
  assert.is(world.node('ash').trustedAtMs, undefined)
})

test.run()
