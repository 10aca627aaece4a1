// When deaths are declared: one at once, many after the leader has doubted itself, a zone as the policy says.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Brake, MASS_HOLD_MS, RETURN_MS } from '../../../node/control/brake.ts'
import type { Verdict, Witnessed } from '../../../node/control/verdicts.ts'

/** A roster whose first node leads, and a brake that looks at it. */
class Court {
  readonly brake = new Brake()
  nowMs = 50_000
  isSound = true
  zoneLossMs: number | null = 10_000
  readonly nodes: Witnessed[]

  constructor(zones: readonly (string | null)[]) {
    this.nodes = zones.map((zone, position) => ({
      id: `n${position}`,
      name: `n${position}`,
      zone,
      state: 'alive',
      gossip: 'alive',
      accusers: [],
      doubtedMs: null,
      contactMs: 50,
      contactEveryMs: 100,
    }))
  }

  set(positions: readonly number[], parts: Partial<Witnessed>): this {
    for (const position of positions)
      this.nodes[position] = { ...(this.nodes[position] as Witnessed), ...parts }
    return this
  }

  /** They are heard no more, and could be declared dead. */
  silence(...positions: number[]): this {
    return this.set(positions, { contactMs: 1_000, gossip: 'dead' })
  }

  wait(ms: number): this {
    this.nowMs += ms
    return this
  }

  /** Whose death is declared now; that is in the log at once. `held` keeps the reason of the others. */
  held = ''
  look(): string {
    const verdicts = this.nodes
      .filter(({ state, gossip }) => state === 'alive' && gossip === 'dead')
      .map(({ id }): Verdict => ({ id, state: 'dead', reason: 'it is silent' }))
    const { nodes, nowMs, isSound, zoneLossMs } = this
    const { due, held } = this.brake.judge({ self: 'n0', nodes, verdicts, isSound, zoneLossMs, nowMs })
    this.held = [...new Set(held.values())].join('; ')
    const dead = due.map(({ id }) => Number(id.slice(1)))
    this.set(dead, { state: 'dead' })
    return dead.join()
  }
}

const plain = (count: number): Court => new Court(Array.from({ length: count }, () => null))
const inThree = (): Court =>
  new Court(Array.from({ length: 9 }, (_, at) => ['a', 'b', 'c'][at % 3] as string))

test('one node is given up at once, in a cluster of any size', () => {
  for (const count of [2, 3, 5]) assert.is(plain(count).silence(1).look(), '1')
})

test('up to a third at once is no reason for doubt', () => {
  assert.is(plain(6).silence(1, 2).look(), '1,2')
  assert.is(plain(9).silence(1, 2, 3).look(), '1,2,3')
})

test('with more than a third the leader doubts itself first', () => {
  const court = plain(5).silence(1, 2)
  assert.is(court.look(), '')
  assert.is(court.held, '2 of 5 nodes fell silent at once, so the leader doubts itself first, for 5 s more')
  assert.is(court.wait(MASS_HOLD_MS - 1).look(), '')
  assert.is(court.wait(1).look(), '1,2')
})

test('those of whom gossip still thinks well are counted when Raft hears nothing of them', () => {
  const court = plain(5).silence(1).set([2], { contactMs: 400 })
  assert.is(court.look(), '')
  court.set([2], { contactMs: 10 })
  assert.is(court.wait(100).look(), '1', 'the other one was only late')
})

test('a leader that is not sound meanwhile begins anew', () => {
  const court = plain(5).silence(1, 2)
  court.look()
  court.wait(MASS_HOLD_MS - 100).isSound = false
  assert.is(court.look(), '')
  court.wait(200).isSound = true
  assert.is(court.look(), '')
  assert.is(court.wait(MASS_HOLD_MS).look(), '1,2')
})

test('deaths that follow one another closely are one wave', () => {
  const court = plain(5).silence(1)
  assert.is(court.look(), '1')
  assert.is(court.wait(1_000).silence(2).look(), '')
  const slow = plain(5).silence(1)
  assert.is(slow.look(), '1')
  assert.is(slow.wait(4_000).silence(2).look(), '2')
})

test('whoever comes back meanwhile is not declared dead', () => {
  const court = plain(5).silence(1, 2)
  court.look()
  court.wait(1_000).set([1, 2], { contactMs: 10, gossip: 'alive' })
  assert.is(court.look(), '')
  court.silence(3)
  assert.is(court.wait(1_000).look(), '3')
})

test('a zone that is lost as a whole is given up when its time is over', () => {
  const court = inThree().silence(1, 4, 7)
  assert.is(court.look(), '')
  assert.is(court.held, 'zone b is lost as a whole: its work moves in 10 s unless it is back')
  assert.is(court.wait(9_999).look(), '')
  assert.is(court.wait(1).look(), '1,4,7')
})

test('where the policy says so, a lost zone is waited for as long as it takes', () => {
  const court = inThree().silence(1, 4, 7)
  court.zoneLossMs = null
  assert.is(court.look(), '')
  assert.is(court.wait(86_400_000).look(), '')
  assert.is(court.held, 'zone b is lost as a whole: its work waits until it is back')
})

test('a zone and others beside it at once are many, and the zone itself waits on', () => {
  const court = inThree().silence(1, 4, 7, 2)
  assert.is(court.look(), '')
  assert.match(court.held, /4 of 9 nodes fell silent at once/)
  assert.is(court.wait(MASS_HOLD_MS).look(), '2')
  assert.is(court.wait(5_000).look(), '1,4,7')
})

test('a node that dies when a zone has been lost for a while does not wait with it', () => {
  const court = inThree().silence(1, 4, 7)
  court.look()
  assert.is(court.wait(MASS_HOLD_MS).silence(2).look(), '2')
})

test('one node of a zone that still answers makes it single deaths again', () => {
  assert.is(inThree().silence(1, 4).look(), '1,4')
  const court = inThree().silence(1, 4, 7)
  court.look()
  court.wait(999).set([7], { contactMs: 10, gossip: 'alive' })
  assert.is(court.look(), '1,4', 'that one was only late')
})

test('of those that come back together, the last has longer than the first', () => {
  const zone = inThree().silence(1, 4, 7)
  zone.look()
  zone.wait(3_000).set([7], { contactMs: 10, gossip: 'alive' })
  assert.is(zone.look(), '')
  assert.is(zone.held, 'others that fell silent with it are back: it has 5 s more')
  zone.wait(1_000).set([4], { contactMs: 10, gossip: 'alive' })
  assert.is(zone.look(), '')
  assert.is(zone.wait(RETURN_MS - 1_001).look(), '')
  assert.is(zone.wait(1).look(), '1')
  const mass = plain(5).silence(1, 2)
  mass.look()
  mass.wait(3_000).set([1], { contactMs: 10, gossip: 'alive' })
  assert.is(mass.look(), '')
  assert.is(mass.wait(RETURN_MS).look(), '2')
})

test('gossip may hear before Raft does that one of them is back', () => {
  const zone = inThree().silence(1, 4, 7)
  zone.look()
  zone.wait(3_000).set([7], { gossip: 'alive' })
  assert.is(zone.look(), '')
  zone.wait(5).set([7], { contactMs: 10 })
  assert.is(zone.look(), '')
  assert.is(zone.held, 'others that fell silent with it are back: it has 5 s more')
  assert.is(zone.wait(RETURN_MS).look(), '1,4')
})

test('nodes that were dead before are no part of a zone', () => {
  const court = inThree().set([1], { state: 'dead' }).silence(4, 7)
  assert.is(court.look(), '')
  assert.is(court.wait(10_000).look(), '4,7')
})

test('a zone of one node is a node, and nobody is in no zone', () => {
  assert.is(new Court(['a', 'b', 'c', 'd']).silence(1).look(), '1')
  assert.is(new Court([null, null, null, 'a', 'a', 'a']).silence(1, 2).look(), '1,2')
})

test('two zones at once wait each for its own time', () => {
  const court = inThree().silence(1, 4, 7)
  court.look()
  assert.is(court.wait(5_000).silence(2, 5, 8).look(), '')
  assert.is(court.wait(5_000).look(), '1,4,7')
  assert.is(court.wait(5_000).look(), '2,5,8')
})

test.run()
