import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Candidate,
  chooseVoters,
  KEEPER_POLICY,
  type KeeperInput,
  type Membership,
  majorityOf,
} from '../../../node/control/quorum-keeper.ts'

const NOW_MS = 100_000
const LONG_AGO_MS = 0
const JUST_NOW_MS = NOW_MS - 100

const node = (id: string, parts: Partial<Candidate> = {}): Candidate => ({
  id,
  zone: null,
  isAlive: true,
  sinceMs: LONG_AGO_MS,
  lag: 0,
  ...parts,
})

const dead = (id: string, sinceMs = LONG_AGO_MS): Candidate => node(id, { isAlive: false, sinceMs, lag: 10 })

const choose = (
  roster: readonly Candidate[],
  voters: string,
  learners = '',
  self = voters[0]!,
): Membership | null =>
  chooseVoters({
    self,
    roster,
    configuration: { voters: [...voters], learners: [...learners] },
    policy: KEEPER_POLICY,
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

test('five voters at most, the others learn', () => {
  const nine = [...'abcdefghi'].map(id => node(id))
  assert.equal(choose(nine, 'abc', 'defghi'), { voters: [...'abcde'], learners: [...'fghi'] })
})

test('a voter out of touch for a moment is kept', () => {
  assert.is(choose([node('a'), node('b'), dead('c', JUST_NOW_MS), node('d')], 'abc', 'd'), null)
})

test('a voter that is gone is replaced by a spare', () => {
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
  const first = choose(zoned, 'a', 'bcdefghi')
  assert.equal(first?.voters, ['a', 'b', 'd', 'e', 'g'], 'two, two and one')
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

const IDS = [...'abcdefghij']

const inputs: fc.Arbitrary<KeeperInput> = fc
  .record({
    count: fc.integer({ min: 1, max: IDS.length }),
    isInRoster: fc.array(
      fc.integer({ min: 0, max: 9 }).map(dice => dice > 0),
      { minLength: 10, maxLength: 10 },
    ),
    states: fc.array(
      fc.record({
        zone: fc.constantFrom(null, 'x', 'y', 'z'),
        isAlive: fc.integer({ min: 0, max: 9 }).map(dice => dice > 2),
        sinceMs: fc.constantFrom(LONG_AGO_MS, JUST_NOW_MS, NOW_MS - 6_000),
        lag: fc.constantFrom(0, 900, 5_000),
      }),
      { minLength: 10, maxLength: 10 },
    ),
    roles: fc.array(fc.constantFrom('voter', 'voter', 'learner', 'none'), { minLength: 10, maxLength: 10 }),
  })
  .map(({ count, isInRoster, states, roles }) => {
    const ids = IDS.slice(0, count)
    const roster = ids
      .filter((_, position) => isInRoster[position])
      .map(id => ({ id, ...states[IDS.indexOf(id)]! }))
      .map(one => (one.id === 'a' ? { ...one, isAlive: true, lag: 0 } : one))
    const voters = ids.filter(id => id === 'a' || roles[IDS.indexOf(id)] === 'voter')
    const learners = ids.filter(id => !voters.includes(id) && roles[IDS.indexOf(id)] === 'learner')
    return { self: 'a', roster, configuration: { voters, learners }, policy: KEEPER_POLICY, nowMs: NOW_MS }
  })

const after = (input: KeeperInput, target: Membership): KeeperInput => ({ ...input, configuration: target })

test('property: the voters are an odd number of roster nodes, at most five, with a living majority', () => {
  fc.assert(
    fc.property(inputs, input => {
      const target = chooseVoters(input)
      if (target === null) return
      const ids = input.roster.map(one => one.id)
      const alive = input.roster.filter(one => one.isAlive).map(one => one.id)
      const { voters, learners } = target
      assert.ok(voters.length % 2 === 1 && voters.length <= 5)
      assert.ok(voters.filter(id => alive.includes(id)).length >= majorityOf(voters.length))
      assert.equal(
        [...voters, ...learners].sort(),
        [...ids].sort(),
        'everybody of the roster, and nobody else',
      )
      if (ids.includes('a')) assert.ok(voters.includes('a'), 'a leader that stays votes')
    }),
    { numRuns: 3_000 },
  )
})

test('property: nothing changes when a majority of the present voters is not alive', () => {
  fc.assert(
    fc.property(inputs, input => {
      const alive = new Set(input.roster.filter(one => one.isAlive).map(one => one.id)).add('a')
      const present = input.configuration.voters
      if (present.filter(id => alive.has(id)).length >= majorityOf(present.length)) return
      assert.is(chooseVoters(input), null)
    }),
    { numRuns: 2_000 },
  )
})

test('property: it comes to rest', () => {
  fc.assert(
    fc.property(inputs, input => {
      let current = input
      // Each exchange for a better spread is one step; everything else is done in the first.
      for (let steps = 0; steps < 8; steps++) {
        const target = chooseVoters(current)
        if (target === null) return
        current = after(current, target)
      }
      assert.unreachable('it changes its mind without end')
    }),
    { numRuns: 3_000 },
  )
})

test('property: a living voter is given up only for an odd count, or one at a time for a better spread', () => {
  fc.assert(
    fc.property(inputs, input => {
      const target = chooseVoters(input)
      if (target === null) return
      const ids = input.roster.map(one => one.id)
      const living = input.roster.filter(one => one.isAlive).map(one => one.id)
      const givenUp = input.configuration.voters.filter(
        id => living.includes(id) && !target.voters.includes(id),
      )
      const staying = input.configuration.voters.filter(id => ids.includes(id))
      const isShrinking = target.voters.length < staying.length || staying.length > KEEPER_POLICY.votersMax
      if (!isShrinking) assert.ok(givenUp.length <= 1, `${givenUp} of ${input.configuration.voters}`)
    }),
    { numRuns: 3_000 },
  )
})

test.run()
