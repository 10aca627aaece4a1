// The algebra of memberships: what follows from a change, and that no step of it can split the cluster.
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { RoleChange } from '../../../raft/input.ts'
import {
  changeConfiguration,
  compareEpochs,
  epochOf,
  isConfiguration,
  isJoint,
  leaveJoint,
  membersOf,
} from '../../../raft/membership.ts'
import { isQuorum } from '../../../raft/quorum.ts'
import { type Configuration, emptyConfiguration } from '../../../raft/saved.ts'

const NODES = ['a', 'b', 'c', 'd', 'e', 'f']

const of = (voters: string, learners = ''): Configuration => ({
  ...emptyConfiguration,
  voters: [...voters],
  learners: [...learners],
})

const changed = (from: Configuration, changes: RoleChange[]): Configuration => {
  const result = changeConfiguration(from, changes, true)
  assert.ok(result.ok, result.ok ? '' : result.detail)
  return (result as Extract<typeof result, { ok: true }>).configuration
}

const detailOf = (from: Configuration, changes: RoleChange[]): string => {
  const result = changeConfiguration(from, changes, true)
  return result.ok ? 'accepted' : result.detail
}

const arbitrary = fc
  .tuple(fc.subarray(NODES, { minLength: 1 }), fc.subarray(NODES))
  .map(([voters, learners]) => of(voters.join(''), learners.filter(node => !voters.includes(node)).join('')))
const changes = fc.uniqueArray(
  fc.record({ node: fc.constantFrom(...NODES), role: fc.constantFrom('voter', 'learner', 'removed') }),
  { selector: change => change.node, minLength: 1 },
) as fc.Arbitrary<RoleChange[]>

test('one voter more or less is done in one step, also together with learners', () => {
  assert.equal(changed(of('ab'), [{ node: 'c', role: 'voter' }]), of('abc'))
  assert.equal(changed(of('abc'), [{ node: 'b', role: 'removed' }]), of('ac'))
  assert.equal(changed(of('ab', 'c'), [{ node: 'c', role: 'voter' }]), of('abc'))
  assert.equal(changed(of('abc'), [{ node: 'c', role: 'learner' }]), of('ab', 'c'))
  assert.equal(
    changed(of('ab'), [
      { node: 'c', role: 'learner' },
      { node: 'd', role: 'learner' },
    ]),
    of('ab', 'cd'),
  )
})

test('replacing a voter is a joint change that needs the majorities of both sides', () => {
  const joint = changed(of('abc', 'd'), [
    { node: 'd', role: 'voter' },
    { node: 'a', role: 'removed' },
  ])
  assert.equal(joint, {
    voters: ['b', 'c', 'd'],
    votersOutgoing: ['a', 'b', 'c'],
    learners: [],
    autoLeave: true,
  })
  assert.equal(leaveJoint(joint), of('bcd'))
})

test('a voter that is demoted in a joint change counts until the joint phase ends', () => {
  const joint = changed(of('abc', 'd'), [
    { node: 'a', role: 'learner' },
    { node: 'd', role: 'voter' },
  ])
  assert.equal(joint.votersOutgoing, ['a', 'b', 'c'])
  assert.equal(joint.learners, ['a'])
  assert.equal(membersOf(joint), ['a', 'b', 'c', 'd'])
  assert.equal(leaveJoint(joint), of('bcd', 'a'))
})

test('a change that makes no sense is refused with a reason', () => {
  assert.is(detailOf(of('a'), [{ node: 'a', role: 'removed' }]), 'no voter would be left')
  assert.is(detailOf(of('a'), [{ node: 'a', role: 'voter' }]), 'the change changes nothing')
  assert.is(detailOf(of('a'), []), 'the change changes nothing')
  assert.is(
    detailOf(of('a'), [
      { node: 'b', role: 'voter' },
      { node: 'b', role: 'learner' },
    ]),
    'a node is named twice',
  )
  assert.is(detailOf(of('a'), [{ node: '', role: 'voter' }]), 'a node has an empty name')
  const joint = { ...of('ab'), votersOutgoing: ['c'] }
  assert.is(detailOf(joint, [{ node: 'd', role: 'voter' }]), 'the configuration is joint')
})

test('every change ends where it was asked to, in a well-formed configuration', () => {
  fc.assert(
    fc.property(arbitrary, changes, (from, asked) => {
      const result = changeConfiguration(from, asked, true)
      if (!result.ok) return
      assert.ok(isConfiguration(result.configuration))
      const end = isJoint(result.configuration) ? leaveJoint(result.configuration) : result.configuration
      for (const node of NODES) {
        const before = from.voters.includes(node)
          ? 'voter'
          : from.learners.includes(node)
            ? 'learner'
            : 'removed'
        const after = end.voters.includes(node)
          ? 'voter'
          : end.learners.includes(node)
            ? 'learner'
            : 'removed'
        assert.is(after, asked.find(change => change.node === node)?.role ?? before)
      }
    }),
  )
})

test('a quorum before a change and a quorum after it always share a node', () => {
  const subset = fc.subarray(NODES)
  fc.assert(
    fc.property(arbitrary, changes, subset, subset, (from, asked, one, other) => {
      const result = changeConfiguration(from, asked, true)
      if (!result.ok) return
      const steps = [from, result.configuration]
      if (isJoint(result.configuration)) steps.push(leaveJoint(result.configuration))
      for (let step = 1; step < steps.length; step++)
        if (
          isQuorum(steps[step - 1]!, node => one.includes(node)) &&
          isQuorum(steps[step]!, node => other.includes(node))
        )
          assert.ok(one.some(node => other.includes(node)))
    }),
    { numRuns: 1000 },
  )
})

test('a value from outside is a configuration only with sorted lists of distinct names', () => {
  assert.ok(isConfiguration(of('abc', 'd')))
  for (const wrong of [
    null,
    7,
    {},
    { ...of('ab'), voters: 'ab' },
    of('ba'),
    of('aa'),
    { ...of('a'), autoLeave: 1 },
  ])
    assert.not.ok(isConfiguration(wrong))
})

test('every change of membership keeps the epoch, and a configuration with a broken one is none', () => {
  const epoch = { number: 2, mark: 'm' }
  const single = changed({ ...of('a'), epoch }, [{ node: 'b', role: 'voter' }])
  const joint = changed(single, [
    { node: 'c', role: 'voter' },
    { node: 'a', role: 'removed' },
  ])
  assert.ok(isJoint(joint))
  for (const configuration of [single, joint, leaveJoint(joint)]) {
    assert.equal(epochOf(configuration), epoch)
    assert.ok(isConfiguration(configuration))
  }
  assert.is(isConfiguration({ ...single, epoch: { number: 0, mark: 'm' } }), false)
  assert.is(isConfiguration({ ...single, epoch: 2 }), false)
})

test('epochs are ordered by number, and two of one number are rivals', () => {
  const [first, mine, yours] = [epochOf(of('a')), { number: 1, mark: 'x' }, { number: 1, mark: 'y' }]
  assert.is(compareEpochs(first, mine), 'older')
  assert.is(compareEpochs(mine, first), 'newer')
  assert.is(compareEpochs(mine, { ...mine }), 'same')
  assert.is(compareEpochs(mine, yours), 'rival')
})

test.run()
