/**
 * `npm run chaos -- [SCENARIO…] [--rounds N] [--minutes N] [--clients N] [--count N] [--seed N] [--out FILE]`: real
 * processes, with figures; all scenarios when none is named. The test suite runs the same with less. A new scenario: a file in scenarios/
 * and a row here.
 */
import { parseArgs } from 'node:util'
import type { Effort } from './scenarios/effort.ts'
import { fuzz } from './scenarios/fuzz.ts'
import { linear } from './scenarios/linear.ts'
import { machines } from './scenarios/machines.ts'
import { quorum } from './scenarios/quorum.ts'
import { flapping } from './scenarios/verdicts/flapping.ts'
import { pair } from './scenarios/verdicts/pair.ts'
import { zoneLoss } from './scenarios/verdicts/zone-loss.ts'
import { zones } from './scenarios/zones.ts'

/** In the order in which they run; each makes its cluster and takes it down. */
const SCENARIOS: Readonly<Record<string, (effort: Effort) => Promise<void>>> = {
  machines,
  quorum,
  zones,
  pair,
  'zone-loss': () => zoneLoss({ isLong: true }),
  flapping: () => flapping({ times: 4 }),
  linear,
  fuzz,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '16' },
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
})

const unknown = positionals.filter(name => !Object.hasOwn(SCENARIOS, name))
if (unknown.length > 0)
  throw new Error(`no scenario ${unknown.join(', ')}; there are: ${Object.keys(SCENARIOS).join(', ')}`)

for (const [name, run] of Object.entries(SCENARIOS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  console.log(`${name}:`)
  await run({
    rounds: Number(values.rounds),
    minutes: Number(values.minutes),
    clients: Number(values.clients),
    count: Number(values.count),
    seed: Number(values.seed),
    out: values.out ?? null,
  })
}
