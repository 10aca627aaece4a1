import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { whyNoRoomElsewhere } from '../../../../scheduler/index.ts'
import { id, tablesText, World } from '../fixtures.ts'

const why = (world: World, name = 'ash') => whyNoRoomElsewhere(world.state, id(name), world.nowMs)

test('the others have room, or the first pod that finds none says why', () => {
  const small = { resources: { cpuMillis: 1_000, memoryBytes: 0 } }
  const world = new World().init('ash', 'birch').apply({ count: 4 }, small).settle()
  assert.is(why(world), null)
  world.apply({ count: 6 }, small).settle()
  assert.match(why(world) ?? '', /^web\.\d: no node fits: 1 node is drained, 1 node has 0 of 1 CPU free$/)
  assert.is(why(world.join('cedar')), null)
})

test('nothing is changed by asking', () => {
  const world = new World().init('ash', 'birch').apply().settle()
  const before = tablesText(world.state)
  why(world)
  assert.is(tablesText(world.state), before)
})

test('a node without work, or with pods of global workloads only, is drained easily', () => {
  const world = new World().init('ash').apply({ name: 'agent', kind: 'global' }).settle()
  assert.is(why(world), null)
  assert.is(why(world, 'nobody'), 'it is not known')
})

test.run()
