// Which versions of the program a cluster bears side by side.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { id, nodeFacts, SECRET, World } from './fixtures.ts'

const update = (name: string, version: string) => ({
  type: 'node/Update' as const,
  node: nodeFacts(name, { version }),
})
const join = (name: string, version: string) => ({
  type: 'node/Join' as const,
  node: nodeFacts(name, { version }),
  tokenId: 't1',
  secretHash: SECRET,
})

test('a cluster is upgraded node by node, one minor version at a time', () => {
  const world = new World().init('ash', 'birch').ok(update('ash', '0.2.0'))
  world.refused(update('ash', '0.3.0'), 'E_VERSION')
  world.refused(join('cedar', '0.3.0'), 'E_VERSION')
  world.ok(join('cedar', '0.1.9')).ok(update('cedar', '0.2.0')).ok(update('birch', '0.2.1'))
  world.ok(update('ash', '0.3.0'))
  assert.is(world.node('ash').version, '0.3.0')
})

test('while old and new are side by side a node may go back', () => {
  const world = new World().init('ash', 'birch').ok(update('ash', '0.2.0')).ok(update('ash', '0.1.0'))
  assert.is(world.node('ash').version, '0.1.0')
})

test('once all are upgraded there is no way back, and no older node comes in', () => {
  const world = new World().init('ash', 'birch').ok(update('ash', '0.2.0')).ok(update('birch', '0.2.0'))
  world.refused(update('birch', '0.1.0'), 'E_VERSION')
  world.refused(join('cedar', '0.1.0'), 'E_VERSION')
  assert.is(world.node('birch').version, '0.2.0')
})

test('a dead node of an old version holds the others back, one that has left does not', () => {
  const world = new World().init('ash', 'birch').verdict('birch', 'dead').ok(update('ash', '0.2.0'))
  world.refused(update('ash', '0.3.0'), 'E_VERSION')
  world.ok({ type: 'node/Leave', id: id('birch') }).ok(update('ash', '0.3.0'))
})

test('the last minor version is followed by the next major one', () => {
  const world = new World().init('ash', 'birch').ok(update('ash', '1.0.0'))
  world.refused(update('ash', '1.1.0'), 'E_VERSION')
})

test('what is no version is not judged', () => {
  const world = new World().init('ash').ok(join('birch', 'built by hand')).ok(join('cedar', '0.2.0'))
  assert.is(world.node('birch').version, 'built by hand')
})

test.run()
