import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Incidents } from '../../node/incidents.ts'
import { type Fields, type Log, silentLog } from '../../node/log.ts'

const recording = () => {
  const told: (readonly [string, Fields | undefined])[] = []
  const log: Log = { ...silentLog, warn: (message, fields) => void told.push([message, fields]) }
  return { told, incidents: new Incidents(log) }
}

test('the first is told at once, and those of the next minute together', () => {
  const { told, incidents } = recording()
  for (let nowMs = 0; nowMs <= 60_000; nowMs += 1_000) incidents.note('knock', { peer: 'eve', nowMs })
  assert.equal(told, [
    ['knock', { peer: 'eve', times: 1, sinceStart: 1 }],
    ['knock', { peer: 'eve', times: 60, sinceStart: 61 }],
  ])
  assert.is(incidents.count, 61)
})

test('each peer and each kind is told for itself', () => {
  const { told, incidents } = recording()
  incidents.note('knock', { peer: 'eve', nowMs: 0 })
  incidents.note('knock', { peer: 'mallory', nowMs: 1 })
  incidents.note('kick', { peer: 'eve', nowMs: 2 })
  assert.is(told.length, 3)
})

test('however many peers there are, the log stays short, the memory small and the count true', () => {
  const { told, incidents } = recording()
  for (let count = 0; count < 10_000; count++) incidents.note('knock', { peer: `${count}`, nowMs: count })
  assert.is(told.length, 1_025)
  assert.is(incidents.count, 10_000)
})

test.run()
