/**
 * `npm run bench -- [raft|relay|idle|membership|membership-scale|false-alarms] [--seconds N] [--clients 1,16] [--trials N]
 * [--nodes 5,50] [--members 10,100] [--days N] [--out FILE] [--plot FILE.svg]`: figures as ratios against something measured
 * in the same run, or against what is promised. Prints a table; `--out` writes `{"rows":[{"name","clients","ours","peer","ratio"}]}`.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { benchFalseAlarms } from './false-alarms.ts'
import { benchIdle } from './idle.ts'
import { benchMembership } from './membership.ts'
import { benchMembershipScale } from './membership-scale.ts'
import { plot } from './plot.ts'
import { benchRaft } from './raft.ts'
import { benchRelay } from './relay.ts'
import type { BenchOptions, Result, Row } from './row.ts'

const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<Result>>> = {
  raft: benchRaft,
  relay: benchRelay,
  idle: benchIdle,
  membership: benchMembership,
  'membership-scale': benchMembershipScale,
  'false-alarms': benchFalseAlarms,
}
/** On virtual time; these take long, so they run only when they are named. */
const SIMULATED = ['membership-scale', 'false-alarms']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '1,16,64,256' },
    trials: { type: 'string' },
    nodes: { type: 'string' },
    members: { type: 'string', default: '10,100,1000' },
    days: { type: 'string', default: '100' },
    out: { type: 'string' },
    plot: { type: 'string' },
  },
})
const wanted =
  positionals.length === 0 ? Object.keys(BENCHES).filter(name => !SIMULATED.includes(name)) : positionals
const unknown = wanted.filter(name => BENCHES[name] === undefined)
if (unknown.length > 0) {
  console.error(`error: no bench is called ${unknown.join(', ')}\n  try: ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}
const options: BenchOptions = {
  seconds: Number(values.seconds),
  clients: values.clients.split(',').filter(Boolean).map(Number),
  trials: values.trials === undefined ? null : Number(values.trials),
  nodes: values.nodes?.split(',').filter(Boolean).map(Number) ?? null,
  members: values.members.split(',').filter(Boolean).map(Number),
  days: Number(values.days),
}

const print = ({ head, rows }: Result): void => {
  for (const line of head) console.log(`  ${line}`)
  console.log(
    `  ${'name'.padEnd(34)}${'clients'.padStart(8)}${'ours'.padStart(14)}${'peer'.padStart(14)}${'ratio'.padStart(9)}`,
  )
  for (const { name, clients, ours, peer, ratio } of rows) {
    const figures = [ours, peer].map(figure => figure.toFixed(figure < 100 ? 2 : 0).padStart(14)).join('')
    console.log(`  ${name.padEnd(34)}${String(clients).padStart(8)}${figures}${ratio.toFixed(3).padStart(9)}`)
  }
}

const rows: Row[] = []
for (const name of wanted) {
  console.log(`\n${name}`)
  const result = await BENCHES[name]!(options)
  rows.push(...result.rows)
  print(result)
}
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify({ rows }, null, 2)}\n`)
if (values.plot !== undefined) writeFileSync(values.plot, plot(rows))
process.exit(0)
