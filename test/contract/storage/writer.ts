/** A child process that writes to a log without end and says on standard output which index was acknowledged; killed by storage.test.ts. */
import { writeSync } from 'node:fs'
import { openSqliteLog } from '../../../node/consensus/sqlite-log.ts'
import { silentLog } from '../../../node/log.ts'
import { entry, metaAt, write } from './contract.ts'

const directory = process.argv[2]
if (directory === undefined) throw new Error('usage: writer.ts DIRECTORY')
const log = openSqliteLog({ directory, log: silentLog })
const loaded = await log.load()
let last = loaded?.entries.at(-1)?.index ?? loaded?.snapshot?.index ?? 0

for (;;) {
  const group: Promise<void>[] = []
  for (let i = 0; i < 1 + (last % 7); i++) {
    const index = last + 1
    last = index
    const hardState = { term: 1, vote: 'a', commit: index - 1 }
    const done = log.write(write({ hardState, entries: [entry(index, 1, 'x'.repeat(index % 3_000))] }))
    group.push(done.then(() => void writeSync(1, `${index}\n`)))
  }
  if (last % 50 === 0) {
    const firstIndex = last - 20
    group.push(log.write(write({ compact: { snapshot: metaAt(last - 10), firstIndex } })))
  }
  await Promise.all(group)
}
