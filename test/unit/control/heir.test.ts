import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { heirOf } from '../../../node/control/heir.ts'
import type { Candidate } from '../../../node/control/quorum-keeper.ts'

const node = (id: string, parts: Partial<Candidate> = {}): Candidate => ({
  ...{ id, zone: null, isAlive: true, sinceMs: 0, probationMs: 0, lag: 0, diskMs: null, isDrained: false },
  ...parts,
})

const heir = (roster: readonly Candidate[], voters = 'abc', reluctant = ''): string | null =>
  heirOf(roster, { self: 'a', voters: [...voters], reluctant: new Set(reluctant) })

const drained = node('a', { isDrained: true })

test('a leader stays unless it is drained or has left', () => {
  assert.is(heir([node('a'), node('b'), node('c')]), null)
  assert.is(heir([drained, node('b'), node('c')]), 'b')
  assert.is(heir([node('b'), node('c')]), 'b')
})

test('the heir is a living voter that is not drained itself and has answered this leader', () => {
  assert.is(heir([drained, node('b', { isAlive: false }), node('c')]), 'c')
  assert.is(heir([drained, node('b', { isDrained: true }), node('c')]), 'c')
  assert.is(heir([drained, node('b', { lag: Number.POSITIVE_INFINITY }), node('c')]), 'c')
  assert.is(heir([drained, node('b'), node('c')], 'ac'), 'c')
  assert.is(heir([drained, node('b', { isDrained: true })], 'ab'), null)
})

test('the one that trails least takes over, then the one with the faster disk', () => {
  assert.is(heir([drained, node('b', { lag: 5 }), node('c', { diskMs: 64 })]), 'c')
  assert.is(heir([drained, node('b', { diskMs: 64 }), node('c', { diskMs: 2 })]), 'c')
})

test('one that would rather not lead does so for want of others', () => {
  assert.is(heir([drained, node('b'), node('c', { lag: 5 })], 'abc', 'b'), 'c')
  assert.is(heir([drained, node('b'), node('c')], 'abc', 'bc'), 'b')
})

test.run()
