import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isEnded, mayMove, type PodState } from '../../../scheduler/index.ts'

const LIVE: readonly PodState[] = ['assigned', 'preparing', 'starting', 'running', 'stopping']
const ENDED: readonly PodState[] = ['succeeded', 'failed', 'stopped', 'lost']

test('a node moves its pods forward and may skip states', () => {
  for (const [at, from] of LIVE.entries())
    for (const [to, state] of LIVE.entries())
      assert.is(mayMove(from, state, 'node'), to >= at, `${from} → ${state}`)
  for (const from of LIVE)
    for (const to of ENDED) assert.is(mayMove(from, to, 'node'), to !== 'lost', `${from} → ${to}`)
})

test('only the leader says that a pod is lost, and says nothing else', () => {
  for (const from of LIVE)
    for (const to of [...LIVE, ...ENDED])
      assert.is(mayMove(from, to, 'leader'), to === 'lost', `${from} → ${to}`)
})

test('an ended pod never moves again', () => {
  for (const from of ENDED) {
    assert.ok(isEnded(from))
    for (const to of [...LIVE, ...ENDED]) assert.not(mayMove(from, to, 'node') || mayMove(from, to, 'leader'))
  }
})

test.run()
