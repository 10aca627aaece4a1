import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lan, type NodeId } from '../../../gossip/index.ts'
import { prng } from '../../harness/prng.ts'
import { Cluster } from './cluster.ts'

const named = (count: number): NodeId[] => Array.from({ length: count }, (_, i) => `n${i}`)

/** The subjects of verdicts so far. */
const declaredDead = (cluster: Cluster): NodeId[] =>
  cluster.witnessed.flatMap(({ fact }) => (fact.type === 'member-dead' ? [fact.member.id] : []))

/** Every live node's view of every node, compared with the truth. */
function assertTruthIsKnown(cluster: Cluster, seed: number): void {
  for (const { id: observer } of cluster.up())
    for (const { id: subject, isUp } of cluster.nodes.values()) {
      const state = cluster.stateOf(observer, subject)
      assert.is(state, isUp ? 'alive' : 'dead', `seed ${seed}: ${observer} holds ${subject} ${state}`)
    }
}

test('after faults stop, all live nodes agree who is alive and who is dead', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 2, max: 8 }), (seed, size) => {
      const cluster = new Cluster(seed, lan(size))
      const dice = prng(seed, 'faults')
      const ids = named(size)
      cluster.hasPubSub = dice.chance(0.5)
      cluster.startAll(ids)
      for (let round = 0; round < 12; round++) {
        const id = dice.pick(ids)
        const cut = dice.pick(ids)
        cluster.lossRate = dice.pick([0, 0.1, 0.4])
        cluster.mayPass = dice.chance(0.3) ? (from, to) => from < cut === to < cut : () => true
        const fault = dice.pick(['kill', 'crash', 'pause', 'none'])
        if (!cluster.node(id).isUp) cluster.restart(id)
        else if (fault === 'kill' || fault === 'crash') cluster[fault](id)
        else if (fault === 'pause' && cluster.node(id).pausedInputs === null)
          cluster.pause(id, dice.between(10, 4_000))
        cluster.run(dice.between(10, 3_000))
      }
      cluster.lossRate = 0
      cluster.mayPass = () => true
      if (cluster.up().length === 0) cluster.restart('n0')
      cluster.run(40_000)
      assertTruthIsKnown(cluster, seed)
    }),
    { numRuns: 40 },
  )
})

test('nobody is declared dead while nothing fails', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 9 }), (seed, size) => {
      const cluster = new Cluster(seed, lan(size))
      cluster.startAll(named(size))
      cluster.run(20_000)
      assert.equal(cluster.facts('member-suspect'), [])
      assert.equal(declaredDead(cluster), [])
    }),
    { numRuns: 20 },
  )
})

test('nobody is declared dead for losing a tenth of its messages and standing still for 300 ms now and then', () => {
  for (let seed = 0; seed < 10; seed++) {
    const cluster = new Cluster(seed, lan(5))
    const dice = prng(seed, 'load')
    cluster.lossRate = 0.1
    cluster.startAll(named(5))
    for (let round = 0; round < 60; round++) {
      for (const { id, pausedInputs } of cluster.up())
        if (pausedInputs === null && dice.chance(0.3)) cluster.pause(id, dice.between(1, 300))
      cluster.run(500)
    }
    assert.equal(declaredDead(cluster), [], `seed ${seed}`)
  }
})

/** How long after the failure each survivor passed its verdict on n1, in ascending order. */
function verdictTimes(seed: number, size: number, failure: 'kill' | 'crash'): number[] {
  const cluster = new Cluster(seed, lan(size))
  cluster.startAll(named(size))
  cluster.run(3_000)
  const failedMs = cluster.nowMs
  cluster[failure]('n1')
  cluster.run(8_000)
  assert.equal([...new Set(declaredDead(cluster))], ['n1'], `seed ${seed}`)
  return cluster
    .facts('member-dead')
    .map(({ atMs }) => atMs - failedMs)
    .sort((a, b) => a - b)
}

test('a silent death among five is known to all within 2 s, half of the time within 1.5 s', () => {
  const times = Array.from({ length: 40 }, (_, seed) => verdictTimes(seed, 5, 'kill'))
  assert.ok(times.every(verdicts => verdicts.length === 4))
  const last = times.map(verdicts => verdicts[3]!).sort((a, b) => a - b)
  assert.ok(last[39]! < 2_000, `worst ${last[39]} ms`)
  assert.ok(last[20]! < 1_500, `median ${last[20]} ms`)
})

test('a crash whose host refuses connections is known to all within 100 ms, and never before the time to refute', () => {
  for (let seed = 0; seed < 20; seed++) {
    const verdicts = verdictTimes(seed, 5, 'crash')
    assert.is(verdicts.length, 4)
    assert.ok(verdicts[0]! >= lan(5).goneMs && verdicts[3]! < 100, `seed ${seed}: ${verdicts}`)
  }
})

test('detection takes no longer among forty than among five', () => {
  const first = Array.from({ length: 5 }, (_, seed) => verdictTimes(seed, 40, 'kill')[0]!)
  assert.ok(Math.max(...first) < 2_000, `${first}`)
})

test('the verdict on a dead member is confirmed by more than one reporter', () => {
  const cluster = new Cluster(3, lan(5))
  cluster.startAll(named(5))
  cluster.run(3_000)
  cluster.kill('n1')
  cluster.run(5_000)
  for (const { id, swim } of cluster.up())
    assert.ok(swim.status().doubts[0]!.confirmedBy.length >= 3, `as ${id} sees it`)
})

test('a node whose link to one other is cut both ways keeps it alive through helpers', () => {
  const cluster = new Cluster(4, lan(5))
  cluster.startAll(named(5))
  cluster.mayPass = (from, to) => !(['n0', 'n1'].includes(from) && ['n0', 'n1'].includes(to))
  cluster.run(30_000)
  assert.equal(declaredDead(cluster), [])
})

test('a node that hears nobody declares its peers dead alone, and no other node follows it', () => {
  const cluster = new Cluster(5, lan(5))
  cluster.startAll(named(5))
  cluster.run(3_000)
  cluster.mayPass = (_from, to) => to !== 'n0'
  cluster.run(3_000)
  const followers = cluster
    .facts('member-dead')
    .filter(({ by, fact }) => by !== 'n0' && fact.type === 'member-dead' && fact.member.id !== 'n0')
  assert.equal(followers, [])
})

test('both sides of a healed partition see each other again within 10 s', () => {
  for (let seed = 0; seed < 10; seed++) {
    const cluster = new Cluster(seed, lan(5))
    cluster.startAll(named(5))
    cluster.run(2_000)
    cluster.mayPass = (from, to) => from < 'n2' === to < 'n2'
    cluster.run(15_000)
    assert.is(cluster.stateOf('n0', 'n3'), 'dead')
    assert.is(cluster.stateOf('n3', 'n0'), 'dead')
    cluster.mayPass = () => true
    cluster.run(10_000)
    assertTruthIsKnown(cluster, seed)
  }
})

test('a restarted node that forgot its incarnation is alive for all within 2 s', () => {
  for (let seed = 0; seed < 10; seed++) {
    const cluster = new Cluster(seed, lan(5))
    cluster.startAll(named(5))
    cluster.run(2_000)
    cluster.kill('n1')
    cluster.run(6_000)
    cluster.restart('n1')
    cluster.run(2_000)
    assertTruthIsKnown(cluster, seed)
  }
})

test('a node that stands still for 10 s is taken back, and blames nobody for its own sleep', () => {
  for (let seed = 0; seed < 10; seed++) {
    const cluster = new Cluster(seed, lan(5))
    cluster.startAll(named(5))
    cluster.run(2_000)
    cluster.pause('n1', 10_000)
    cluster.run(20_000)
    assert.equal([...new Set(declaredDead(cluster))], ['n1'], `seed ${seed}`)
    assertTruthIsKnown(cluster, seed)
  }
})

test('a joiner that knows one member learns all admitted members through it', () => {
  const cluster = new Cluster(6, lan(5))
  cluster.startAll(named(4))
  cluster.run(1_000)
  cluster.tell('n2', { type: 'setAddresses', addresses: ['moved:1'] })
  cluster.run(3_000)
  for (const id of named(4)) cluster.tell(id, { type: 'admit', id: 'n4', addresses: [], metadata: {} })
  cluster.add('n4')
  cluster.tell('n4', { type: 'start' })
  cluster.tell('n4', { type: 'join', members: cluster.node('n0').swim.members() })
  cluster.run(1_000)
  assertTruthIsKnown(cluster, 6)
  assert.equal(
    cluster
      .node('n4')
      .swim.members()
      .find(({ id }) => id === 'n2')?.addresses,
    ['moved:1'],
  )
})

test('the same seed gives the same conversation', () => {
  const talk = (): string => {
    const lines: string[] = []
    const cluster = new Cluster(9, lan(5))
    cluster.onSend = (from, to, message) =>
      lines.push(`${cluster.nowMs} ${from} ${to} ${JSON.stringify(message)}`)
    cluster.startAll(named(5))
    cluster.run(2_000)
    cluster.kill('n2')
    cluster.run(4_000)
    return lines.join('\n')
  }
  assert.is(talk(), talk())
})

test.run()
