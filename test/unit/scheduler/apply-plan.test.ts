/** Each precondition of a plan: what was true when it was made and is not any more. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Change, Plan, Pod, PodId } from '../../../scheduler/index.ts'
import { type Act, id, nodeFacts, spec, World } from './fixtures.ts'

/** One service of one pod on two nodes, its first plan made and not yet applied. */
const planned = (one = {}): { world: World; late: Plan } => {
  const world = new World().init('ash', 'birch').apply({ count: 1 }, one)
  return { world, late: world.nextPlan()! }
}

const refuses = (world: World, plan: Plan, why: RegExp, code = 'E_STALE_PLAN'): void => {
  world.refused({ type: 'plan/Apply', plan }, code)
  const outcome = [...world.state.requests.values()].at(-1)
  assert.match(outcome?.ok === false ? outcome.refusal.message : '', why)
}

const afterwards = (act: Act, why: RegExp): void => {
  const { world, late } = planned()
  refuses(world.ok(act), late, why)
}

const edit = (plan: Plan, facts: Partial<Pod>): Plan => ({
  ...plan,
  changes: plan.changes.map(change =>
    change.type === 'start' ? { ...change, pod: { ...change.pod, ...facts } } : change,
  ),
})

test('a pod is not started when its workload was changed, scaled, stopped or removed meanwhile', () => {
  afterwards({ type: 'workload/Scale', name: 'web', count: 2 }, /has changed/)
  afterwards({ type: 'workload/Stop', name: 'web' }, /has changed/)
  afterwards({ type: 'workload/Restart', name: 'web' }, /has changed/)
  afterwards({ type: 'workload/Remove', name: 'web' }, /is gone/)
})

test('a pod is not started on a node that died, was drained or changed meanwhile', () => {
  const node = planned().late.changes.flatMap(change => (change.type === 'start' ? change.pod.node : []))[0]!
  afterwards({ type: 'node/Verdict', id: node, state: 'dead', reason: '' }, /is dead/)
  afterwards({ type: 'node/Drain', id: node }, /is drained/)
  afterwards({ type: 'node/Leave', id: node }, /is left/)
  const name = node.replace('id-', '')
  afterwards({ type: 'node/Update', node: nodeFacts(name, { labels: { a: 'b' } }) }, /has changed/)
})

test('the second of two equal plans is refused: the slot has an owner', () => {
  const { world, late } = planned()
  const other = edit(world.nextPlan()!, {})
  world.ok({ type: 'plan/Apply', plan: late })
  refuses(world, other, /slot web.1 has changed/)
  refuses(world, { ...other, basedOnIndex: world.state.index }, /live owner/)
})

test('a plan is refused as a whole when its last change does not hold', () => {
  const world = new World().init('ash', 'birch').apply({ count: 2 })
  const late = world.nextPlan()!
  const changes: Change[] = [...late.changes, { type: 'stop', pod: 'ghost' as PodId, reason: '' }]
  refuses(world, { ...late, changes }, /has ended/)
  assert.is(world.live().length, 0)
})

test('a port that was taken meanwhile refuses the start', () => {
  const ports = [{ name: 'http', container: 80, host: 8_080, protocol: 'tcp' as const }]
  const { world, late } = planned({ ports })
  world.ok({
    type: 'workload/Apply',
    spec: spec({ name: 'other', kind: 'global' }, { ports }),
    checkIndex: null,
  })
  const { state, nowMs } = world
  const others = world
    .nextPlan()!
    .changes.filter(change => change.type === 'start' && change.pod.workload === 'other')
  world.ok({ type: 'plan/Apply', plan: { basedOnIndex: state.index, changes: others } })
  assert.is(world.nowMs, nowMs)
  refuses(world, late, /port 8080\/tcp .* is taken/)
})

test('resources that were taken meanwhile refuse the start, also by the same plan', () => {
  const { world, late } = planned({ resources: { cpuMillis: 3_000, memoryBytes: 0 } })
  const twice = late.changes.flatMap(change =>
    change.type === 'start'
      ? [change, { ...change, pod: { ...change.pod, id: 'twin' as PodId, slot: 2 } }]
      : [],
  )
  world.ok({ type: 'workload/Scale', name: 'web', count: 2 })
  refuses(world, { basedOnIndex: world.state.index, changes: twice }, /too few resources/)
})

test('a plan that starts two pods in one slot is refused', () => {
  const { world, late } = planned()
  const twins = edit(late, { id: 'twin' as PodId }).changes
  refuses(world, { ...late, changes: [...late.changes, ...twins] }, /two pods in the slot/)
  refuses(world, { ...late, changes: [...late.changes, ...late.changes] }, /used once/, 'E_INVALID')
})

test('a pod is lost only while its node is gone', () => {
  const world = new World().init('ash', 'birch').apply({ count: 2 }).settle().verdict('ash', 'dead')
  const late = world.nextPlan()!
  refuses(world.verdict('ash', 'alive'), late, /ash is alive/)
})

test('a pod is not stopped when another pod of its slot has changed meanwhile', () => {
  const update = { parallelism: 1, order: 'start-first' } as const
  const world = new World().init('ash', 'birch').apply({ count: 1, update }).settle()
  world.apply({ count: 1, update }, { image: 'new' }).step()
  const successor = world.slot('web.1')
  world.report(successor, { state: 'running', health: 'healthy' })
  const late = world.nextPlan()!
  assert.equal(
    late.changes.map(({ type }) => type),
    ['stop'],
  )
  world.report(world.slot('web.1'), { state: 'failed' })
  refuses(world, late, /slot web.1 has changed/)
})

test('a pod that is stopping or has ended is not stopped again', () => {
  const world = new World()
    .init('ash')
    .apply({ count: 1 })
    .settle()
    .ok({ type: 'workload/Scale', name: 'web', count: 0 })
  const late = world.step()!
  refuses(world, { ...late, basedOnIndex: world.state.index }, /being stopped/)
  world.settle()
  refuses(world, { ...late, basedOnIndex: world.state.index }, /has ended/)
})

test('a malformed pod is refused as invalid, whoever planned it', () => {
  const { world, late } = planned({ ports: [{ name: 'http', container: 80, host: null, protocol: 'tcp' }] })
  refuses(world, edit(late, { state: 'running' }), /is assigned/, 'E_INVALID')
  refuses(world, edit(late, { slot: 0 }), /count from 1/, 'E_INVALID')
  refuses(world, edit(late, { node: id('nowhere') }), /known node/, 'E_INVALID')
  refuses(world, edit(late, { ports: [] }), /one host port/, 'E_INVALID')
  refuses(world, edit(late, { slot: 2 }), /not wanted/)
  refuses(world, edit(late, { generation: 2 }), /another generation/)
})

test('an applied plan tells what was assigned, retired, lost and left pending', () => {
  const world = new World().init('ash', 'birch').apply({ count: 1 }).settle()
  world.verdict(world.state.nodes.get(world.slot('web.1').node)!.name, 'dead').step()
  assert.equal(world.told('pod/web.1'), ['assigned', 'running', 'lost', 'assigned'])
  world.apply({ count: 9, place: { strategy: 'spread', constraints: [], spread: [], maxPerNode: 1 } }).step()
  assert.equal(world.told('pod/web.2'), ['pending'])
})

test.run()
