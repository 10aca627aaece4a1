// How far each node is to be relied on, as tutti nodes shows it: the same from every node.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createGateway } from '../../../node/api/gateway.ts'
import { pictureOf } from '../../../node/api/native/picture.ts'
import type { NodeView } from '../../../node/api/native/schema.ts'
import { membersView, nodesView } from '../../../node/api/native/view-cluster.ts'
import type { NodeId } from '../../../scheduler/index.ts'
import { type ApiWorld, AT_MS, apiWorld, nodeFacts } from '../../harness/api-world.ts'

const ID = 'peer-birch' as NodeId

const pictureIn = (world: ApiWorld) => {
  const deps = world.deps('ash', { seats: () => new Map([[ID, 'zone b is lost as a whole']]) })
  const clock = { ...deps.clock, wallMs: () => AT_MS + 10_000 }
  return pictureOf({ ...deps, clock, gateway: createGateway(deps) })
}

const birchIn = (world: ApiWorld): NodeView => {
  const found = nodesView(pictureIn(world)).find(({ id }) => id === ID)
  assert.ok(found)
  return found
}

const says = (world: ApiWorld, metadata: Readonly<Record<string, string>>): void => {
  const member = world.members.get(ID)
  assert.ok(member)
  world.members.set(ID, { ...member, metadata: { ...member.metadata, ...metadata } })
}

test('a node that is well', () => {
  const { protocol, probationMs, losses, ailing, health, ailments, skewMs } = birchIn(
    apiWorld(['ash', 'birch', 'cedar']),
  )
  assert.equal([protocol, probationMs, losses, ailing, health, skewMs], [2, null, 0, null, 100, 0])
  assert.equal(ailments, [])
})

test('one that was lost twice is on probation, and less well', () => {
  const world = apiWorld(['ash', 'birch', 'cedar'])
  world.log.commit({ type: 'node/Update', atMs: AT_MS, node: nodeFacts('birch', '127.0.0.2') })
  for (const state of ['dead', 'alive', 'dead', 'alive'] as const)
    world.log.commit({ type: 'node/Verdict', atMs: AT_MS, id: ID, state, reason: 'silent', counted: true })
  const { probationMs, losses, health, ailments } = birchIn(world)
  assert.equal([probationMs, losses, health], [20_000, 2, 85])
  assert.equal(ailments, ['it was lost 2 times of late'])
})

test("disk and clock are the node's own word in gossip; of two clocks that differ neither is blamed", () => {
  const world = apiWorld(['ash', 'birch', 'cedar'])
  says(world, { diskMs: '1024', skewMs: '-4096' })
  const birch = birchIn(world)
  assert.equal([birch.diskMs, birch.skewMs, birch.health], [1_024, -4_096, 15])
  const pair = apiWorld(['ash', 'birch'])
  says(pair, { skewMs: '-4096' })
  assert.equal([birchIn(pair).skewMs, birchIn(pair).health], [-4_096, 100])
})

test('why the cluster has drained it, until an operator gives it work again', () => {
  const world = apiWorld(['ash', 'birch', 'cedar'])
  world.log.commit({ type: 'node/Drain', atMs: AT_MS, id: ID, ailing: 'health 40 of 100: …' })
  assert.equal([birchIn(world).schedulable, birchIn(world).ailing], [false, 'health 40 of 100: …'])
  world.log.commit({ type: 'node/Activate', atMs: AT_MS, id: ID })
  assert.equal([birchIn(world).schedulable, birchIn(world).ailing], [true, null])
})

test('what a verdict waits for is told beside the member', () => {
  const told = membersView(pictureIn(apiWorld(['ash', 'birch', 'cedar'])))
  assert.is(told.find(({ id }) => id === ID)?.seat, 'zone b is lost as a whole')
})

test.run()
