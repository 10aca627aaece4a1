/** Agreement on real time and a real disk: one node, its log in sqlite, its snapshots in files. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createActorSystem } from '../../node/actor/system.ts'
import { systemClock } from '../../node/clock.ts'
import { createConsensus, type RunningConsensus } from '../../node/consensus/create.ts'
import { openSnapshots } from '../../node/consensus/snapshots.ts'
import { openSqliteLog } from '../../node/consensus/sqlite-log.ts'
import { silentLog } from '../../node/log.ts'
import { memoryNetwork } from '../../node/transport/memory.ts'
import { prng } from '../harness/prng.ts'
import { until } from '../harness/run-command.ts'
import { tokenCommand } from '../unit/consensus/world.ts'

type Opened = { readonly consensus: RunningConsensus; close(): Promise<void> }

const open = async (directory: string): Promise<Opened> => {
  const clock = systemClock()
  const { random } = prng(1)
  const logStore = openSqliteLog({ directory, log: silentLog })
  const system = createActorSystem({ clock, random, log: silentLog })
  const consensus = await createConsensus({
    system,
    transport: memoryNetwork({ clock }).transport({ self: 'a', listen: '127.0.0.1:7701', log: silentLog }),
    clock,
    random,
    log: silentLog,
    logStore,
    snapshotStore: openSnapshots({ directory: join(directory, 'snapshots'), log: silentLog }),
    id: 'a',
    bootstrap: true,
    options: { snapshotEntries: 300 },
  })
  return {
    consensus,
    async close() {
      await consensus.stop()
      system.stop()
      await logStore.close()
    },
  }
}

const test = suite<{ directory: string }>('consensus on a real disk')
test.before.each(context => {
  context.directory = mkdtempSync(join(tmpdir(), 'tutti-consensus-'))
})
test.after.each(context => rmSync(context.directory, { recursive: true }))

test('a thousand writes share fsyncs, and all are there after a restart', async ({ directory }) => {
  const first = await open(directory)
  const outcomes = await Promise.all(
    Array.from({ length: 1_000 }, (_, i) =>
      first.consensus.submit(tokenCommand(`t${i}`), { timeoutMs: 10_000 }),
    ),
  )
  assert.ok(outcomes.every(outcome => outcome.ok))
  const { index } = first.consensus.state()
  // Taken beside the writes, so not before them for certain.
  await until('a snapshot', 10_000, () => (first.consensus.status().snapshotIndex > 0 ? true : null))
  await first.close()
  assert.ok(readdirSync(join(directory, 'snapshots')).length > 0)

  const second = await open(directory)
  await second.consensus.barrier({ timeoutMs: 10_000 })
  assert.is(second.consensus.state().tokens.size, 1_000)
  const outcome = await second.consensus.submit(tokenCommand('t5'), { requestId: 'new', timeoutMs: 10_000 })
  assert.not(outcome.ok, 'the token is known')
  assert.ok(outcome.index > index)
  await second.close()
})

test('a founder that is started again founds nothing anew', async ({ directory }) => {
  const first = await open(directory)
  await first.consensus.submit(tokenCommand('only'), { timeoutMs: 10_000 })
  const { term } = first.consensus.status()
  await first.close()
  const second = await open(directory)
  await second.consensus.barrier({ timeoutMs: 10_000 })
  assert.ok(second.consensus.state().tokens.has('only'))
  assert.ok(second.consensus.status().term > term)
  assert.equal(second.consensus.status().voters, ['a'])
  await second.close()
})

test.run()
