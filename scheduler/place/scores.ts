/**
 * How fitting rows are ranked: a strategy's keys, compared one after the other, and soft constraints weighed against
 * it. Every key is a column of whole numbers, lower is better, so that the order is exact and the same everywhere.
 */
import { hashText } from '../dice.ts'
import { slotKey } from '../tables.ts'
import type { Ask } from './ask.ts'
import type { NodeColumns } from './columns.ts'
import { byValue } from './constraints.ts'
import { attributeOf } from './match.ts'

/** A soft constraint heavier than this beats the strategy; a lighter one decides where the strategy sees little difference. */
export const STRATEGY_WEIGHT = 50
/** Fractions are compared in steps of this. */
const FRACTION_STEPS = 10_000

/** What is to be ranked: the rows that fit, for one slot. */
export type Ranking = {
  readonly columns: NodeColumns
  readonly ask: Ask
  readonly rows: readonly number[]
  readonly slot: number
  readonly seed: number
  /** Per row, how often the slot's pods failed there of late. */
  readonly failuresByRow: ReadonlyMap<number, number>
}

/** A key of the strategy: one cost per element of `rows`. */
type Score = (ranking: Ranking) => { readonly name: string; readonly costs: Float64Array }

export type Ranked = {
  readonly row: number
  /** 0 to 1, higher is better. */
  readonly total: number
  /** Of equal totals the lowest comes first. */
  readonly tie: number
  /** Each key's share of `total`; worked out for the few rows that a decision keeps. */
  parts(): Readonly<Record<string, number>>
}

/** A loop, because `Float64Array.from` with a function takes several times as long. */
const columnOf = (rows: readonly number[], cost: (row: number) => number): Float64Array => {
  const costs = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) costs[i] = cost(rows[i]!)
  return costs
}

/** A slot whose pods failed on a node again and again tries the others first, whatever the strategy. */
const FAILURES_TOLERATED = 1

const failuresScore: Score = ({ rows, failuresByRow }) => ({
  name: 'failures',
  costs: columnOf(rows, row => Number((failuresByRow.get(row) ?? 0) > FAILURES_TOLERATED)),
})

/** The fewer pods of the workload share the node's value of a label, the better. No label counts as a value. */
const labelScore =
  (key: string): Score =>
  ({ columns, ask, rows }) => {
    const labelOf = (row: number): string => attributeOf(columns.nodes[row]!, key) ?? ''
    const countByValue = new Map<string, number>()
    for (const [row, count] of ask.stayingCount.entries())
      if (count > 0) countByValue.set(labelOf(row), (countByValue.get(labelOf(row)) ?? 0) + count)
    return {
      name: `spread ${key}`,
      costs: columnOf(rows, row => countByValue.get(labelOf(row)) ?? 0),
    }
  }

const ownPodsScore: Score = ({ ask, rows }) => ({
  name: 'spread',
  costs: columnOf(rows, row => ask.stayingCount[row]!),
})

const fewestPodsScore: Score = ({ columns, rows }) => ({
  name: 'fewest pods',
  costs: columnOf(rows, row => columns.podCount[row]!),
})

const mostPodsScore: Score = ({ columns, rows }) => {
  const most = rows.reduce((highest, row) => Math.max(highest, columns.podCount[row]!), 0)
  return { name: 'most pods', costs: columnOf(rows, row => most - columns.podCount[row]!) }
}

/** The fuller the node would be, in the mean of CPU and memory, the better. */
const packedScore: Score = ({ columns, ask, rows }) => ({
  name: 'binpack',
  costs: columnOf(rows, row => {
    const { cpuMillis, memoryBytes } = columns.nodes[row]!.capacity
    const cpu = fraction(columns.cpuMillisReserved[row]! + ask.demand.cpuMillis, cpuMillis)
    const memory = fraction(columns.memoryBytesReserved[row]! + ask.demand.memoryBytes, memoryBytes)
    return FRACTION_STEPS - Math.round(((cpu + memory) / 2) * FRACTION_STEPS)
  }),
})

const fraction = (part: number, whole: number): number => (whole > 0 ? Math.min(1, part / whole) : 0)

const randomScore: Score = ({ columns, ask, rows, slot, seed }) => ({
  name: 'random',
  costs: columnOf(rows, row => {
    const text = `${slotKey(ask.workload.spec.name, slot)} ${columns.nodes[row]!.id}`
    return hashText(text, seed ^ 0x5bd1e995) % FRACTION_STEPS
  }),
})

/** Most important first. */
const scoresOf = ({ workload }: Ask): readonly Score[] => {
  const { strategy, spread } = workload.spec.place
  const last: Readonly<Record<typeof strategy, readonly Score[]>> = {
    spread: [ownPodsScore, fewestPodsScore],
    binpack: [packedScore, mostPodsScore],
    random: [randomScore],
  }
  return [failuresScore, ...spread.map(labelScore), ...last[strategy]]
}

/** Deterministic: of two nodes that score the same, a seeded hash of slot and node decides. */
export const tieOf = (ranking: Pick<Ranking, 'ask' | 'slot' | 'seed' | 'columns'>, row: number): number =>
  hashText(
    `${slotKey(ranking.ask.workload.spec.name, ranking.slot)} ${ranking.columns.nodes[row]!.id}`,
    ranking.seed,
  )

export const compareRanked = (a: Ranked, b: Ranked): number =>
  b.total - a.total || a.tie - b.tie || a.row - b.row

/** In the order of `rows`. */
export const rank = (ranking: Ranking): readonly Ranked[] => {
  const strategy = strategyShares(ranking)
  const soft = softShare(ranking)
  const weight = STRATEGY_WEIGHT / (STRATEGY_WEIGHT + soft.weight)
  return ranking.rows.map((row, i) => {
    let total = soft.shares[i]! * (1 - weight)
    for (const { shares } of strategy) total += shares[i]! * weight
    const parts = (): Record<string, number> => {
      const preference = soft.weight > 0 ? { preference: soft.shares[i]! * (1 - weight) } : {}
      const keys = strategy.filter(({ shares }) => shares[i]! > 0)
      return {
        ...Object.fromEntries(keys.map(({ name, shares }) => [name, shares[i]! * weight])),
        ...preference,
      }
    }
    return { row, total, tie: tieOf(ranking, row), parts }
  })
}

type Shares = { readonly name: string; readonly shares: Float64Array }

/**
 * The keys as digits of one number in mixed radix: a digit's span is the spread of its costs, so a difference in one
 * key outweighs all keys after it. The shares of the best possible row sum up to 1.
 */
const strategyShares = (ranking: Ranking): readonly Shares[] => {
  const keys = scoresOf(ranking.ask).map(score => {
    const { name, costs } = score(ranking)
    const lowest = costs.reduce((low, cost) => Math.min(low, cost), Number.POSITIVE_INFINITY)
    const highest = costs.reduce((high, cost) => Math.max(high, cost), 0)
    return { name, costs, lowest, span: ranking.rows.length === 0 ? 0 : highest - lowest, radix: 1 }
  })
  let radix = 1
  for (const key of keys.toReversed()) {
    key.radix = radix
    radix *= key.span + 1
  }
  const highestCode = radix - 1
  if (highestCode === 0)
    return [
      {
        name: ranking.ask.workload.spec.place.strategy,
        shares: new Float64Array(ranking.rows.length).fill(1),
      },
    ]
  return keys
    .filter(({ span }) => span > 0)
    .map(({ name, costs, lowest, span, radix: place }) => ({
      name,
      shares: costs.map(cost => ((span - (cost - lowest)) * place) / highestCode),
    }))
}

/** The share of the soft constraints' weight that each row satisfies. */
const softShare = ({ ask, columns, rows }: Ranking): { weight: number; shares: Float64Array } => {
  const soft = ask.workload.spec.place.constraints.filter(({ hard }) => !hard)
  const shares = new Float64Array(rows.length)
  const weight = soft.reduce((sum, constraint) => sum + constraint.weight, 0)
  for (const constraint of soft) {
    const passes = byValue(constraint)
    for (const [i, row] of rows.entries())
      if (passes(attributeOf(columns.nodes[row]!, constraint.attribute)))
        shares[i]! += constraint.weight / weight
  }
  return { weight, shares }
}
