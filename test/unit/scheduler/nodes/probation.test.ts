// A node that comes and goes is trusted with new work again after a while, longer each time.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explain, lossesOf, probationLeftMs } from '../../../../scheduler/index.ts'
import { id, nodeFacts, World } from '../fixtures.ts'

const MINUTE_MS = 60_000

/** Lost and back at once. */
const flap = (world: World, name: string, times = 1): World => {
  for (let time = 0; time < times; time++) {
    world.ok({ type: 'node/Verdict', id: id(name), state: 'dead', reason: 'no answer', counted: true })
    world.verdict(name, 'alive')
  }
  return world
}

const leftMs = (world: World, name = 'ash'): number => probationLeftMs(world.node(name), world.nowMs)

test('the first loss is forgiven at once, each further one doubles the probation, up to ten minutes', () => {
  const world = new World().init('ash', 'birch')
  const seen = Array.from({ length: 9 }, () => leftMs(flap(world, 'ash')))
  assert.equal(
    seen,
    [0, 30, 60, 120, 240, 480, 600, 600, 600].map(seconds => seconds * 1_000),
  )
  world.wait(599_000)
  assert.is(leftMs(world), 1_000)
  world.wait(1_000)
  assert.is(leftMs(world), 0)
})

test('a loss is counted only when the verdict says so: programs of before do not know how', () => {
  const world = new World().init('ash', 'birch')
  for (let time = 0; time < 3; time++) world.verdict('ash', 'dead').verdict('ash', 'alive')
  assert.is(world.node('ash').losses, undefined)
  assert.is(leftMs(world), 0)
})

test('a node that was admitted and is slow to start has lost nothing', () => {
  const world = flap(new World().init('ash', 'birch'), 'birch', 3)
  assert.is(world.node('birch').losses, undefined)
  world.ok({ type: 'node/Update', node: nodeFacts('birch') })
  assert.is(flap(world, 'birch').node('birch').losses, 1)
})

test('ten minutes in touch forgive one loss', () => {
  const world = flap(new World().init('ash', 'birch'), 'ash', 4)
  world.wait(25 * MINUTE_MS)
  assert.is(lossesOf(world.node('ash'), world.nowMs), 2)
  flap(world, 'ash')
  assert.is(leftMs(world), 60_000)
  world.wait(60 * MINUTE_MS)
  assert.is(lossesOf(world.node('ash'), world.nowMs), 0)
  assert.is(leftMs(flap(world, 'ash')), 0)
})

test('a node that says itself that it is back is on probation too', () => {
  const world = flap(new World().init('ash', 'birch'), 'ash', 2)
  world.ok({ type: 'node/Verdict', id: id('ash'), state: 'dead', reason: 'no answer', counted: true })
  world.ok({ type: 'node/Update', node: nodeFacts('ash') })
  assert.is(leftMs(world), 60_000)
})

test('a clock that was far ahead makes no probation that never ends', () => {
  const world = new World().init('ash', 'birch')
  world.wait(24 * 60 * MINUTE_MS)
  flap(world, 'ash', 3)
  world.nowMs -= 24 * 60 * MINUTE_MS
  assert.is(leftMs(world), 0)
})

test('new work passes a node on probation by, and comes to it afterwards', () => {
  const world = flap(new World().init('ash', 'birch', 'cedar'), 'ash', 2)
    .apply({ count: 4 })
    .settle()
  assert.equal(world.spread(), { ash: 0, birch: 2, cedar: 2 })
  const [ash] = world.slot('web.1').decision.candidates.filter(({ name }) => name === 'ash')
  assert.is(ash?.refusal, 'is on probation: it was lost 2 times of late')
  assert.match(
    explain(world.state, 'ash', world.nowMs)?.sentences.join(' ') ?? '',
    /It was lost 2 times of late: for 30 s more it gets new pods only where no other node fits\./,
  )
  world.wait(30_000)
  world.apply({ count: 6 }).settle()
  assert.equal(world.spread(), { ash: 2, birch: 2, cedar: 2 })
})

test('what it runs already stays with it, and what fits nowhere else comes to it at once', () => {
  const place = { strategy: 'spread', constraints: [], spread: [], maxPerNode: 1 } as const
  const world = flap(new World().init('ash', 'birch'), 'ash', 3).apply({ count: 2, place }).settle()
  assert.equal(world.spread(), { ash: 1, birch: 1 })
  world.apply({ name: 'agent', kind: 'global' }).settle()
  assert.equal(world.spread('agent'), { ash: 1, birch: 1 })
})

test('a slot that fits nowhere names what keeps it from each node, and not the probation', () => {
  const place = { strategy: 'spread', constraints: [], spread: [], maxPerNode: 1 } as const
  const world = flap(new World().init('ash', 'birch'), 'ash', 3).apply({ count: 3, place }).settle()
  const [pending] = world.state.workloads.get('web')?.pending ?? []
  assert.is(pending?.reason, 'no node fits: 2 nodes run 1 of at most 1 pods of web')
})

test.run()
