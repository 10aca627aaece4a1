import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Candidate,
  chooseVoters,
  KEEPER_POLICY,
  type KeeperPolicy,
  type Membership,
  majorityOf,
} from '../../../node/control/quorum-keeper.ts'

const NOW_MS = 100_000
const LONG_AGO_MS = 0
const JUST_NOW_MS = NOW_MS - 100

const SEVEN: KeeperPolicy = { ...KEEPER_POLICY, votersMax: 7 }

const node = (id: string, parts: Partial<Candidate> = {}): Candidate => ({
  id,
  zone: null,
  isAlive: true,
  sinceMs: LONG_AGO_MS,
  probationMs: 0,
  lag: 0,
  diskMs: null,
  isDrained: false,
  ...parts,
})

const dead = (id: string, sinceMs = LONG_AGO_MS): Candidate => node(id, { isAlive: false, sinceMs, lag: 10 })

const choose = (
  roster: readonly Candidate[],
  voters: string,
  learners = '',
  self = voters[0]!,
  policy: KeeperPolicy = KEEPER_POLICY,
): Membership | null =>
  chooseVoters({
    self,
    roster,
    configuration: { voters: [...voters], learners: [...learners] },
    policy,
    nowMs: NOW_MS,
  })

test('a new node learns first, and votes once it has caught up and the count stays odd', () => {
  assert.equal(choose([node('a'), node('b', { lag: 5_000 })], 'a'), { voters: ['a'], learners: ['b'] })
  assert.is(choose([node('a'), node('b')], 'a', 'b'), null, 'two nodes have one voter')
  const three = [node('a'), node('b'), node('c', { lag: 5_000 })]
  assert.is(choose(three, 'a', 'bc'), null, 'the third has not caught up')
  assert.equal(choose([node('a'), node('b'), node('c')], 'a', 'bc'), {
    voters: ['a', 'b', 'c'],
    learners: [],
  })
})

test('the voters grow by one step at a time, to five at most, and the others learn', () => {
  const nine = [...'abcdefghi'].map(id => node(id))
  assert.equal(choose(nine, 'a', 'bcdefghi'), { voters: [...'abc'], learners: [...'defghi'] })
  assert.equal(choose(nine, 'abc', 'defghi'), { voters: [...'abcde'], learners: [...'fghi'] })
})

test('a voter out of touch for a moment is kept', () => {
  assert.is(choose([node('a'), node('b'), dead('c', JUST_NOW_MS), node('d')], 'abc', 'd'), null)
})

test('a voter that is gone is replaced by a spare, and has no seat to come back to', () => {
  const back = [node('a'), node('b'), node('c', { sinceMs: JUST_NOW_MS }), node('d')]
  assert.is(choose(back, 'abd', 'c'), null)
  assert.equal(choose([node('a'), node('b'), dead('c'), node('d')], 'abc', 'd'), {
    voters: [...'abd'],
    learners: ['c'],
  })
})

test('five voters with one gone and no spare stay five; with two gone they become three', () => {
  const four = [node('a'), node('b'), node('c'), node('d'), dead('e')]
  assert.is(choose(four, 'abcde'), null)
  const three = [node('a'), node('b'), node('c'), dead('d'), dead('e')]
  assert.equal(choose(three, 'abcde'), { voters: [...'abc'], learners: [...'de'] })
})

test('three voters with one gone and no spare stay three, so that every write is on two disks', () => {
  assert.is(choose([node('a'), node('b'), dead('c')], 'abc', '', 'b'), null)
})

test('short of spares, a voter that is gone is kept to make the number odd', () => {
  const six = [...'abcdef'].map(id => node(id)).concat(dead('g'))
  assert.is(choose(six, 'abcdefg', '', 'a', SEVEN), null)
  const four = [...'abcd'].map(id => node(id)).concat([...'efg'].map(id => dead(id)))
  assert.equal(
    choose(four, 'abcdefg', '', 'a', SEVEN)?.voters.length,
    5,
    'four that live and one that is gone',
  )
})

test('a spare takes the place of one of two that are gone, and the other is kept', () => {
  const roster = [node('a'), node('b'), node('c'), dead('d'), dead('e'), node('f')]
  assert.equal(choose(roster, 'abcde', 'f')?.voters, [...'abcdf'])
})

test('a node that was lost serves its probation before it votes, and a voter that comes back needs none', () => {
  const onProbation = (aliveMs: number) => node('e', { sinceMs: NOW_MS - aliveMs, probationMs: 10_000 })
  const grown = (aliveMs: number) =>
    choose([...'abcd'].map(id => node(id)).concat(onProbation(aliveMs)), 'abc', 'de')?.voters ?? null
  assert.is(grown(9_999), null)
  assert.equal(grown(10_000), [...'abcde'])
  assert.is(choose([node('a'), node('b'), onProbation(100)], 'abe'), null)
})

test('where one more loss would stop writes, a node on probation is better than none', () => {
  const replaced = (aliveMs: number) =>
    choose(
      [node('a'), node('b'), dead('c'), node('d', { sinceMs: NOW_MS - aliveMs, probationMs: 600_000 })],
      'abc',
      'd',
    )?.voters ?? null
  assert.is(replaced(4_999), null)
  assert.equal(replaced(5_000), [...'abd'])
})

test('a dead learner is never made a voter: when a voter leaves and two nodes live, one votes', () => {
  const roster = [node('a'), node('b'), dead('d')]
  assert.equal(choose(roster, 'abc', 'd'), { voters: ['a'], learners: [...'bd'] })
})

test('nothing is done without a majority of the present voters', () => {
  assert.is(choose([node('a'), dead('b'), dead('c'), node('d')], 'abc', 'd'), null)
})

test('who has left is taken out at once, and the count stays odd', () => {
  assert.equal(choose([node('a'), node('b'), node('d')], 'abc', 'd'), { voters: [...'abd'], learners: [] })
  assert.equal(choose([node('a'), node('b')], 'abc'), { voters: ['a'], learners: ['b'] })
  assert.equal(choose([node('a'), node('b')], 'ab', 'c'), { voters: ['a'], learners: ['b'] })
})

test('a leader that has left and is the only voter is followed by a learner', () => {
  assert.equal(choose([node('b')], 'a', 'b', 'a'), { voters: ['b'], learners: [] })
})

test('new voters are spread over zones, and an existing crowd is thinned out one by one', () => {
  const zoned = [...'abcdefghi'].map((id, position) => node(id, { zone: `zone-${Math.floor(position / 3)}` }))
  let membership: Membership = { voters: ['a'], learners: [...'bcdefghi'] }
  assert.equal(choose(zoned, 'a', 'bcdefghi')?.voters, ['a', 'd', 'g'], 'one each')
  assert.equal(choose(zoned, 'adg', 'bcefhi')?.voters, ['a', 'b', 'd', 'e', 'g'], 'two, two and one')
  membership = { voters: [...'abcde'], learners: [...'fghi'] }
  for (let steps = 0; steps < 10; steps++) {
    const next = chooseVoters({
      self: 'a',
      roster: zoned,
      configuration: membership,
      policy: KEEPER_POLICY,
      nowMs: NOW_MS,
    })
    if (next === null) break
    assert.ok(next.voters.includes('a'), 'the leader stays')
    membership = next
  }
  const perZone = ['zone-0', 'zone-1', 'zone-2'].map(
    zone => zoned.filter(one => one.zone === zone && membership.voters.includes(one.id)).length,
  )
  assert.equal(perZone.sort(), [1, 2, 2])
})

test('nodes killed one at a time cost writes only when two are left and one of them dies', () => {
  let alive = [...'abcdefghi']
  let membership: Membership = { voters: [...'abcde'], learners: [...'fghi'] }
  const hasQuorum = (): boolean =>
    membership.voters.filter(id => alive.includes(id)).length >= majorityOf(membership.voters.length)
  while (alive.length > 2) {
    // The worst to lose.
    const victim = membership.voters.find(id => alive.includes(id))!
    alive = alive.filter(id => id !== victim)
    assert.ok(hasQuorum(), `${alive} of ${membership.voters}`)
    const self = membership.voters.find(id => alive.includes(id))!
    const roster = [...'abcdefghi'].map(id => (alive.includes(id) ? node(id) : dead(id)))
    for (let steps = 0; steps < 5; steps++)
      membership =
        chooseVoters({ self, roster, configuration: membership, policy: KEEPER_POLICY, nowMs: NOW_MS }) ??
        membership
  }
  assert.is(membership.voters.length, 3, 'never a single disk because of deaths')
  assert.ok(alive.every(id => membership.voters.includes(id)))
})

test('fewer vote where one zone would else hold a majority, be its nodes alive or dead', () => {
  const inZone = (id: string, zone: string) => node(id, { zone })
  const lopsided = [...'abcd'].map(id => inZone(id, 'x')).concat(inZone('e', 'y'), inZone('f', 'z'))
  assert.equal(choose(lopsided, 'a', 'bcdef')?.voters, [...'aef'])
  assert.is(choose(lopsided, 'aef', 'bcd'), null)
  const isolated = lopsided.map(one => (one.id === 'f' ? { ...dead('f'), zone: 'z' } : one))
  assert.equal(choose(isolated, 'aef', 'bcd')?.voters, [...'abe'], 'replaced, and still three')
  const twoZones = [...'abc'].map(id => inZone(id, 'x')).concat([...'de'].map(id => inZone(id, 'y')))
  assert.equal(
    choose(twoZones, 'abd', 'ce')?.voters,
    [...'abcde'],
    'one of two zones holds a majority of any number',
  )
})

test('among equals, a new voter is one with a fast disk, little lag and a long time in touch', () => {
  const pair = (left: Partial<Candidate>, right: Partial<Candidate>) =>
    choose([node('a'), node('b'), dead('c'), node('y', left), node('z', right)], 'abc', 'yz')?.voters[2]
  assert.is(pair({}, {}), 'y')
  assert.is(pair({ diskMs: 32 }, { diskMs: 8, lag: 900, sinceMs: 50_000 }), 'z')
  assert.is(pair({ diskMs: 4 }, { diskMs: 1 }), 'y', 'fast enough is fast')
  assert.is(pair({ lag: 900 }, { lag: 90, sinceMs: 50_000 }), 'z')
  assert.is(pair({ sinceMs: 50_000 }, {}), 'z')
  assert.is(pair({ isDrained: true }, { diskMs: 32 }), 'z')
})

test('a voter with a slow disk, or drained, gives its vote to a steady node without such a flaw', () => {
  const voters = (slow: Partial<Candidate>, spare: Partial<Candidate>) =>
    choose([node('a'), node('b', slow), node('c'), node('d', spare)], 'abc', 'd')?.voters.join('') ?? null
  assert.is(voters({ diskMs: 64 }, { diskMs: 4 }), 'acd')
  assert.is(voters({ diskMs: 64 }, { diskMs: 32 }), null, 'not much faster')
  assert.is(voters({ diskMs: 64 }, { sinceMs: JUST_NOW_MS }), null, 'not steady')
  assert.is(voters({ diskMs: 32 }, {}), null, 'not slow')
  assert.is(voters({ isDrained: true }, {}), 'acd')
  assert.is(voters({ isDrained: true }, { isDrained: true }), null)
  const leading = [node('a', { diskMs: 64, isDrained: true }), node('b'), node('c'), node('d')]
  assert.is(choose(leading, 'abc', 'd'), null, 'the leader is never exchanged')
  const zoned = [node('a', { zone: 'x' }), node('b', { zone: 'y', diskMs: 64 }), node('c', { zone: 'z' })]
  assert.is(choose([...zoned, node('d', { zone: 'x' })], 'abc', 'd'), null, 'spread is worth more')
})

test.run()
