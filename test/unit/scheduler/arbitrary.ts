/** Random clusters and what users, nodes and leaders do to them, for the scheduler's properties. */
import fc from 'fast-check'
import { isEnded, type Pod, type PodState, type WorkloadSpec } from '../../../scheduler/index.ts'
import { constraint, container, id, nodeFacts, SECRET, spec, type World } from './fixtures.ts'

export const NAMES = ['ash', 'birch', 'cedar', 'elm'] as const
const WORKLOADS = ['web', 'job', 'agent'] as const

const fixedPortOf = { web: 8_080, job: 8_081, agent: 8_080 } as const
const kindOf = { web: 'service', job: 'batch', agent: 'global' } as const

/** Every node fits every pod of these specs as long as there is room, unless a constraint rules it out. */
export const specs: fc.Arbitrary<WorkloadSpec> = fc
  .record({
    name: fc.constantFrom(...WORKLOADS),
    count: fc.integer({ min: 0, max: 6 }),
    image: fc.constantFrom('a', 'b', 'c'),
    cpuMillis: fc.constantFrom(0, 500, 1_500),
    memoryBytes: fc.constantFrom(0, 2 ** 30),
    port: fc.constantFrom('none', 'none', 'dynamic', 'fixed'),
    strategy: fc.constantFrom('spread' as const, 'binpack' as const, 'random' as const),
    constraints: fc.constantFrom(
      [],
      [],
      [constraint('zone', '==', 'eu')],
      [constraint('zone', 'regex', '^u')],
      [{ ...constraint('zone', '==', 'eu'), hard: false, weight: 80 }],
    ),
    spread: fc.constantFrom([], ['zone']),
    maxPerNode: fc.constantFrom(null, null, 1, 2),
    policy: fc.constantFrom('always' as const, 'on-failure' as const),
    attemptsMax: fc.constantFrom(null, 2),
    parallelism: fc.integer({ min: 1, max: 3 }),
    order: fc.constantFrom('stop-first' as const, 'start-first' as const),
  })
  .map(
    ({
      name,
      count,
      image,
      cpuMillis,
      memoryBytes,
      port,
      policy,
      attemptsMax,
      parallelism,
      order,
      ...place
    }) =>
      spec({
        name,
        kind: kindOf[name],
        count,
        pod: {
          labels: {},
          containers: [
            container({
              image,
              resources: { cpuMillis, memoryBytes },
              ports:
                port === 'none'
                  ? []
                  : [
                      {
                        name: 'http',
                        container: 80,
                        host: port === 'fixed' ? fixedPortOf[name] : null,
                        protocol: 'tcp',
                      },
                    ],
            }),
          ],
        },
        place,
        restart: { policy, backoffMs: 1_000, backoffMsMax: 8_000, attemptsMax },
        update: { parallelism, order },
      }),
  )

export type Action = { readonly name: string; run(world: World): void }

const action = (name: string, run: (world: World) => void): Action =>
  ({ name, run, toString: () => name }) as Action

const podAt = (world: World, number: number): Pod | undefined => {
  const live = world.live().filter(pod => !isEnded(pod.state))
  return live[number % Math.max(1, live.length)]
}

const nodes = fc.constantFrom(...NAMES)
const workloads = fc.constantFrom(...WORKLOADS)

/** Refusals are part of the game: no action throws on one. */
export const actions: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: specs.map(one =>
      action(`apply ${JSON.stringify(one)}`, w =>
        w.do({ type: 'workload/Apply', spec: one, checkIndex: null }),
      ),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(workloads, fc.integer({ min: 0, max: 8 }))
      .map(([name, count]) =>
        action(`scale ${name}=${count}`, w => w.do({ type: 'workload/Scale', name, count })),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(workloads, fc.constantFrom('workload/Stop', 'workload/Restart', 'workload/Remove'))
      .map(([name, type]) => action(`${type} ${name}`, w => w.do({ type, name }))),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(nodes, fc.constantFrom('alive', 'dead'))
      .map(([name, state]) =>
        action(`${name} ${state}`, w => w.do({ type: 'node/Verdict', id: id(name), state, reason: 'test' })),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(nodes, fc.constantFrom('node/Drain', 'node/Activate'))
      .map(([name, type]) => action(`${type} ${name}`, w => w.do({ type, id: id(name) }))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(nodes, fc.constantFrom('eu', 'us'))
      .map(([name, zone]) =>
        action(`${name} moves to ${zone}`, w =>
          w.do({ type: 'node/Update', node: nodeFacts(name, { labels: { zone } }) }),
        ),
      ),
  },
  { weight: 8, arbitrary: fc.constant(action('plan', w => void w.step())) },
  { weight: 4, arbitrary: fc.constant(action('obey', w => void w.obey())) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 20_000 }).map(ms => action(`${ms} ms pass`, w => w.wait(ms))),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.nat(100),
        fc.constantFrom<PodState>(
          'preparing',
          'starting',
          'running',
          'stopping',
          'failed',
          'succeeded',
          'stopped',
        ),
        fc.constantFrom('none' as const, 'healthy' as const, 'unhealthy' as const),
      )
      .map(([number, state, health]) =>
        action(`pod ${number} is ${state}, ${health}`, w => {
          const pod = podAt(w, number)
          if (pod) w.report(pod, { state, health })
        }),
      ),
  },
)

/** Four nodes in two zones. */
export const startCluster = (world: World): World => {
  world.init('ash')
  world.ok({ type: 'node/Update', node: nodeFacts('ash', { labels: { zone: 'eu' } }) })
  for (const name of NAMES.slice(1)) {
    const labels = { zone: name === 'birch' ? 'eu' : 'us' }
    world.ok({ type: 'node/Join', node: nodeFacts(name, { labels }), tokenId: 't1', secretHash: SECRET })
  }
  return world
}
