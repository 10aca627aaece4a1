import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { id, nodeFacts, SECRET, World } from './fixtures.ts'

test('a node that has left is refused whatever it asks', () => {
  const world = new World().init('ash', 'birch').ok({ type: 'node/Leave', id: id('birch') })
  const node = nodeFacts('birch')
  world.refused({ type: 'node/Join', node, tokenId: 't1', secretHash: SECRET }, 'E_NODE_LEFT')
  world.refused({ type: 'node/Update', node }, 'E_NODE_LEFT')
  world.refused({ type: 'node/Verdict', id: id('birch'), state: 'alive', reason: '' }, 'E_NODE_LEFT')
  world.refused({ type: 'node/Drain', id: id('birch') }, 'E_NODE_LEFT')
  world.ok({ type: 'node/Leave', id: id('birch') })
  assert.equal(world.told('node/birch'), ['joined', 'left'])
})

test('an unknown node is not found', () => {
  const world = new World().init('ash')
  world.refused({ type: 'node/Update', node: nodeFacts('oak') }, 'E_NOT_FOUND')
  world.refused({ type: 'node/Verdict', id: id('oak'), state: 'dead', reason: '' }, 'E_NOT_FOUND')
  world.refused({ type: 'node/Activate', id: id('oak') }, 'E_NOT_FOUND')
  world.refused({ type: 'node/Leave', id: id('oak') }, 'E_NOT_FOUND')
})

test('an update with the same facts and a verdict that stands already change nothing', () => {
  const world = new World().init('ash', 'birch')
  world.ok({ type: 'node/Update', node: nodeFacts('birch') })
  const before = world.node('birch')
  world.ok({ type: 'node/Update', node: nodeFacts('birch') }).verdict('birch', 'alive')
  assert.is(world.node('birch'), before)
  assert.equal(world.told('node/birch'), ['joined'])
})

test('a wiped voter does not vote twice: once a member has spoken with its log, its key is not admitted without', () => {
  const join = (name: string) =>
    ({ type: 'node/Join', node: nodeFacts(name), tokenId: 't1', secretHash: SECRET }) as const
  const world = new World().init('ash', 'birch')
  world.ok(join('birch'))
  world.ok({ type: 'node/Update', node: nodeFacts('birch') })
  world.refused(join('birch'), 'E_LOG_LOST')
  world.verdict('birch', 'dead')
  world.refused(join('birch'), 'E_LOG_LOST')
  assert.is(world.node('birch').state, 'dead', 'and it is not taken for the one that is back')
  world.refused(join('ash'), 'E_LOG_LOST')
  assert.equal(world.told('node/birch'), ['joined', 'dead'])
})

test('an update of a dead node revives it, with its new address', () => {
  const world = new World().init('ash', 'birch').verdict('birch', 'dead')
  world.wait(5)
  world.ok({ type: 'node/Update', node: nodeFacts('birch', { address: '10.9.9.9' }) })
  assert.is(world.node('birch').state, 'alive')
  assert.is(world.node('birch').address, '10.9.9.9')
  assert.is(world.node('birch').stateChangedAtMs, world.nowMs)
  assert.equal(world.told('node/birch'), ['joined', 'dead', 'alive'])
})

test('a revived node gets no lost pod back', () => {
  const world = new World().init('ash', 'birch').apply({ count: 2 }).settle()
  world.verdict('birch', 'dead').step()
  const lost = world.pods('web').filter(pod => pod.state === 'lost')
  assert.is(lost.length, 1)
  world.verdict('birch', 'alive').report(lost[0]!, { state: 'running', health: 'healthy' })
  assert.is(world.state.pods.get(lost[0]!.id)?.state, 'lost')
})

test('a drained node says so once and stays a member', () => {
  const world = new World()
    .init('ash')
    .ok({ type: 'node/Drain', id: id('ash') })
    .ok({ type: 'node/Drain', id: id('ash') })
  assert.not(world.node('ash').schedulable)
  assert.is(world.node('ash').state, 'alive')
  world.ok({ type: 'node/Activate', id: id('ash') })
  assert.equal(world.told('node/ash'), ['joined', 'drained', 'activated'])
})

test('an update keeps a drained node drained', () => {
  const world = new World().init('ash').ok({ type: 'node/Drain', id: id('ash') })
  world.ok({ type: 'node/Update', node: nodeFacts('ash', { version: '0.2.0' }) })
  assert.not(world.node('ash').schedulable)
})

test.run()
