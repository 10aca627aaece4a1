import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Candidate, KEEPER_POLICY } from '../../../node/control/quorum-keeper.ts'
import { seatsOf } from '../../../node/control/seat-words.ts'

const NOW_MS = 100_000

/** What is said of node b beside the leader a. */
const said = (part: 'voter' | 'learner', facts: Partial<Candidate>): string | undefined => {
  const node = (id: string): Candidate => ({
    ...{ id, zone: null, isAlive: true, sinceMs: 0, probationMs: 0, lag: 0, diskMs: null, isDrained: false },
  })
  const roster = [node('a'), { ...node('b'), ...facts }]
  const configuration =
    part === 'voter' ? { voters: ['a', 'b'], learners: [] } : { voters: ['a'], learners: ['b'] }
  const seats = seatsOf({ self: 'a', roster, configuration, policy: KEEPER_POLICY, nowMs: NOW_MS })
  assert.is(seats.get('a'), 'leads')
  return seats.get('b')
}

test('a voter votes, is silent, or has a reason to give way', () => {
  assert.is(said('voter', {}), 'votes')
  assert.is(said('voter', { isAlive: false, sinceMs: NOW_MS - 2_000 }), 'silent for 2 s: replaced after 5 s')
  assert.is(
    said('voter', { isAlive: false, sinceMs: NOW_MS - 60_000 }),
    'silent for 60 s: replaced as soon as another node can vote',
  )
  assert.is(said('voter', { isDrained: true }), 'votes, and gives way to a better node: it is drained')
  assert.is(said('voter', { diskMs: 64 }), 'votes, and gives way to a better node: its disk takes 64 ms')
})

test('a learner is in reserve, or has a reason why it cannot vote', () => {
  assert.is(said('learner', {}), 'in reserve')
  assert.is(said('learner', { isDrained: true }), 'in reserve, behind others: it is drained')
  assert.is(said('learner', { isAlive: false, sinceMs: NOW_MS - 9_000 }), 'silent for 9 s')
  assert.is(said('learner', { lag: Number.POSITIVE_INFINITY }), 'has not answered this leader yet')
  assert.is(said('learner', { lag: 4_000 }), 'lacks 4000 entries: 1000 are allowed')
  assert.is(
    said('learner', { sinceMs: NOW_MS - 3_000, probationMs: 10_000 }),
    'was lost before: on probation for 7 s more',
  )
})

test.run()
