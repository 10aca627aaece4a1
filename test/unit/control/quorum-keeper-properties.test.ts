import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Contacts } from '../../../node/control/contact.ts'
import {
  type Candidate,
  chooseVoters,
  countWanted,
  crowding,
  KEEPER_POLICY,
  type KeeperInput,
  type Membership,
  majorityOf,
} from '../../../node/control/quorum-keeper.ts'

const NOW_MS = 100_000
const LONG_AGO_MS = 0
const JUST_NOW_MS = NOW_MS - 100
const IDS = [...'abcdefghij']
/** More than any roster here needs to come to rest. */
const STEPS_MAX = 20

const always = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(arbitrary, { minLength: IDS.length, maxLength: IDS.length })

const states = fc.record({
  zone: fc.constantFrom(null, 'x', 'y', 'z'),
  isAlive: fc.integer({ min: 0, max: 9 }).map(dice => dice > 2),
  sinceMs: fc.constantFrom(LONG_AGO_MS, JUST_NOW_MS, NOW_MS - 6_000),
  probationMs: fc.constantFrom(0, 0, 5_000, 10_000),
  lag: fc.constantFrom(0, 900, 5_000),
  diskMs: fc.constantFrom(null, 1, 8, 32, 64, 256),
  isDrained: fc.integer({ min: 0, max: 9 }).map(dice => dice === 0),
})

const inputs: fc.Arbitrary<KeeperInput> = fc
  .record({
    count: fc.integer({ min: 1, max: IDS.length }),
    isInRoster: always(fc.integer({ min: 0, max: 9 }).map(dice => dice > 0)),
    states: always(states),
    roles: always(fc.constantFrom('voter', 'voter', 'learner', 'none')),
    votersMax: fc.constantFrom(3, 5, 5, 5, 7),
  })
  .map(({ count, isInRoster, states, roles, votersMax }) => {
    const ids = IDS.slice(0, count)
    const roster = ids
      .filter((_, position) => isInRoster[position])
      .map(id => ({ id, ...states[IDS.indexOf(id)]! }))
      .map(one => (one.id === 'a' ? { ...one, isAlive: true, lag: 0 } : one))
    const voters = ids.filter(id => id === 'a' || roles[IDS.indexOf(id)] === 'voter')
    const learners = ids.filter(id => !voters.includes(id) && roles[IDS.indexOf(id)] === 'learner')
    const policy = { ...KEEPER_POLICY, votersMax }
    return { self: 'a', roster, configuration: { voters, learners }, policy, nowMs: NOW_MS }
  })

const after = (input: KeeperInput, target: Membership): KeeperInput => ({ ...input, configuration: target })

/** Carries out what the keeper says until it says no more. */
const atRest = (input: KeeperInput): KeeperInput => {
  let current = input
  for (let steps = 0; steps < STEPS_MAX; steps++) {
    const target = chooseVoters(current)
    if (target === null) return current
    current = after(current, target)
  }
  return assert.unreachable('it changes its mind without end') as never
}

const aliveIn = (input: KeeperInput): ReadonlySet<string> =>
  new Set(input.roster.filter(one => one.isAlive).map(one => one.id)).add(input.self)

const countIn = (ids: readonly string[], set: ReadonlySet<string>): number =>
  ids.filter(id => set.has(id)).length

test('property: the voters are an odd number of roster nodes with a living majority, and the leader is one', () => {
  fc.assert(
    fc.property(inputs, input => {
      const target = chooseVoters(input)
      if (target === null) return
      const ids = input.roster.map(one => one.id)
      const { voters, learners } = target
      assert.is(voters.length % 2, 1)
      assert.ok(countIn(voters, aliveIn(input)) >= majorityOf(voters.length))
      assert.equal([...voters, ...learners].sort(), [...ids].sort(), 'the roster, and nobody else')
      if (ids.includes('a')) assert.ok(voters.includes('a'), 'a leader that stays votes')
    }),
    { numRuns: 3_000 },
  )
})

test('property: the number goes up or down by one step at most, and never up beyond what is wanted', () => {
  fc.assert(
    fc.property(inputs, input => {
      const target = chooseVoters(input)
      if (target === null) return
      const before = input.configuration.voters.length
      const after = target.voters.length
      const wanted = countWanted(input.roster, input.policy.votersMax)
      assert.ok(after <= before + 2 && (after <= wanted || after < before), `${before} → ${after}`)
      const canStay =
        before - 2 <= input.roster.length &&
        input.configuration.voters.every(id => input.roster.some(one => one.id === id))
      if (canStay) assert.ok(after >= before - 2, `${before} → ${after}`)
    }),
    { numRuns: 3_000 },
  )
})

test('property: nothing changes when a majority of the present voters is not alive', () => {
  fc.assert(
    fc.property(inputs, input => {
      const present = input.configuration.voters
      if (countIn(present, aliveIn(input)) >= majorityOf(present.length)) return
      assert.is(chooseVoters(input), null)
    }),
    { numRuns: 2_000 },
  )
})

test('property: of the living voters, a majority of the present ones goes on, or all that have not left', () => {
  fc.assert(
    fc.property(inputs, input => {
      const target = chooseVoters(input)
      const present = input.configuration.voters
      if (target === null) return
      const ids = new Set(input.roster.map(one => one.id))
      const staying = present.filter(id => ids.has(id) && aliveIn(input).has(id))
      const kept = staying.filter(id => target.voters.includes(id)).length
      // Of two that are left, one votes.
      const odd = staying.length % 2 === 0 ? staying.length - 1 : staying.length
      assert.ok(kept >= Math.min(odd, majorityOf(present.length)), `${kept} of ${present}`)
    }),
    { numRuns: 3_000 },
  )
})

test('property: it comes to rest, and once carried out an answer is not given again', () => {
  fc.assert(
    fc.property(inputs, input => {
      assert.is(chooseVoters(atRest(input)), null)
    }),
    { numRuns: 3_000 },
  )
})

test('property: the order of the roster and of the lists does not matter', () => {
  fc.assert(
    fc.property(inputs, fc.nat(), (input, turn) => {
      const turned = <T>(list: readonly T[]): T[] => {
        const by = list.length === 0 ? 0 : turn % list.length
        return [...list.slice(by), ...list.slice(0, by)].reverse()
      }
      const { voters, learners } = input.configuration
      const shuffled = {
        ...input,
        roster: turned(input.roster),
        configuration: { voters: turned(voters), learners: turned(learners) },
      }
      assert.equal(chooseVoters(shuffled), chooseVoters(input))
    }),
    { numRuns: 2_000 },
  )
})

test('property: a healthy voter is given up only for a smaller number, or one at a time when nobody is gone', () => {
  fc.assert(
    fc.property(inputs, input => {
      const target = chooseVoters(input)
      if (target === null) return
      const present = input.configuration.voters
      const living = input.roster.filter(one => one.isAlive).map(one => one.id)
      const givenUp = present.filter(id => living.includes(id) && !target.voters.includes(id))
      if (target.voters.length < present.length || givenUp.length === 0) return
      assert.is(givenUp.length, 1, `${givenUp} of ${present}`)
      assert.ok(
        present.every(id => aliveIn(input).has(id)),
        'all is well',
      )
    }),
    { numRuns: 3_000 },
  )
})

/** All ways to choose `count` of the nodes. */
const subsets = (nodes: readonly Candidate[], count: number): readonly (readonly Candidate[])[] => {
  if (count === 0) return [[]]
  return nodes.flatMap((first, position) =>
    subsets(nodes.slice(position + 1), count - 1).map(rest => [first, ...rest]),
  )
}

const calm = fc
  .record({
    zones: fc.array(fc.constantFrom(null, 'x', 'y', 'z'), { minLength: 1, maxLength: 9 }),
    diskMs: always(fc.constantFrom(null, 1, 64)),
    voterCount: fc.constantFrom(1, 3, 5),
  })
  .map(({ zones, diskMs, voterCount }): KeeperInput => {
    const roster = zones.map((zone, position) => ({
      id: IDS[position]!,
      zone,
      isAlive: true,
      sinceMs: LONG_AGO_MS,
      probationMs: 0,
      lag: 0,
      diskMs: diskMs[position]!,
      isDrained: false,
    }))
    const ids = roster.map(one => one.id)
    const configuration = { voters: ids.slice(0, voterCount), learners: ids.slice(voterCount) }
    return { self: 'a', roster, configuration, policy: KEEPER_POLICY, nowMs: NOW_MS }
  })

test('property: at rest, no other choice is spread better, as trying all of them shows', () => {
  fc.assert(
    fc.property(calm, input => {
      const { configuration } = atRest(input)
      const chosen = input.roster.filter(one => configuration.voters.includes(one.id))
      const rivals = subsets(input.roster, chosen.length).filter(rival => rival.some(one => one.id === 'a'))
      const best = Math.min(...rivals.map(crowding))
      assert.is(crowding(chosen), best)
    }),
    { numRuns: 500 },
  )
})

test('property: at rest, no zone holds a majority if any three or more voters could be chosen so', () => {
  const hasMajority = (voters: readonly Candidate[]): boolean =>
    voters.some(
      one =>
        voters.filter(other => other === one || (one.zone !== null && other.zone === one.zone)).length >=
        majorityOf(voters.length),
    )
  fc.assert(
    fc.property(calm, input => {
      const { configuration } = atRest(input)
      const chosen = input.roster.filter(one => configuration.voters.includes(one.id))
      const isPossible = [3, 5].some(count => subsets(input.roster, count).some(rival => !hasMajority(rival)))
      assert.is(chosen.length > 1 && !hasMajority(chosen), isPossible)
    }),
    { numRuns: 500 },
  )
})

/**
 * Steady nodes and some that come and go, as the leader sees them second by second. Where three steady ones stand against
 * three others, another loss can so often stop writes that any node is taken that is there.
 */
const flaps = fc
  .record({
    steadyCount: fc.integer({ min: 3, max: 6 }),
    flappers: fc.array(
      fc.record({
        upS: fc.integer({ min: 1, max: 90 }),
        downS: fc.integer({ min: 1, max: 90 }),
        phaseS: fc.nat(90),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .filter(({ steadyCount, flappers }) => steadyCount > 3 || flappers.length < 3)
const WATCHED_S = 3_600
/** Once new, and once after each probation that ends within 90 s: 5, 10, 20, 40 and 80 s. */
const PROMOTIONS_MAX = 6

test('property: beside steady nodes, one that comes and goes is soon left to learn', () => {
  fc.assert(
    fc.property(flaps, ({ steadyCount, flappers }) => {
      const contacts = new Contacts(KEEPER_POLICY)
      const ids = IDS.slice(0, steadyCount + flappers.length)
      const promotions = new Map<string, number>()
      let configuration: Membership = { voters: ['a'], learners: ids.slice(1) }
      for (let second = 0; second < WATCHED_S; second++) {
        const nowMs = second * 1_000
        const isUp = (id: string): boolean => {
          const flapper = flappers[ids.indexOf(id) - steadyCount]
          if (flapper === undefined) return true
          return (second + flapper.phaseS) % (flapper.upS + flapper.downS) < flapper.upS
        }
        const roster = ids.map(id => ({
          ...{ id, zone: null, lag: 0, diskMs: null, isDrained: false },
          ...contacts.note(id, { isAlive: isUp(id), silentMs: 0, nowMs }),
        }))
        const target = chooseVoters({ self: 'a', roster, configuration, policy: KEEPER_POLICY, nowMs })
        for (const id of target?.voters ?? [])
          if (!configuration.voters.includes(id)) promotions.set(id, (promotions.get(id) ?? 0) + 1)
        configuration = target ?? configuration
      }
      for (const [id, count] of promotions)
        assert.ok(count <= PROMOTIONS_MAX, `${id} was given a vote ${count} times`)
    }),
    { numRuns: 60 },
  )
})

test.run()
