/**
 * `npm run chaos -- [SCENARIO…] [--rounds N] [--seed N]`: real processes, with figures; all scenarios when none is named.
 * The test suite runs the same with fewer rounds. A new scenario: a file in scenarios/ and a row here.
 */
import { parseArgs } from 'node:util'
import type { Effort } from './scenarios/effort.ts'
import { machines } from './scenarios/machines.ts'
import { quorum } from './scenarios/quorum.ts'
import { zones } from './scenarios/zones.ts'

/** In the order in which they run; each makes its cluster and takes it down. */
const SCENARIOS: Readonly<Record<string, (effort: Effort) => Promise<void>>> = { machines, quorum, zones }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
})

const unknown = positionals.filter(name => !Object.hasOwn(SCENARIOS, name))
if (unknown.length > 0)
  throw new Error(`no scenario ${unknown.join(', ')}; there are: ${Object.keys(SCENARIOS).join(', ')}`)

for (const [name, run] of Object.entries(SCENARIOS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  console.log(`${name}:`)
  await run({ rounds: Number(values.rounds), seed: Number(values.seed) })
}
