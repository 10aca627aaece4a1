// How far the own clock is off: the quickest answer of each peer, the median over the peers.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ClockOffsets, median } from '../../node/clock-offset.ts'

const WALL_MS = Date.UTC(2026, 0, 1)

/** A machine that asks, with a wall clock that may be set. */
class Asker {
  readonly offsets = new ClockOffsets()
  monotonicMs = 1_000
  /** Ahead of true time. */
  aheadMs = 0

  /** The peer's clock is ahead of true time by so much; the answer took so long, each way as given. */
  ask(peer: string, peerAheadMs: number, { there = 1, back = 1 } = {}): this {
    const trueMs = WALL_MS + this.monotonicMs
    this.monotonicMs += there + back
    this.offsets.note(peer, {
      sentAtMs: trueMs + this.aheadMs,
      gotAtMs: trueMs + there + back + this.aheadMs,
      theirsMs: trueMs + there + peerAheadMs,
      tookMs: there + back,
      monotonicMs: this.monotonicMs,
    })
    return this
  }

  skew(): number | null {
    const skewMs = this.offsets.skewMs(this.monotonicMs)
    return skewMs === null ? null : Math.round(skewMs)
  }
}

test('nobody has told the time yet', () => {
  assert.is(new Asker().skew(), null)
})

test('ahead is positive, behind is negative', () => {
  const ahead = new Asker()
  ahead.aheadMs = 3_000
  assert.is(ahead.ask('b', 0).skew(), 3_000)
  assert.is(new Asker().ask('b', 500).skew(), -500)
})

test('of several answers of a peer the quickest counts', () => {
  const asker = new Asker().ask('b', 0, { there: 400, back: 2 }).ask('b', 0, { there: 1, back: 1 })
  assert.is(asker.ask('b', 0, { there: 1, back: 300 }).skew(), 0)
})

test('one peer whose clock is wrong moves nothing', () => {
  assert.is(new Asker().ask('b', 0).ask('c', 3_600_000).ask('d', 10).skew(), -10)
})

test('of two peers the one that differs less counts', () => {
  assert.is(median([5_000, 0]), 0)
  assert.is(median([-20, 5_000]), -20)
  assert.is(median([1, 2, 3]), 2)
  assert.is(median([4]), 4)
})

test('a peer whose clock is set is believed at its next answer', () => {
  const asker = new Asker().ask('b', 9_000)
  assert.is(asker.skew(), -9_000)
  assert.is(asker.ask('b', 0, { there: 20, back: 20 }).skew(), 0)
})

test('when the own clock is set, everything is asked anew', () => {
  const asker = new Asker().ask('b', 0).ask('c', 0)
  asker.aheadMs = 60_000
  assert.is(asker.ask('b', 0).skew(), 60_000)
})

test('an answer in the midst of which the own clock was set says nothing', () => {
  const offsets = new ClockOffsets()
  offsets.note('b', { sentAtMs: 1_000, gotAtMs: 61_010, theirsMs: 1_005, tookMs: 10, monotonicMs: 50 })
  assert.is(offsets.skewMs(60), null)
})

test('old answers and peers that are gone count no more', () => {
  const asker = new Asker().ask('b', 700)
  asker.monotonicMs += 299_000
  assert.is(asker.skew(), -700)
  asker.monotonicMs += 1_001
  assert.is(asker.skew(), null)
  asker.ask('b', 700).offsets.keepOnly(new Set(['c']))
  assert.is(asker.skew(), null)
})

test.run()
