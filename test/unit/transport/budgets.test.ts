import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BUDGETS, Budgets } from '../../../node/transport/budgets.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const { swim, rumors } = BUDGETS

/** Says more than it may at once. */
const flood = (budgets: Budgets, peer: string): number => {
  let said = 0
  while (budgets.spend(peer, 'swim', 10)) said += 1
  return said
}

test('a peer may say so many at once, and so many a second for ever', () => {
  const clock = virtualClock()
  const budgets = new Budgets(clock)
  for (let second = 0; second < 100; second += 1) {
    for (let count = 0; count < swim.messages.perSecond; count += 1)
      assert.ok(budgets.spend('ash', 'swim', 100))
    clock.advance(1_000)
  }
  assert.is(flood(budgets, 'ash'), swim.messages.burst)
})

test('bytes count too, and each protocol and peer for itself', () => {
  const budgets = new Budgets(virtualClock())
  assert.not(budgets.spend('ash', 'rumors', rumors.bytes.burst + 1))
  assert.ok(budgets.spend('oak', 'rumors', 1_000))
  assert.ok(budgets.spend('ash', 'raft', 1_000))
})

test('who floods is barred, for longer each time, and forgiven in the end', () => {
  const clock = virtualClock()
  const budgets = new Budgets(clock)
  for (const lastsMs of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
    flood(budgets, 'ash')
    clock.advance(lastsMs - 1)
    assert.ok(budgets.isBarred('ash'), `${lastsMs} ms`)
    clock.advance(1)
    assert.not(budgets.isBarred('ash'))
    assert.not(budgets.isBarred('oak'))
  }
  clock.advance(600_001)
  flood(budgets, 'ash')
  clock.advance(1_000)
  assert.not(budgets.isBarred('ash'))
})

test('what gathers while this process stands still for a while is within the burst', () => {
  const clock = virtualClock()
  const budgets = new Budgets(clock)
  assert.ok(budgets.spend('ash', 'swim', 100))
  clock.advance(10_000)
  for (let count = 0; count < 100 * 10; count += 1) assert.ok(budgets.spend('ash', 'swim', 8_192))
})

test('who is no member any more takes no memory', () => {
  const budgets = new Budgets(virtualClock())
  flood(budgets, 'ash')
  budgets.keepOnly(new Set(['oak']))
  assert.not(budgets.isBarred('ash'))
})

test.run()
