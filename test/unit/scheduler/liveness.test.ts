/** What must come true once users and faults are quiet: plan, apply and obey until the cluster rests. */
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isReady, type Pod, slotKey, type Workload } from '../../../scheduler/index.ts'
import { wantedNodes } from '../../../scheduler/reconcile/wanted.ts'
import { actions, NAMES, startCluster } from './arbitrary.ts'
import { container, id, World } from './fixtures.ts'

const runs = fc.array(actions, { minLength: 5, maxLength: 60 })

const isDone = (world: World, { spec, generation }: Workload, slot: number): boolean => {
  const tried = world.pods(spec.name).filter(pod => pod.slot === slot && pod.generation === generation)
  if (spec.kind === 'batch') return tried.some(pod => pod.state === 'succeeded' || pod.state === 'failed')
  return tried.at(-1)?.state === 'succeeded' && spec.restart.policy !== 'always'
}

const checkWorkload = (world: World, workload: Workload): void => {
  const { spec, pending, generation } = workload
  const live = world.live(spec.name)
  const slots = new Map<number, Pod>()
  for (const pod of live) {
    assert.not(slots.has(pod.slot), `${slotKey(spec.name, pod.slot)} has two owners`)
    slots.set(pod.slot, pod)
    assert.is(pod.desired, 'running')
    assert.ok(isReady(pod))
    const node = world.state.nodes.get(pod.node)!
    assert.is(node.state, 'alive')
    // Only a slot whose successor finds no room keeps a pod that is to be replaced, and holds up the others.
    if (pod.generation !== generation || !node.schedulable)
      assert.ok(pending.length > 0, 'an update stands still')
  }
  if (spec.kind === 'global') {
    const wanted = workload.stopped ? [] : wantedNodes(world.state, workload)
    for (const { id: node, name } of wanted) {
      const last = world.pods(spec.name).findLast(pod => pod.node === node && pod.generation === generation)
      const isAccounted =
        live.some(pod => pod.node === node) || pending.some(({ reason }) => reason.includes(name))
      assert.ok(isAccounted || (last && isDone(world, workload, last.slot)), `${name} is forgotten`)
    }
    assert.ok(live.every(pod => wanted.some(node => node.id === pod.node)))
    return
  }
  for (let slot = 1; slot <= (workload.stopped ? 0 : spec.count); slot++) {
    const isAccounted =
      slots.has(slot) || pending.some(one => one.slot === slot) || isDone(world, workload, slot)
    assert.ok(isAccounted, `${slotKey(spec.name, slot)} is forgotten`)
  }
  assert.ok([...slots.keys()].every(slot => slot <= spec.count && !workload.stopped))
}

test('the cluster comes to rest with every slot owned, waiting for room, or done', () => {
  fc.assert(
    fc.property(runs, list => {
      const world = startCluster(new World())
      for (const { run } of list) run(world)
      world.settle()
      assert.is(world.nextPlan(), null)
      for (const workload of world.state.workloads.values()) checkWorkload(world, workload)
      for (const pod of world.live()) assert.ok(world.state.workloads.has(pod.workload))
    }),
    { numRuns: 300, seed: 1 },
  )
})

test('with room for all and every node back, nothing waits', () => {
  fc.assert(
    fc.property(runs, list => {
      const world = startCluster(new World())
      for (const { run } of list) run(world)
      for (const name of NAMES) {
        world.do({ type: 'node/Verdict', id: id(name), state: 'alive', reason: 'test' })
        world.do({ type: 'node/Activate', id: id(name) })
      }
      for (const { spec, generation } of [...world.state.workloads.values()]) {
        const roomy = { ...spec, count: Math.min(spec.count, 2), place: { ...spec.place, constraints: [] } }
        const update = { parallelism: 1, order: 'stop-first' as const }
        const small = container({
          image: `last-${generation}`,
          resources: { cpuMillis: 500, memoryBytes: 2 ** 29 },
        })
        const pod = { labels: {}, containers: [small] }
        world.ok({ type: 'workload/Apply', spec: { ...roomy, pod, update }, checkIndex: null })
      }
      world.settle()
      for (const workload of world.state.workloads.values()) {
        assert.equal(workload.pending, [])
        checkWorkload(world, workload)
        for (const pod of world.live(workload.spec.name)) assert.is(pod.generation, workload.generation)
      }
    }),
    { numRuns: 200, seed: 2 },
  )
})

test('planning again right after a plan is applied gives nothing', () => {
  fc.assert(
    fc.property(runs, list => {
      const world = startCluster(new World())
      for (const { run } of list) {
        run(world)
        if (world.step()) assert.is(world.nextPlan(), null)
      }
    }),
    { numRuns: 200, seed: 3 },
  )
})

test('a slot whose pods always fail is tried ever more rarely, never at a gallop', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2_000 }),
      fc.integer({ min: 2_000, max: 60_000 }),
      (backoffMs, backoffMsMax) => {
        const world = startCluster(new World())
        world.apply({ count: 1, restart: { policy: 'always', backoffMs, backoffMsMax, attemptsMax: 0 } })
        const startMs = world.nowMs
        for (let tick = 0; tick < 1_000; tick++) {
          world.step()
          world.obey(() => 'failed')
          world.wait(600)
        }
        const pods = world.events.filter(({ verb }) => verb === 'assigned').length
        assert.ok(pods <= 6 + (world.nowMs - startMs) / backoffMsMax, `${pods} pods`)
        assert.ok(pods >= 6)
      },
    ),
    { numRuns: 20, seed: 4 },
  )
})

test.run()
