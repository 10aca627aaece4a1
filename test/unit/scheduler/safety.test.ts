/** What must hold after every single command, whatever users, nodes and leaders do. */
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  apply,
  digestOf,
  emptyState,
  isEnded,
  type Pod,
  restoreState,
  slotKey,
  snapshotOf,
} from '../../../scheduler/index.ts'
import { actions, startCluster } from './arbitrary.ts'
import { tablesText, World } from './fixtures.ts'

const runs = fc.array(actions, { minLength: 10, maxLength: 60 })

const everyStep = (check: (world: World) => void): void =>
  fc.assert(
    fc.property(runs, list => {
      const world = startCluster(new World())
      for (const { run } of list) {
        run(world)
        check(world)
      }
    }),
    { numRuns: 150, seed: 42 },
  )

test('no node is ever over-committed', () => {
  everyStep(({ state, ...world }) => {
    void world
    for (const node of state.nodes.values()) {
      const pods = [...(state.podsByNode.get(node.id) ?? [])].map(podId => state.pods.get(podId)!)
      const cpu = pods.reduce((sum, pod) => sum + pod.resources.cpuMillis, 0)
      const memory = pods.reduce((sum, pod) => sum + pod.resources.memoryBytes, 0)
      assert.ok(cpu <= node.capacity.cpuMillis && memory <= node.capacity.memoryBytes)
    }
  })
})

test('no port of an address is held by two pods that have not ended', () => {
  everyStep(world => {
    const held = new Set<string>()
    for (const pod of world.live()) {
      for (const port of pod.ports) {
        const key = `${world.state.nodes.get(pod.node)!.address} ${port.host}/${port.protocol}`
        assert.not(held.has(key), key)
        held.add(key)
      }
    }
  })
})

/** Two may only meet during a start-first update or a move, and then they differ in standing. */
const standing = (world: World, pod: Pod): string => {
  const node = world.state.nodes.get(pod.node)!
  return `${pod.generation} ${node.schedulable}`
}

test('no plan gives a slot a second owner beside one of equal standing', () => {
  fc.assert(
    fc.property(runs, list => {
      const world = startCluster(new World())
      for (const { name, run } of list) {
        const before = new Set(world.live().map(pod => pod.id))
        run(world)
        if (name !== 'plan') continue
        for (const pod of world.live().filter(one => !before.has(one.id))) {
          const others = world.live().filter(one => one !== pod && key(one) === key(pod))
          assert.ok(others.length <= 1)
          for (const other of others) assert.is.not(standing(world, other), standing(world, pod))
        }
      }
    }),
    { numRuns: 150, seed: 43 },
  )
})

const key = (pod: Pod): string => slotKey(pod.workload, pod.slot)

test('at most maxPerNode pods of a workload are on a node, counting from the moment that it was asked', () => {
  fc.assert(
    fc.property(runs, list => {
      const world = startCluster(new World())
      for (const { name, run } of list) {
        const before = new Set(world.live().map(pod => pod.id))
        run(world)
        if (name !== 'plan') continue
        for (const pod of world.live().filter(one => !before.has(one.id))) {
          const { place, kind } = world.state.workloads.get(pod.workload)!.spec
          const onNode = world.live(pod.workload).filter(one => one.node === pod.node).length
          const isUpdate = kind === 'global' && onNode === 2
          assert.ok(
            isUpdate || onNode <= (kind === 'global' ? 1 : (place.maxPerNode ?? Number.POSITIVE_INFINITY)),
          )
        }
      }
    }),
    { numRuns: 150, seed: 44 },
  )
})

test('a pod never moves, its state only moves forward, and an ended pod never changes', () => {
  fc.assert(
    fc.property(runs, list => {
      const rank = ['assigned', 'preparing', 'starting', 'running', 'stopping']
      const world = startCluster(new World())
      let before = new Map(world.state.pods)
      for (const { run } of list) {
        run(world)
        for (const [podId, pod] of world.state.pods) {
          const old = before.get(podId)
          if (!old || old === pod) continue
          assert.not(isEnded(old.state))
          assert.is(old.node, pod.node)
          assert.is(old.generation, pod.generation)
          assert.ok(isEnded(pod.state) || rank.indexOf(pod.state) >= rank.indexOf(old.state))
          assert.not(old.desired === 'stopped' && pod.desired === 'running')
        }
        before = new Map(world.state.pods)
      }
    }),
    { numRuns: 150, seed: 45 },
  )
})

test('a refused command changes nothing but the memory of requests', () => {
  fc.assert(
    fc.property(runs, list => {
      const world = startCluster(new World())
      for (const { run } of list) {
        const before = tablesText(world.state)
        const from = world.log.length
        run(world)
        const done = world.log.slice(from).map(({ request }) => world.state.requests.get(request.requestId)!)
        if (done.length > 0 && done.every(outcome => !outcome.ok)) assert.is(tablesText(world.state), before)
      }
    }),
    { numRuns: 150, seed: 46 },
  )
})

test('a plan that comes too late is refused as a whole or holds as a whole', () => {
  fc.assert(
    fc.property(runs, actions, actions, (list, first, second) => {
      const world = startCluster(new World())
      for (const { run } of list) run(world)
      const late = world.nextPlan()
      first.run(world)
      second.run(world)
      if (!late) return
      const before = tablesText(world.state)
      const events = world.events.length
      const outcome = world.do({ type: 'plan/Apply', plan: late })
      if (outcome.ok) {
        for (const change of late.changes) {
          if (change.type === 'start') assert.is(world.state.pods.get(change.pod.id)?.state, 'assigned')
          if (change.type === 'stop') assert.is(world.state.pods.get(change.pod)?.desired, 'stopped')
        }
        return
      }
      assert.is(outcome.refusal.code, 'E_STALE_PLAN')
      assert.is(tablesText(world.state), before)
      assert.is(world.events.length, events)
    }),
    { numRuns: 300, seed: 47 },
  )
})

test('equal logs give equal states, and a repeated request changes nothing', () => {
  fc.assert(
    fc.property(runs, fc.integer({ min: 0, max: 50 }), (list, repeatAt) => {
      const world = startCluster(new World())
      for (const { run } of list) run(world)
      const twin = emptyState()
      for (const { request, index } of world.log) apply(twin, request, { index, term: 1 })
      assert.is(digestOf(twin), digestOf(world.state))
      const { request } = world.log[repeatAt % world.log.length]!
      const before = JSON.stringify({ ...snapshotOf(twin), index: 0, term: 0 })
      const { outcome, events } = apply(twin, request, { index: twin.index + 1, term: 2 })
      assert.equal(outcome, twin.requests.get(request.requestId))
      assert.is(events.length, 0)
      assert.is(JSON.stringify({ ...snapshotOf(twin), index: 0, term: 0 }), before)
    }),
    { numRuns: 100, seed: 48 },
  )
})

test('a state restored from a snapshot is the same and goes on the same way', () => {
  fc.assert(
    fc.property(runs, runs, (list, more) => {
      const world = startCluster(new World())
      for (const { run } of list) run(world)
      const copy = new World(restoreState(JSON.parse(JSON.stringify(snapshotOf(world.state)))))
      assert.is(digestOf(copy.state), digestOf(world.state))
      assert.equal(copy.state.podsBySlot, world.state.podsBySlot)
      assert.equal(copy.state.podsByNode, world.state.podsByNode)
      assert.equal(copy.state.podsByWorkload, world.state.podsByWorkload)
      const from = world.log.length
      for (const { run } of more) run(world)
      for (const { request, index } of world.log.slice(from)) apply(copy.state, request, { index, term: 1 })
      assert.is(digestOf(copy.state), digestOf(world.state))
      assert.equal([...copy.state.pods.keys()], [...world.state.pods.keys()])
    }),
    { numRuns: 100, seed: 49 },
  )
})

test.run()
