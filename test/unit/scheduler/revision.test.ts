/** A pod runs by the template it began with for as long as it lives, whatever its workload has become. */
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  digestOf,
  isEnded,
  type Revision,
  restoreState,
  revisionOf,
  snapshotOf,
} from '../../../scheduler/index.ts'
import { actions, startCluster } from './arbitrary.ts'
import { World } from './fixtures.ts'

const restart = { policy: 'always', backoffMs: 1_000, backoffMsMax: 30_000, attemptsMax: null } as const

const workload = (world: World) => world.state.workloads.get('web')

const imageOf = (revision: Revision | null) => revision?.pod.containers[0]?.image ?? null

const generations = (world: World) => workload(world)?.past.map(past => past.generation)

test('during an update each pod is of the template and the restart policy that it began with', () => {
  const world = new World().init('ash').apply({ count: 2 }).settle()
  world.apply({ count: 2, restart: { ...restart, policy: 'on-failure' } })
  world.apply({ count: 2, restart: { ...restart, policy: 'never' } }, { image: 'nginx:2' })
  world.step()
  const old = revisionOf(workload(world), 1)
  assert.is(imageOf(old), 'nginx')
  assert.is(old?.restart.policy, 'on-failure')
  const current = revisionOf(workload(world), 2)
  assert.is(imageOf(current), 'nginx:2')
  assert.is(current?.restart.policy, 'never')
  assert.equal(generations(world), [1])
})

test('a template goes with the last pod of its generation, and is not kept when there is none', () => {
  const world = new World().init('ash').apply({ count: 2 }).settle().apply({ count: 2 }, { image: 'nginx:2' })
  world.step()
  const [first, second] = world.pods('web')
  world.report(first!, { state: 'stopped' })
  assert.equal(generations(world), [1])
  world.report(second!, { state: 'failed' })
  assert.equal(generations(world), [])
  const idle = new World().init('ash').apply({ count: 0 }).apply({ count: 0 }, { image: 'nginx:2' })
  assert.equal(generations(idle), [])
})

test('pods of several generations live side by side, each by its own template', () => {
  const world = new World().init('ash').apply({ count: 3 }).settle()
  world.apply({ count: 3 }, { image: 'nginx:2' }).step()
  world.obey()
  world.step()
  world.apply({ count: 3 }, { image: 'nginx:3' })
  assert.equal(generations(world), [1, 2])
  assert.equal(
    [1, 2, 3, 4].map(number => imageOf(revisionOf(workload(world), number))),
    ['nginx', 'nginx:2', 'nginx:3', null],
  )
  world.settle()
  assert.equal(generations(world), [])
})

test('a restart keeps the template for the pods that it replaces, a lost pod needs none', () => {
  const world = new World().init('ash', 'birch').apply({ count: 2 }).settle()
  world.ok({ type: 'workload/Restart', name: 'web' })
  assert.is(imageOf(revisionOf(workload(world), 1)), 'nginx')
  world.verdict('ash', 'dead').verdict('birch', 'dead').step()
  assert.equal(generations(world), [])
})

test('a removed workload has no template, and one created again none for the pods of the removed one', () => {
  const world = new World().init('ash').apply({ count: 1 }).settle()
  world.ok({ type: 'workload/Remove', name: 'web' })
  assert.is(revisionOf(workload(world), 1), null)
  world.apply({ count: 1 }, { image: 'nginx:2' })
  assert.is(revisionOf(workload(world), 1), null)
  assert.is(imageOf(revisionOf(workload(world), 2)), 'nginx:2')
})

test('older templates are in the snapshot and in the digest', () => {
  const world = new World().init('ash').apply({ count: 1 }).settle().apply({ count: 1 }, { image: 'nginx:2' })
  const snapshot = JSON.parse(JSON.stringify(snapshotOf(world.state)))
  const copy = restoreState(snapshot)
  assert.is(imageOf(revisionOf(copy.workloads.get('web'), 1)), 'nginx')
  assert.is(digestOf(copy), digestOf(world.state))
  snapshot.workloads[0].past = []
  assert.is.not(digestOf(restoreState(snapshot)), digestOf(world.state))
})

test('after any command every wanted pod has its template, and no template is kept without a live pod', () => {
  fc.assert(
    fc.property(fc.array(actions, { minLength: 10, maxLength: 60 }), list => {
      const world = startCluster(new World())
      for (const { run } of list) {
        run(world)
        for (const pod of world.live())
          if (pod.desired === 'running')
            assert.is.not(revisionOf(world.state.workloads.get(pod.workload), pod.generation), null)
        for (const { spec, past } of world.state.workloads.values())
          for (const { generation } of past)
            assert.ok(
              world.pods(spec.name).some(pod => pod.generation === generation && !isEnded(pod.state)),
              `generation ${generation} of ${spec.name} has a live pod`,
            )
      }
    }),
    { numRuns: 150, seed: 50 },
  )
})

test.run()
