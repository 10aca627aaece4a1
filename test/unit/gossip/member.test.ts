import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compareClaims, type Member, type MemberState, mergeClaims } from '../../../gossip/member.ts'
import { member } from './cluster.ts'

/** What is known, what is claimed, and whether the claim wins. */
const TABLE: readonly (readonly [MemberState, number, MemberState, number, boolean])[] = [
  ['alive', 1, 'alive', 2, true],
  ['alive', 2, 'alive', 1, false],
  ['alive', 2, 'suspect', 1, false],
  ['alive', 1, 'suspect', 1, true],
  ['alive', 1, 'suspect', 2, true],
  ['alive', 1, 'dead', 1, true],
  ['alive', 2, 'dead', 1, false],
  ['alive', 1, 'left', 1, true],
  ['suspect', 1, 'alive', 1, false],
  ['suspect', 1, 'alive', 2, true],
  ['suspect', 1, 'dead', 1, true],
  ['suspect', 2, 'dead', 1, false],
  ['dead', 1, 'alive', 1, false],
  ['dead', 1, 'suspect', 1, false],
  ['dead', 1, 'alive', 2, true],
  ['dead', 1, 'suspect', 2, true],
  ['dead', 1, 'left', 1, true],
  ['left', 1, 'dead', 1, false],
  ['left', 1, 'alive', 1, false],
  ['left', 1, 'alive', 2, true],
]

for (const [known, knownIncarnation, claimed, incarnation, wins] of TABLE) {
  const verb = wins ? 'beats' : 'does not beat'
  test(`${claimed} of life ${incarnation} ${verb} ${known} of life ${knownIncarnation}`, () => {
    const before = member('b', { state: known, incarnation: knownIncarnation })
    const claim = member('b', { state: claimed, incarnation })
    assert.is(mergeClaims(before, claim), wins ? claim : before)
    assert.is(compareClaims(claim, before) > 0, wins)
  })
}

const claims: fc.Arbitrary<Member> = fc.record({
  id: fc.constant('b'),
  incarnation: fc.nat(3),
  state: fc.constantFrom<MemberState>('alive', 'suspect', 'dead', 'left'),
  addresses: fc.array(fc.constantFrom('one:1', 'two:2'), { maxLength: 2 }),
  metadata: fc.dictionary(fc.constantFrom('name', 'zone'), fc.constantFrom('x', 'y'), {
    noNullPrototype: true,
  }),
})

test('merging claims is commutative: the order of two claims does not matter', () => {
  fc.assert(
    fc.property(claims, claims, (a, b) => {
      assert.is(compareClaims(mergeClaims(a, b), mergeClaims(b, a)), 0)
    }),
  )
})

test('merging claims is associative: the grouping of three claims does not matter', () => {
  fc.assert(
    fc.property(claims, claims, claims, (a, b, c) => {
      assert.is(compareClaims(mergeClaims(mergeClaims(a, b), c), mergeClaims(a, mergeClaims(b, c))), 0)
    }),
  )
})

test('merging claims is idempotent: hearing a claim twice changes nothing', () => {
  fc.assert(
    fc.property(claims, claims, (a, b) => {
      const once = mergeClaims(a, b)
      assert.equal(mergeClaims(once, b), once)
      assert.equal(mergeClaims(a, a), a)
    }),
  )
})

test('the order of metadata keys is no difference between two claims', () => {
  const one = member('b', { metadata: { name: 'b', zone: 'x' } })
  const other = member('b', { metadata: { zone: 'x', name: 'b' } })
  assert.is(compareClaims(one, other), 0)
})

test.run()
