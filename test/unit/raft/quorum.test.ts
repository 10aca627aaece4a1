// Majority arithmetic against an obvious slow twin, and the joint rules on top of it.
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  isQuorum,
  majorityIndex,
  majorityOf,
  majorityVote,
  quorumIndex,
  quorumVote,
} from '../../../raft/quorum.ts'
import { emptyConfiguration } from '../../../raft/saved.ts'

const NODES = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

const voters = fc.uniqueArray(fc.constantFrom(...NODES), { minLength: 1 })
const indexes = fc.record(Object.fromEntries(NODES.map(node => [node, fc.nat(9)])))
const votes = fc.record(
  Object.fromEntries(NODES.map(node => [node, fc.constantFrom(true, false, undefined)])),
)

/** The slow twin: try every index from the top, count who has reached it. */
const slowIndex = (of: readonly string[], indexOf: (node: string) => number): number => {
  for (let index = 9; index > 0; index--)
    if (of.filter(node => indexOf(node) >= index).length * 2 > of.length) return index
  return 0
}

test('a majority is the smallest count of which any two overlap', () => {
  assert.equal([1, 2, 3, 4, 5, 6, 7].map(majorityOf), [1, 2, 2, 3, 3, 4, 4])
})

test('the majority index is the greatest that more than half have reached', () => {
  fc.assert(
    fc.property(voters, indexes, (of, reached) => {
      assert.is(
        majorityIndex(of, node => reached[node]!),
        slowIndex(of, node => reached[node]!),
      )
    }),
  )
})

test('a joint index needs both majorities', () => {
  fc.assert(
    fc.property(voters, voters, indexes, (incoming, outgoing, reached) => {
      const indexOf = (node: string) => reached[node]!
      const configuration = { ...emptyConfiguration, voters: incoming, votersOutgoing: outgoing }
      const expected = Math.min(slowIndex(incoming, indexOf), slowIndex(outgoing, indexOf))
      assert.is(quorumIndex(configuration, indexOf), expected)
    }),
  )
})

test('a vote is won, lost or pending exactly when the missing answers cannot change it', () => {
  fc.assert(
    fc.property(voters, votes, (of, answers) => {
      const wins = (missing: boolean) => of.filter(node => answers[node] ?? missing).length * 2 > of.length
      const expected = wins(false) ? 'won' : wins(true) ? 'pending' : 'lost'
      assert.is(
        majorityVote(of, node => answers[node]),
        expected,
      )
    }),
  )
})

test('a joint vote is lost with either half and won with both', () => {
  fc.assert(
    fc.property(voters, voters, votes, (incoming, outgoing, answers) => {
      const halves = [incoming, outgoing].map(of => majorityVote(of, node => answers[node]))
      const configuration = { ...emptyConfiguration, voters: incoming, votersOutgoing: outgoing }
      const expected = halves.includes('lost') ? 'lost' : halves.includes('pending') ? 'pending' : 'won'
      assert.is(
        quorumVote(configuration, node => answers[node]),
        expected,
      )
    }),
  )
})

test('two quorums of the same configuration always share a node', () => {
  fc.assert(
    fc.property(voters, fc.subarray(NODES), fc.subarray(NODES), (of, one, other) => {
      const configuration = { ...emptyConfiguration, voters: of }
      const both = [one, other].every(some => isQuorum(configuration, node => some.includes(node)))
      if (both) assert.ok(one.some(node => other.includes(node)))
    }),
  )
})

test('without voters nothing is won and nothing commits', () => {
  assert.is(
    quorumVote(emptyConfiguration, () => true),
    'lost',
  )
  assert.is(
    quorumIndex(emptyConfiguration, () => 9),
    0,
  )
})

test.run()
