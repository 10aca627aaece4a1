import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createGateway } from '../../../node/api/gateway.ts'
import { type Picture, pictureOf } from '../../../node/api/native/picture.ts'
import { podTarget } from '../../../node/api/native/target.ts'
import { tokensView } from '../../../node/api/native/view-access.ts'
import {
  digestView,
  membersView,
  nodesView,
  raftView,
  statusView,
} from '../../../node/api/native/view-cluster.ts'
import { explainView } from '../../../node/api/native/view-explain.ts'
import { podsView, workloadsView } from '../../../node/api/native/view-workloads.ts'
import { Failure } from '../../../node/errors.ts'
import type { NodeId } from '../../../scheduler/index.ts'
import { type ApiWorld, AT_MS, apiWorld, spec } from '../../harness/api-world.ts'

const NAMES = ['ash', 'birch', 'cedar']

const lookAt = (world: ApiWorld): Picture => {
  const deps = world.deps('ash')
  return pictureOf({ ...deps, gateway: createGateway(deps) })
}

const silence = (world: ApiWorld, id: string, state: 'suspect' | 'dead'): void => {
  const member = world.members.get(id)
  assert.ok(member)
  world.members.set(id, { ...member, state })
}

test('a node is what the log says, and suspect as soon as gossip doubts it', () => {
  const world = apiWorld(NAMES)
  silence(world, 'peer-birch', 'suspect')
  silence(world, 'peer-cedar', 'dead')
  const states = nodesView(lookAt(world)).map(node => [node.name, node.state, node.role])
  assert.equal(states, [
    ['ash', 'alive', 'leader'],
    ['birch', 'suspect', 'voter'],
    ['cedar', 'suspect', 'voter'],
  ])
  world.log.commit({
    type: 'node/Verdict',
    id: 'peer-cedar' as NodeId,
    state: 'dead',
    reason: 'silent',
    atMs: AT_MS,
  })
  assert.is(nodesView(lookAt(world))[2]?.state, 'dead')
})

test('a node shows what its live pods reserve', () => {
  const world = apiWorld(['ash'])
  world.apply(spec('web', { count: 3 }))
  world.settle()
  const [ash] = nodesView(lookAt(world))
  assert.equal(ash?.reserved, { cpuMillis: 300, memoryBytes: 3 * 1024 })
  assert.is(ash?.pods, 3)
})

test('a workload converges when all wanted pods are ready, and not before', () => {
  const world = apiWorld(NAMES)
  world.apply(spec('web', { count: 3 }))
  assert.is(workloadsView(lookAt(world))[0]?.isConverged, false)
  world.settle()
  const [web] = workloadsView(lookAt(world))
  assert.equal([web?.isConverged, web?.wanted, web?.running, web?.healthy], [true, 3, 3, 3])
  world.log.commit({ type: 'workload/Scale', name: 'web', count: 2, atMs: AT_MS })
  assert.is(workloadsView(lookAt(world))[0]?.isConverged, false, 'one pod too many is left')
  world.settle()
  assert.is(workloadsView(lookAt(world))[0]?.isConverged, true)
})

test('a global workload wants one pod on each matching node', () => {
  const world = apiWorld(NAMES)
  world.apply(spec('agent', { kind: 'global' }))
  world.settle()
  const [agent] = workloadsView(lookAt(world))
  assert.equal([agent?.wanted, agent?.healthy, agent?.isConverged], [3, 3, true])
})

test('a batch converges by its successes', () => {
  const world = apiWorld(NAMES)
  world.apply(
    spec('sum', {
      kind: 'batch',
      count: 2,
      restart: { policy: 'never', backoffMs: 0, backoffMsMax: 0, attemptsMax: 0 },
    }),
  )
  world.settle()
  for (const pod of [...world.log.state.pods.values()]) world.report({ id: pod.id, state: 'succeeded' })
  const [sum] = workloadsView(lookAt(world))
  assert.equal([sum?.wanted, sum?.running, sum?.healthy, sum?.isConverged], [2, 0, 2, true])
  const rows = podsView(lookAt(world), { workload: null, isAll: false })
  assert.equal(
    rows.map(row => [row.name, row.state]),
    [
      ['sum.1', 'succeeded'],
      ['sum.2', 'succeeded'],
    ],
  )
})

test('a pod between two runs is not counted as running, one that failed for good is', () => {
  const world = apiWorld(NAMES)
  world.apply(
    spec('web', {
      count: 3,
      restart: { policy: 'never', backoffMs: 0, backoffMsMax: 0, attemptsMax: null },
    }),
  )
  world.settle()
  const [first, second] = [...world.log.state.pods.values()]
  world.report({
    id: first!.id,
    state: 'running',
    health: 'unhealthy',
    containers: [{ name: 'main', image: null, runtimeId: '1', state: 'exited', exitCode: 1 }],
  })
  world.report({ id: second!.id, state: 'failed', reason: 'exited with code 1' })
  const [web] = workloadsView(lookAt(world))
  assert.equal([web?.wanted, web?.running, web?.healthy, web?.failed], [3, 1, 1, 1])
})

test('the last pod of a global workload is shown while its node takes pods', () => {
  const world = apiWorld(NAMES)
  world.apply(spec('agent', { kind: 'global' }))
  world.settle()
  const count = () => podsView(lookAt(world), { workload: null, isAll: false }).length
  assert.is(count(), 3)
  world.log.commit({ type: 'node/Drain', id: 'peer-cedar' as NodeId, atMs: AT_MS })
  world.settle()
  assert.is(count(), 2)
  assert.is(podsView(lookAt(world), { workload: null, isAll: true }).length, 3)
})

test('a stopped workload converges once nothing runs, and shows no pods', () => {
  const world = apiWorld(NAMES)
  world.apply(spec('web', { count: 2 }))
  world.settle()
  world.log.commit({ type: 'workload/Stop', name: 'web', atMs: AT_MS })
  const [stopped] = workloadsView(lookAt(world))
  assert.equal([stopped?.isConverged, stopped?.wanted, stopped?.running], [false, 0, 2])
  world.settle()
  assert.is(workloadsView(lookAt(world))[0]?.isConverged, true)
  assert.equal(podsView(lookAt(world), { workload: null, isAll: false }), [])
  assert.is(podsView(lookAt(world), { workload: null, isAll: true }).length, 2)
  assert.equal(statusView(lookAt(world)).pods, { healthy: 0, wanted: 0 })
})

test('a slot without a node is shown as pending, with its reason', () => {
  const world = apiWorld(NAMES)
  const place = {
    strategy: 'spread' as const,
    constraints: [{ attribute: 'zone', operator: '==' as const, values: ['moon'], hard: true, weight: 1 }],
    spread: [],
    maxPerNode: null,
  }
  world.apply(spec('web', { count: 2, place }))
  world.settle()
  const rows = podsView(lookAt(world), { workload: 'web', isAll: false })
  assert.equal(
    rows.map(row => [row.name, row.state, row.id, row.node]),
    [
      ['web.1', 'pending', null, null],
      ['web.2', 'pending', null, null],
    ],
  )
  assert.match(rows[0]?.reason ?? '', /zone/)
  assert.equal(podsView(lookAt(world), { workload: 'other', isAll: false }), [])
})

test('rows come by workload and slot, each with its node by name', () => {
  const world = apiWorld(NAMES)
  world.apply(spec('web', { count: 3 }))
  world.apply(spec('db'))
  world.settle()
  const rows = podsView(lookAt(world), { workload: null, isAll: false })
  assert.equal(
    rows.map(row => row.name),
    ['db.1', 'web.1', 'web.2', 'web.3'],
  )
  for (const row of rows) assert.ok(NAMES.includes(row.node ?? ''))
  assert.is(rows[0]?.ageMs, 60_000)
})

test('status tells how many more voters may die', () => {
  const world = apiWorld(['ash', 'birch', 'cedar', 'dora', 'elm'])
  assert.is(statusView(lookAt(world)).toleratesCount, 2)
  silence(world, 'peer-elm', 'dead')
  assert.is(statusView(lookAt(world)).toleratesCount, 1)
  world.deps('ash').consensus.pretend({ hasQuorum: false, ageMs: 1234.5 })
  const status = statusView(lookAt(world))
  assert.equal([status.toleratesCount, status.hasQuorum, status.ageMs], [0, false, 1235])
  assert.equal(status.voters, ['ash', 'birch', 'cedar', 'dora', 'elm'])
  assert.is(raftView(lookAt(world)).leader, 'ash')
})

test('nodes have the same digest at the same index, and another after the next entry', () => {
  const world = apiWorld(NAMES)
  const [ash, birch] = [
    digestView(lookAt(world)),
    digestView({ ...lookAt(world), self: world.deps('birch').node }),
  ]
  assert.equal([ash.node, birch.node], ['ash', 'birch'])
  assert.is(ash.index, birch.index)
  assert.is(ash.digest, birch.digest)
  world.apply(spec('web'))
  const later = digestView(lookAt(world))
  assert.ok(later.index > ash.index)
  assert.is.not(later.digest, ash.digest)
})

test('members are what gossip knows, and the nodes that only the log knows', () => {
  const world = apiWorld(NAMES)
  world.members.delete('peer-cedar')
  const members = membersView(lookAt(world))
  assert.equal(
    members.map(member => [member.name, member.incarnation, member.isConnected]),
    [
      ['ash', 1, true],
      ['birch', 1, true],
      ['cedar', 0, false],
    ],
  )
})

test('members tell what they count for, the leader also why, and how fast their disks are', () => {
  const world = apiWorld(NAMES)
  const birch = world.members.get('peer-birch')!
  world.members.set('peer-birch', { ...birch, metadata: { ...birch.metadata, diskMs: '64' } })
  silence(world, 'peer-cedar', 'dead')
  const parts = () =>
    membersView(lookAt(world)).map(({ name, vote, seat, diskMs }) => [name, vote, seat, diskMs])
  assert.equal(parts(), [
    ['ash', 'counts', 'leads', null],
    ['birch', 'counts', null, 64],
    ['cedar', 'missing', null, null],
  ])
  world.deps('ash').consensus.pretend({ role: 'follower', voters: ['peer-birch'], learners: ['peer-cedar'] })
  assert.equal(parts(), [
    ['ash', 'none', null, null],
    ['birch', 'counts', null, 64],
    ['cedar', 'learns', null, null],
  ])
})

test('tokens are listed without what opens a door', () => {
  const world = apiWorld(NAMES)
  const text = JSON.stringify(tokensView(lookAt(world)))
  assert.is(text.includes('ab'.repeat(32)), false)
  assert.equal(
    tokensView(lookAt(world)).map(token => token.state),
    ['expired', 'expired'],
  )
})

test('an explanation names nodes and rests on decisions', () => {
  const world = apiWorld(NAMES)
  world.apply(spec('web', { count: 2 }))
  world.settle()
  const { state } = lookAt(world)
  const slot = explainView(state, 'web.1', AT_MS)
  assert.ok(slot.sentences.length > 0)
  assert.is(slot.decisions[0]?.pod, 'web.1')
  assert.ok(NAMES.includes(slot.decisions[0]?.node ?? ''))
  assert.is(explainView(state, 'web', AT_MS).decisions.length, 2)
  assert.is(explainView(state, 'ash', AT_MS).target, 'ash')
  const [pod] = state.pods.values()
  const node = state.nodes.get(pod!.node)!.name
  assert.is(explainView(state, `web@${node}`, AT_MS).decisions[0]?.node, node)
})

test('an unknown target is not found, with a guess', () => {
  const world = apiWorld(NAMES)
  world.apply(spec('web', { count: 2 }))
  world.settle()
  const { state } = lookAt(world)
  for (const [text, guess] of [
    ['wbe', 'web'],
    ['brich', 'birch'],
    ['nothing-like-it', null],
  ] as const)
    assert.throws(
      () => explainView(state, text, AT_MS),
      (thrown: unknown) =>
        thrown instanceof Failure && thrown.code === 'E_NOT_FOUND' && (thrown.facts.guess ?? null) === guess,
      text,
    )
  assert.throws(() => podTarget(state, 'ash'), /there is no "ash"/)
  assert.throws(() => podTarget(state, 'web@elsewhere'), /no node "elsewhere"/)
})

test('targets name a workload, a slot, a pod, or the pods on a node', () => {
  const world = apiWorld(NAMES)
  world.apply(spec('web', { count: 3 }))
  world.settle()
  const { state } = lookAt(world)
  const count = (text: string): number => podTarget(state, text).pods(state).length
  assert.equal([count('web'), count('web.2'), count('web@ash')], [3, 1, 1])
  const [pod] = state.pods.values()
  assert.equal([count(pod!.id), podTarget(state, pod!.id).isOnePod], [1, true])
})

test.run()
