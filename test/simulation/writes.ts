/** What a customer of the simulated cluster writes, drawn from a seed: workloads that come, grow, shrink, restart and go. */
import type { Command, Constraint, NodeId, Port, WorkloadSpec } from '../../scheduler/index.ts'
import type { Prng } from '../harness/prng.ts'

/** A workload keeps its kind: a change of kind would be refused. */
const KINDS = { web: 'service', db: 'service', feed: 'service', cache: 'global', cron: 'batch' } as const
const NAMES = Object.keys(KINDS) as readonly (keyof typeof KINDS)[]
const ZONES = ['north', 'south', 'west'] as const

/** `nodeIds`: who may be drained and activated. */
export const drawCommand = (dice: Prng, atMs: number, nodeIds: readonly NodeId[]): Command => {
  const name = dice.pick(NAMES)
  const roll = dice.random()
  if (roll < 0.45) return { type: 'workload/Apply', atMs, spec: drawSpec(dice, name), checkIndex: null }
  if (roll < 0.75) return { type: 'workload/Scale', atMs, name, count: dice.between(0, 8) }
  if (roll < 0.82) return { type: 'workload/Restart', atMs, name }
  if (roll < 0.87) return { type: 'workload/Stop', atMs, name }
  if (roll < 0.92) return { type: 'workload/Remove', atMs, name }
  const id = dice.pick(nodeIds)
  return dice.chance(0.4) ? { type: 'node/Drain', atMs, id } : { type: 'node/Activate', atMs, id }
}

export const zoneOf = (machine: number): string => ZONES[machine % ZONES.length] as string

const drawSpec = (dice: Prng, name: keyof typeof KINDS): WorkloadSpec => {
  const ports: readonly Port[] = dice.chance(0.6)
    ? [{ name: 'http', container: 80, host: null, protocol: 'tcp' }]
    : []
  const kind = KINDS[name]
  const constraints: Constraint[] = []
  if (dice.chance(0.25)) {
    constraints.push({
      attribute: 'zone',
      operator: dice.pick(['==', '!='] as const),
      values: [dice.pick(ZONES)],
      hard: dice.chance(0.6),
      weight: 50,
    })
  }
  return {
    name,
    kind,
    count: dice.between(0, 7),
    pod: {
      labels: { version: String(dice.between(1, 3)) },
      containers: [
        {
          name: 'main',
          image: `registry/${name}:${dice.between(1, 3)}`,
          command: [],
          env: {},
          ports,
          resources: {
            cpuMillis: dice.between(0, 4) * 100,
            memoryBytes: dice.between(0, 4) * 64 * 1024 ** 2,
          },
          health: ports.length > 0 && kind !== 'batch' && dice.chance(0.7) ? HEALTH : null,
        },
      ],
    },
    place: {
      strategy: dice.pick(['spread', 'spread', 'binpack', 'random'] as const),
      constraints,
      spread: dice.chance(0.4) ? ['zone'] : [],
      maxPerNode: dice.chance(0.2) ? dice.between(1, 3) : null,
    },
    restart: {
      policy: kind === 'batch' ? 'on-failure' : 'always',
      backoffMs: 200,
      backoffMsMax: 5_000,
      attemptsMax: dice.chance(0.5) ? 3 : null,
    },
    update: { parallelism: dice.between(1, 3), order: dice.pick(['stop-first', 'start-first'] as const) },
  }
}

const HEALTH = {
  type: 'http',
  path: '/',
  port: 'http',
  intervalMs: 1_000,
  timeoutMs: 500,
  startPeriodMs: 5_000,
  threshold: 3,
} as const
