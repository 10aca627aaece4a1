import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Fitness } from '../../../node/consensus/measures/fitness.ts'

const STALL_MS = 500
const REST_MS = 30_000
const TICK_MS = 25

const create = () => new Fitness({ stallMs: STALL_MS, restMs: REST_MS })

test('a node whose disk answers and whose ticks come in time is fit', () => {
  const fitness = create()
  for (let nowMs = 0; nowMs < 2_000; nowMs += TICK_MS) {
    fitness.writing(nowMs)
    fitness.written(nowMs, nowMs + 3, true)
    assert.is(fitness.ticked(nowMs, TICK_MS), null)
    assert.is(fitness.unfit(nowMs, false), null)
  }
})

test('a write that is under way for too long is a stall while it lasts, and makes unfit for a while after', () => {
  const fitness = create()
  fitness.ticked(0, TICK_MS)
  fitness.writing(0)
  for (let nowMs = TICK_MS; nowMs <= STALL_MS; nowMs += TICK_MS)
    assert.is(fitness.ticked(nowMs, TICK_MS), null)
  assert.is(fitness.ticked(STALL_MS + TICK_MS, TICK_MS), 'disk')
  fitness.written(0, 540, true)
  assert.is(fitness.ticked(550, TICK_MS), null)
  assert.is(fitness.unfit(550, false), 'disk')
  assert.is(fitness.unfit(STALL_MS + TICK_MS + REST_MS - 1, false), 'disk')
  assert.is(fitness.unfit(STALL_MS + TICK_MS + REST_MS, false), null)
})

test('a later write is no excuse for an earlier one, and many quick ones are no stall', () => {
  const fitness = create()
  fitness.ticked(0, TICK_MS)
  for (let nowMs = 0; nowMs < 5_000; nowMs += TICK_MS) {
    // The next one is handed over before the one before is done.
    fitness.writing(nowMs)
    if (nowMs > 0) fitness.written(nowMs - TICK_MS, nowMs, false)
    assert.is(fitness.ticked(nowMs, TICK_MS), null)
  }
  const waiting = create()
  waiting.ticked(0, TICK_MS)
  waiting.writing(0)
  let stalled: string | null = null
  for (let nowMs = TICK_MS; nowMs <= STALL_MS + TICK_MS; nowMs += TICK_MS) {
    waiting.writing(nowMs)
    stalled = waiting.ticked(nowMs, TICK_MS)
  }
  assert.is(stalled, 'disk')
  waiting.forgetWrites()
  assert.is(waiting.ticked(STALL_MS + 2 * TICK_MS, TICK_MS), null, 'the core that waited for it is gone')
})

test('a tick that is late by too much is a stall of the process', () => {
  const fitness = create()
  fitness.ticked(0, TICK_MS)
  assert.is(fitness.ticked(TICK_MS + STALL_MS, TICK_MS), null)
  assert.is(fitness.ticked(2 * (TICK_MS + STALL_MS) + 1, TICK_MS), 'loop')
  assert.is(fitness.unfit(5_000, false), 'loop')
  assert.is(fitness.unfit(5_000, true), 'drained')
})

test('what writes take: the last, the usual, the worst of the last minute and the one under way', () => {
  const fitness = create()
  assert.is(fitness.times(0), null)
  fitness.writing(0)
  fitness.written(0, 8, true)
  assert.equal(fitness.times(10), { lastMs: 8, usualMs: 8, worstMs: 8 })
  fitness.writing(20)
  fitness.written(20, 36, true)
  assert.equal(fitness.times(40), { lastMs: 16, usualMs: 16, worstMs: 16 })
  fitness.writing(50)
  assert.is(fitness.times(250)?.worstMs, 200)
  fitness.written(50, 251, true)
  assert.is(fitness.times(20_000)?.worstMs, 201)
  assert.is(fitness.times(40_000)?.worstMs, 201, 'it is in the window before this one')
  assert.is(fitness.times(80_000)?.worstMs, 0)
})

test('what is usual is the median of the last writes, or the age of the one under way when that is more', () => {
  const fitness = create()
  let nowMs = 0
  const write = (ms: number): void => {
    fitness.writing(nowMs)
    fitness.written(nowMs, nowMs + ms, true)
    nowMs += ms
  }
  for (const ms of [1, 2, 900]) write(ms)
  assert.is(fitness.times(nowMs)?.usualMs, 2)
  for (let count = 0; count < 32; count++) write(7)
  assert.is(fitness.times(nowMs)?.usualMs, 7)
  fitness.writing(nowMs)
  assert.is(fitness.times(nowMs + 500)?.usualMs, 500)
})

test.run()
