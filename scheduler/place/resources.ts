/** Reserved CPU and memory as filters. A pod that reserves none of a resource fits everywhere. */
import type { Check, Filter } from './check.ts'
import { amount, cores } from './words.ts'

type Resource = {
  readonly demand: number
  readonly free: (row: number) => number
  readonly unit: string
  readonly word: (value: number) => string
  readonly name: string
}

const check = ({ demand, free, unit, word, name }: Resource): Check => ({
  isLasting: false,
  fits: row => free(row) >= demand,
  phrase: rows => {
    const most = word(Math.max(0, ...rows.map(free)))
    return [
      `has ${most} of ${word(demand)} ${unit} free`,
      `have at most ${most} of ${word(demand)} ${unit} free`,
    ]
  },
  remedy: `reserve less ${name}, stop other pods, or add nodes`,
})

export const resourceChecks: Filter = ({ demand }, columns) => {
  const { nodes, cpuMillisReserved, memoryBytesReserved } = columns
  const checks: Check[] = []
  if (demand.cpuMillis > 0)
    checks.push(
      check({
        demand: demand.cpuMillis,
        free: row => nodes[row]!.capacity.cpuMillis - cpuMillisReserved[row]!,
        unit: 'CPU',
        word: cores,
        name: 'CPU',
      }),
    )
  if (demand.memoryBytes > 0)
    checks.push(
      check({
        demand: demand.memoryBytes,
        free: row => nodes[row]!.capacity.memoryBytes - memoryBytesReserved[row]!,
        unit: 'of memory',
        word: amount,
        name: 'memory',
      }),
    )
  return checks
}
