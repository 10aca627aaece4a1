/**
 * How soon all know that one of them died, and what it costs: our nodes beside Debian's Serf, one program alive at a time,
 * in turns, in the same namespaces on the same bridge, watched through their logs by the same eyes. An agent knows when its
 * own view holds the other dead; "decree" is when our leader's verdict has been applied elsewhere.
 */
import { loadavg } from 'node:os'
import { pause } from './contender.ts'
import { medianOf } from './failover.ts'
import { Fleet, type Joined } from './membership/fleet.ts'
import type { Program } from './membership/program.ts'
import { serfProgram } from './membership/serf.ts'
import { type Known, STRIKES, type Strike, strike } from './membership/strike.ts'
import { tuttiProgram } from './membership/tutti.ts'
import { costOf } from './process-cost.ts'
import { type BenchOptions, type Result, type Row, rowOf } from './row.ts'

const NODES = [5, 20, 50] as const
const ROUNDS = 2
/** Of each kind of death. */
const TRIALS = 6
const JOINS = 2
/** After the last join, before the cost is taken. */
const REST_MS = 10_000
const IDLE_MS = 20_000

const NEVER: Known = { allMs: Number.POSITIVE_INFINITY, decreeMs: Number.POSITIVE_INFINITY }

type Measured = {
  readonly known: Map<Strike, Known[]>
  readonly joins: Joined[]
  /** Means over the agents, one per turn. */
  readonly idle: { readonly cpuPercent: number; readonly rssMB: number; readonly bytesPerSecond: number }[]
  falseAlarmCount: number
}

export const benchMembership = async (options: BenchOptions): Promise<Result> => {
  const serf = serfProgram()
  const trials = options.trials ?? TRIALS
  const loadBefore = loadavg()[0] ?? Number.NaN
  const rows: Row[] = []
  for (const count of options.nodes ?? NODES) {
    const [ours, theirs] = [emptyMeasured(), emptyMeasured()]
    for (let round = 0; round < ROUNDS; round++) {
      await takeTurn(tuttiProgram(), { count, round, trials }, ours)
      await takeTurn(serf, { count, round, trials }, theirs)
    }
    rows.push(...rowsOf(count, ours, theirs))
  }
  return {
    head: [
      `"clients" is the number of agents; ours: nodes as \`tutti start\` starts them; peer: ${serf.name}`,
      `${trials} deaths of each kind, in ${ROUNDS} turns each, load average before: ${loadBefore.toFixed(1)}`,
      'until all others know, from their own logs; unplugged: the cable of its namespace is taken out',
    ],
    rows,
  }
}

const emptyMeasured = (): Measured => ({ known: new Map(), joins: [], idle: [], falseAlarmCount: 0 })

type Turn = { readonly count: number; readonly round: number; readonly trials: number }

/** A turn that fails ends early and is told; what it measured until then counts, and what nobody ever knew took for ever. */
const takeTurn = async (program: Program, turn: Turn, measured: Measured): Promise<void> => {
  const tell = (text: string): void => console.error(`  ${program.name}, ${turn.count} agents: ${text}`)
  try {
    const fleet = await Fleet.open(program, turn.count)
    try {
      await measure(fleet, turn, measured, tell)
    } finally {
      await fleet.close()
      measured.falseAlarmCount += fleet.falseAlarms.length
      for (const { by, about } of fleet.falseAlarms) tell(`${by} held ${about} dead, which was well`)
    }
  } catch (thrown) {
    tell(String(thrown))
  }
}

const measure = async (
  fleet: Fleet,
  { count, round, trials }: Turn,
  { known, joins, idle }: Measured,
  tell: (text: string) => void,
): Promise<void> => {
  await pause(REST_MS)
  idle.push(await idleCost(fleet))
  for (let trial = round; trial < trials; trial += ROUNDS)
    for (const [position, how] of STRIKES.entries()) {
      const victim = fleet.agents[(trial * STRIKES.length + position) % count]!
      const note = (figures: Known): void => void known.set(how, [...(known.get(how) ?? []), figures])
      const figures = await strike(fleet, victim, how).catch((thrown: unknown) => {
        note(NEVER)
        throw thrown
      })
      note(figures)
      tell(`${how}: ${figures.allMs.toFixed(0)} ms`)
    }
  for (let join = 0; join < JOINS; join++) joins.push(await fleet.join())
}

/** The mean over all agents. */
const idleCost = async (fleet: Fleet): Promise<Measured['idle'][number]> => {
  const sent = (): number => fleet.agents.reduce((sum, agent) => sum + agent.sentBytes, 0)
  const [before, startedMs] = [sent(), performance.now()]
  const costs = await costOf(
    fleet.agents.flatMap(agent => agent.pid ?? []),
    IDLE_MS,
  )
  const seconds = (performance.now() - startedMs) / 1_000
  return {
    cpuPercent: 100 * meanOf(costs.map(cost => cost.cpuShare)),
    rssMB: meanOf(costs.map(cost => cost.rssMB)),
    bytesPerSecond: (sent() - before) / seconds / fleet.agents.length,
  }
}

const rowsOf = (count: number, ours: Measured, theirs: Measured): readonly Row[] => {
  const row = (name: string, of: (measured: Measured) => number, ofTheirs = of): Row => {
    const [our, their] = [of(ours), ofTheirs(theirs)]
    return our === 0 ? { ...rowOf(name, count, our, their), ratio: 0 } : rowOf(name, count, our, their)
  }
  const alls = (how: Strike) => (measured: Measured) =>
    (measured.known.get(how) ?? []).map(known => known.allMs)
  const decrees = (how: Strike) => (measured: Measured) =>
    (measured.known.get(how) ?? []).map(known => known.decreeMs ?? Number.NaN)
  return [
    ...STRIKES.flatMap(how => [
      row(`${how} ms`, measured => medianOf(alls(how)(measured))),
      row(`${how} ms, worst`, measured => Math.max(...alls(how)(measured))),
      row(
        `${how} ms, by decree`,
        measured => medianOf(decrees(how)(measured)),
        measured => medianOf(alls(how)(measured)),
      ),
    ]),
    row('held dead while well', measured => measured.falseAlarmCount),
    row('join ms, its start to the first', ({ joins }) => medianOf(joins.map(join => join.firstMs))),
    row('join ms, first to last', ({ joins }) => medianOf(joins.map(join => join.spreadMs))),
    row('join ms, first to both ways', ({ joins }) => medianOf(joins.map(join => join.mutualMs))),
    row('idle: % of a core', ({ idle }) => meanOf(idle.map(each => each.cpuPercent))),
    row('idle: RSS MB', ({ idle }) => meanOf(idle.map(each => each.rssMB))),
    row('idle: bytes/s sent', ({ idle }) => meanOf(idle.map(each => each.bytesPerSecond))),
  ]
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
