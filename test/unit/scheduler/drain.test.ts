import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isReady } from '../../../scheduler/index.ts'
import { id, World } from './fixtures.ts'

const drain = (world: World, name: string): World => world.ok({ type: 'node/Drain', id: id(name) })

test('a service pod is moved: its successor is ready before it is stopped', () => {
  const world = drain(new World().init('ash', 'birch', 'cedar').apply().settle(), 'ash')
  for (let round = 0; round < 20; round++) {
    world.step()
    assert.is(
      new Set(
        world
          .live('web')
          .filter(isReady)
          .map(pod => pod.slot),
      ).size,
      3,
    )
    world.obey()
  }
  assert.is(world.spread().ash, 0)
  assert.is(world.running().length, 3)
  assert.ok(world.pods('web').some(pod => pod.reason === 'moved off drained node ash'))
})

test('a pod that fits nowhere else stays, and its slot says why', () => {
  const place = { strategy: 'spread', constraints: [], spread: [], maxPerNode: 1 } as const
  const world = drain(new World().init('ash', 'birch').apply({ count: 2, place }).settle(), 'ash').settle()
  assert.equal(world.spread(), { ash: 1, birch: 1 })
  const [pending] = world.state.workloads.get('web')!.pending
  assert.is(pending?.reason, 'no node fits: 1 node is drained, 1 node runs 1 of at most 1 pods of web')
  world.join('cedar').settle()
  assert.equal(world.spread(), { ash: 0, birch: 1, cedar: 1 })
  assert.equal(world.state.workloads.get('web')!.pending, [])
})

test('a node activated in mid-move leaves each slot one pod', () => {
  const world = drain(new World().init('ash', 'birch').apply({ count: 4 }).settle(), 'ash')
  world.step()
  world.ok({ type: 'node/Activate', id: id('ash') }).settle()
  assert.is(world.live('web').length, 4)
  assert.equal(new Set(world.running().map(pod => pod.slot)).size, 4)
})

test('a drained node that dies is treated as dead', () => {
  const world = drain(new World().init('ash', 'birch').apply({ count: 2 }).settle(), 'ash')
    .verdict('ash', 'dead')
    .settle()
  assert.equal(world.spread(), { ash: 0, birch: 2 })
})

test.run()
