import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DIALS_MAX, DialLoop, HEAD_START_MS } from '../../../node/transport/dial-loop.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const loopOf = (self: string) => {
  const clock = virtualClock()
  const dials: [number, string][] = []
  const loop = new DialLoop({
    self,
    clock,
    random: () => 0.5,
    dial: peer => dials.push([clock.monotonicMs(), peer]),
  })
  return { clock, dials, loop }
}

test('the lower id dials at once, the higher one after a head start', () => {
  const { clock, dials, loop } = loopOf('m')
  loop.want(new Set(['a', 'z']), null)
  clock.advance(100)
  assert.equal(
    dials.map(([, peer]) => peer),
    ['z'],
  )
  clock.advance(HEAD_START_MS * 2)
  assert.equal(
    dials.map(([, peer]) => peer),
    ['z', 'a'],
  )
})

test('failed dials back off from 100 ms to 2 s', () => {
  const { clock, dials, loop } = loopOf('a')
  loop.want(new Set(['z']), null)
  for (let count = 0; count < 8; count += 1) {
    clock.advance(3_000)
    loop.finished('z', 'failed')
  }
  clock.advance(3_000)
  const gaps = dials.slice(1).map(([atMs], index) => atMs - 3_000 * (index + 1))
  assert.equal(gaps, [100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000])
})

test('a lost connection is dialled again at once by both, with a fresh back-off when it had lasted', () => {
  const { clock, dials, loop } = loopOf('m')
  loop.want(new Set(['a']), null)
  loop.connected('a')
  clock.advance(10_000)
  assert.equal(dials, [])
  loop.lost('a', 'broken')
  clock.advance(20)
  assert.is(dials.length, 1)
  loop.finished('a', 'refused')
  clock.advance(99)
  assert.is(dials.length, 1)
  clock.advance(2)
  assert.is(dials.length, 2)
})

test('a connection that never lasts does not reset the back-off', () => {
  const { clock, dials, loop } = loopOf('a')
  loop.want(new Set(['z']), null)
  clock.advance(20)
  for (let count = 0; count < 4; count += 1) {
    loop.finished('z', 'failed')
    clock.advance(2_000)
  }
  const before = dials.length
  loop.connected('z')
  loop.lost('z', 'broken')
  clock.advance(500)
  assert.is(dials.length, before)
})

test('a waiting message ends the head start but not a back-off', () => {
  const { clock, dials, loop } = loopOf('z')
  loop.want(new Set(['a']), null)
  assert.ok(loop.hurry('a'))
  clock.advance(0)
  assert.is(dials.length, 1)
  assert.ok(loop.hurry('a'))
  loop.finished('a', 'failed')
  assert.not(loop.hurry('a'))
  assert.not(loop.hurry('stranger'))
})

test('only a few dials run at once, and each that ends makes room for the next', () => {
  const { clock, dials, loop } = loopOf('a')
  const peers = Array.from({ length: DIALS_MAX + 3 }, (_, index) => `z${index}`)
  loop.want(new Set(peers), null)
  clock.advance(1_000)
  assert.is(dials.length, DIALS_MAX)
  loop.connected('z0')
  loop.finished('z0', 'connected')
  assert.is(dials.length, DIALS_MAX + 1)
  loop.want(new Set(peers.filter(peer => peer !== 'z1')), null)
  assert.is(dials.length, DIALS_MAX + 2)
})

test('who is no longer wanted is not dialled again', () => {
  const { clock, dials, loop } = loopOf('a')
  loop.want(new Set(['z']), null)
  loop.want(new Set(), null)
  clock.advance(60_000)
  loop.finished('z', 'failed')
  clock.advance(60_000)
  assert.equal(dials, [])
})

test('whom nobody needs to stay connected to is dialled when something is said, and not again by itself', () => {
  const { clock, dials, loop } = loopOf('a')
  loop.want(new Set(['y', 'z']), new Set(['y']))
  clock.advance(10_000)
  assert.equal(
    dials.map(([, peer]) => peer),
    ['y'],
  )
  assert.ok(loop.hurry('z'))
  clock.advance(0)
  assert.is(dials.length, 2)
  loop.finished('z', 'failed')
  assert.not(loop.hurry('z'), 'it has just failed')
  clock.advance(60_000)
  assert.is(dials.length, 2)
  assert.ok(loop.hurry('z'))
  clock.advance(0)
  assert.is(dials.length, 3)
})

test('when such a connection breaks, one dial finds out why, and none when it was let go', () => {
  const { clock, dials, loop } = loopOf('a')
  loop.want(new Set(['z']), new Set())
  loop.connected('z')
  clock.advance(10_000)
  loop.lost('z', 'expected')
  clock.advance(60_000)
  assert.is(dials.length, 0)
  loop.connected('z')
  clock.advance(10_000)
  loop.lost('z', 'broken')
  clock.advance(60_000)
  assert.is(dials.length, 1)
  loop.finished('z', 'refused')
  clock.advance(60_000)
  assert.is(dials.length, 1)
})

test('who becomes one to stay connected to is dialled soon', () => {
  const { clock, dials, loop } = loopOf('a')
  loop.want(new Set(['z']), new Set())
  clock.advance(60_000)
  assert.is(dials.length, 0)
  loop.want(new Set(['z']), null)
  clock.advance(20)
  assert.is(dials.length, 1)
})

test.run()
