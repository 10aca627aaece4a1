// Which forms of the log a cluster bears side by side, and what may be written meanwhile.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { judgeProtocol, mayUse, protocolLevel } from '../../../../scheduler/index.ts'
import { id, nodeFacts, SECRET, World } from '../fixtures.ts'

const update = (name: string, protocol: number) => ({
  type: 'node/Update' as const,
  node: nodeFacts(name, { protocol }),
})
const join = (name: string, protocol?: number) => ({
  type: 'node/Join' as const,
  node: nodeFacts(name, protocol === undefined ? {} : { protocol }),
  tokenId: 't1',
  secretHash: SECRET,
})
const upgraded = (): World => new World().init('ash', 'birch').ok(update('ash', 2)).ok(update('birch', 2))

test('the level is what the oldest member understands, dead or alive; whoever has left does not count', () => {
  const world = new World().init('ash', 'birch').ok(update('ash', 2)).verdict('birch', 'dead')
  assert.is(protocolLevel(world.state), 1)
  assert.not.ok(mayUse(world.state, 'probation'))
  world.ok({ type: 'node/Leave', id: id('birch') })
  assert.is(protocolLevel(world.state), 2)
  assert.ok(mayUse(world.state, 'probation'))
})

test('neighbours are let in, whoever is two apart is told what to do', () => {
  const world = upgraded().ok(join('cedar', 3))
  assert.is(protocolLevel(world.state), 2)
  world.refused(join('doug', 4), 'E_VERSION')
  const refusal = judgeProtocol(world.state, nodeFacts('doug', { protocol: 4 }))
  assert.match(refusal?.message ?? '', /protocol 4 and node ash still 2.*upgrade one version at a time/)
})

test('once all are upgraded nobody older comes in, and no member goes back', () => {
  const world = upgraded()
  world.refused(join('cedar'), 'E_VERSION')
  world.refused(update('ash', 1), 'E_VERSION')
  assert.match(judgeProtocol(world.state, nodeFacts('cedar'))?.message ?? '', /install the version/)
})

test('while a member does not know the rule, the log judges nobody by it, and whoever is asked to let one in does', () => {
  const world = new World().init('ash', 'birch').ok(update('ash', 2))
  const stranger = nodeFacts('cedar', { protocol: 3 })
  assert.is(judgeProtocol(world.state, stranger)?.code, 'E_VERSION')
  world.ok(join('cedar', 3))
})

test.run()
