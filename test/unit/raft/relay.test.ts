// The log through relays in clusters of many nodes. Whole conversations of a few are in transcripts/.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { RaftFleet } from '../../harness/raft-fleet.ts'

/** Enough for every learner to be left to the relays. */
const SETTLED = 60

const settled = (nodeCount: number, options: ConstructorParameters<typeof RaftFleet>[1] = {}): RaftFleet => {
  const fleet = new RaftFleet(nodeCount, options)
  fleet.pass(SETTLED)
  return fleet
}

const statesOf = ({ leader }: RaftFleet): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { state } of leader.raft!.status().peers) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

test('a commit costs the leader no more bytes with 500 nodes than twice those with 50', () => {
  const fifty = settled(50).commit(40)
  const fiveHundred = settled(500).commit(40)
  assert.ok(
    fiveHundred.bytes <= 2 * fifty.bytes,
    `${fiveHundred.bytes} bytes with 500 nodes, ${fifty.bytes} with 50`,
  )
})

test('with relays every node has every entry, and the leader knows it', () => {
  const fleet = settled(120)
  fleet.commit(20)
  fleet.pass(SETTLED)
  const { lastIndex, peers } = fleet.leader.raft!.status()
  for (const node of fleet.nodes) assert.equal(node.lines, fleet.leader.lines, node.id)
  for (const { id, match } of peers) assert.is(match, lastIndex, id)
})

test('the leader feeds the voters and as many learners as the option says, and no fewer', () => {
  assert.equal(statesOf(settled(13)), { replicate: 12 })
  assert.equal(statesOf(settled(15)), { replicate: 12, relay: 2 })
  assert.equal(statesOf(settled(15, { directLearnersMax: 0 })), { replicate: 4, relay: 10 })
  assert.equal(statesOf(settled(15, { directLearnersMax: 10 })), { replicate: 14 })
})

test('the more learners there are, the more seldom each of them reports, and the leader knows how seldom', () => {
  const seldomest = (fleet: RaftFleet): number =>
    Math.max(...fleet.leader.raft!.status().peers.map(({ contactTicks }) => contactTicks))
  assert.is(seldomest(settled(13)), 4)
  assert.is(seldomest(settled(105)), 4)
  assert.is(seldomest(settled(106)), 8)
  const fleet = settled(250)
  for (let tick = 0; tick < 20; tick++) {
    fleet.pass(1)
    for (const { id, ticksSinceHeard, contactTicks } of fleet.leader.raft!.status().peers)
      assert.ok(ticksSinceHeard <= contactTicks, `${id} was heard ${ticksSinceHeard} ticks ago`)
  }
})

test('reports do not all come in one moment, though all were asked for in one', () => {
  const fleet = settled(250)
  for (let tick = 0; tick < 12; tick++) {
    const before = fleet.sent.get('report')!
    fleet.pass(1)
    const reports = fleet.sent.get('report')! - before
    assert.ok(reports < 237 / 4, `${reports} of 237 learners report in one of 12 ticks`)
  }
})

test('a node that gets the log through relays hears of its leader with every heartbeat, however far down', () => {
  const fleet = settled(120, { relayFanOut: 3 })
  for (let tick = 0; tick < 20; tick++) {
    fleet.pass(1)
    for (const node of fleet.nodes) {
      const { leader, ticksSinceLeader } = node.raft!.status()
      assert.is(leader, fleet.leader.id)
      assert.ok(ticksSinceLeader <= 4, `${node.id} heard of its leader ${ticksSinceLeader} ticks ago`)
    }
  }
})

test('many reads on the leader are no burden for those who get the log through relays', () => {
  const fleet = settled(50)
  const before = fleet.sent.get('pulled')!
  fleet.read(100)
  assert.ok(fleet.sent.get('pulled')! - before <= 37, 'each of the 37 hears of at most one of the rounds')
  fleet.pass(4)
  for (const node of fleet.nodes) assert.ok(node.raft!.status().ticksSinceLeader <= 4)
})

test.run()
