/**
 * `npm run bench -- [raft] [--seconds N] [--out FILE]`: figures as ratios against something measured in the
 * same run. Prints a table; `--out` writes `{"rows":[{"name","clients","ours","peer","ratio"}]}`.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { benchRaft } from './raft.ts'
import type { Row } from './row.ts'

const BENCHES: Readonly<Record<string, (seconds: number) => Promise<readonly Row[]>>> = { raft: benchRaft }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '3' }, out: { type: 'string' } },
})
const wanted = positionals.length === 0 ? Object.keys(BENCHES) : positionals
const unknown = wanted.filter(name => BENCHES[name] === undefined)
if (unknown.length > 0) {
  console.error(`error: no bench is called ${unknown.join(', ')}\n  try: ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}

const rows: Row[] = []
for (const name of wanted) {
  console.log(`\n${name}`)
  console.log(
    `  ${'name'.padEnd(34)}${'clients'.padStart(8)}${'ours'.padStart(14)}${'peer'.padStart(14)}${'ratio'.padStart(9)}`,
  )
  for (const row of (await BENCHES[name]?.(Number(values.seconds))) ?? []) {
    rows.push(row)
    const figures = [row.ours, row.peer]
      .map(figure => figure.toFixed(figure < 100 ? 2 : 0).padStart(14))
      .join('')
    console.log(
      `  ${row.name.padEnd(34)}${String(row.clients).padStart(8)}${figures}${row.ratio.toFixed(3).padStart(9)}`,
    )
  }
}
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify({ rows }, null, 2)}\n`)
process.exit(0)
