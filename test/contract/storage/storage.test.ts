/** The sqlite log and the snapshot files: the common contract, then what only real files can suffer. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openSnapshots } from '../../../node/consensus/snapshots.ts'
import { openSqliteLog } from '../../../node/consensus/sqlite-log.ts'
import { Failure } from '../../../node/errors.ts'
import { silentLog } from '../../../node/log.ts'
import type { SavedState } from '../../../raft/index.ts'
import { prng } from '../../harness/prng.ts'
import { entry, metaAt, storageContract, write } from './contract.ts'

const temporary = (): string => mkdtempSync(join(tmpdir(), 'tutti-storage-'))

storageContract('sqlite and files', async () => {
  const directory = temporary()
  return {
    open: () => ({
      log: openSqliteLog({ directory, log: silentLog }),
      snapshots: openSnapshots({ directory, log: silentLog }),
    }),
    dispose: async () => rmSync(directory, { recursive: true }),
  }
})

const files = suite<{ directory: string }>('storage: real files')
files.before.each(context => {
  context.directory = temporary()
})
files.after.each(context => rmSync(context.directory, { recursive: true }))

const openLog = (directory: string, bytesMax: number | null = null) =>
  openSqliteLog({ directory, bytesMax, log: silentLog })

type Opening = { readonly saved: SavedState | null } | { readonly failure: unknown }

const opening = async (directory: string): Promise<Opening> => {
  const log = openLog(directory)
  try {
    return { saved: await log.load() }
  } catch (failure) {
    return { failure }
  } finally {
    await log.close()
  }
}

const codeOf = (thrown: unknown): string | null => (thrown instanceof Failure ? thrown.code : null)

const filled = async (directory: string, count: number): Promise<void> => {
  const log = openLog(directory)
  await log.load()
  for (let i = 1; i <= count; i++)
    await log.write(
      write({ hardState: { term: 1, vote: 'a', commit: i - 1 }, entries: [entry(i, 1, 'x'.repeat(500))] }),
    )
  await log.close()
}

/** Kills a writing child after it acknowledged some writes; returns the last index that it acknowledged. */
const writeAndKill = async (directory: string, afterMs: number): Promise<number> => {
  const script = fileURLToPath(new URL('./writer.ts', import.meta.url))
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', chunk => {
    output += String(chunk)
  })
  await once(child.stdout, 'data')
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
  await once(child, 'close')
  clearTimeout(timer)
  return Number(output.split('\n').at(-2))
}

files('a process killed at any moment loses no acknowledged write', async ({ directory }) => {
  const { random } = prng(7)
  let acknowledged = 0
  for (let round = 0; round < 12; round++) {
    acknowledged = Math.max(acknowledged, await writeAndKill(directory, random() * 60))
    const found = await opening(directory)
    assert.ok('saved' in found, `round ${round}`)
    const last = found.saved?.entries.at(-1)
    assert.ok((last?.index ?? 0) >= acknowledged, `round ${round}: ${last?.index} of ${acknowledged}`)
    assert.is(found.saved?.hardState.commit, (last?.index ?? 0) - 1, 'entries and hard state are one write')
  }
})

files('files are readable by their owner only', async ({ directory }) => {
  const log = openLog(directory)
  await log.load()
  await log.write(write({ entries: [entry(1)] }))
  await openSnapshots({ directory, log: silentLog }).save({ meta: metaAt(1), data: new Uint8Array(9) })
  for (const name of readdirSync(directory))
    assert.is(statSync(join(directory, name)).mode & 0o777, 0o600, name)
  await log.close()
})

files('no flipped bit is ever taken for truth', async ({ directory }) => {
  await filled(directory, 60)
  const sound = await opening(directory)
  assert.ok('saved' in sound)
  const { random } = prng(11)
  let noticedCount = 0
  const bytes = readFileSync(join(directory, 'raft.db'))
  for (let round = 0; round < 40; round++) {
    const copy = temporary()
    cpSync(directory, copy, { recursive: true })
    const flipped = Buffer.from(bytes)
    const at = Math.floor(random() * flipped.length)
    flipped[at] = flipped[at]! ^ (1 << Math.floor(random() * 8))
    writeFileSync(join(copy, 'raft.db'), flipped)
    const found = await opening(copy)
    if ('saved' in found) assert.equal(found.saved, sound.saved, `byte ${at}`)
    else assert.is(codeOf(found.failure), 'E_DISK_DAMAGED', `byte ${at}: ${String(found.failure)}`)
    if ('failure' in found) noticedCount += 1
    rmSync(copy, { recursive: true })
  }
  assert.ok(noticedCount > 20, `${noticedCount} of 40 flips hit something that matters`)
})

files(
  'a write-ahead log that lost acknowledged writes is noticed, wherever it is cut',
  async ({ directory }) => {
    const acknowledged = await writeAndKill(directory, 30)
    const { random } = prng(13)
    let noticedCount = 0
    for (let round = 0; round < 12; round++) {
      const cut = temporary()
      cpSync(directory, cut, { recursive: true })
      const wal = join(cut, 'raft.db-wal')
      truncateSync(wal, Math.floor(random() * statSync(wal).size))
      const found = await opening(cut)
      if ('saved' in found)
        assert.ok((found.saved?.entries.at(-1)?.index ?? 0) >= acknowledged, `round ${round}`)
      else assert.is(codeOf(found.failure), 'E_DISK_DAMAGED', `round ${round}`)
      if ('failure' in found) noticedCount += 1
      rmSync(cut, { recursive: true })
    }
    assert.ok(noticedCount >= 8, `${noticedCount} of 12 cuts`)
  },
)

files('a database that vanished is noticed', async ({ directory }) => {
  await filled(directory, 3)
  truncateSync(join(directory, 'raft.db'), 0)
  const found = await opening(directory)
  assert.ok('failure' in found && found.failure instanceof Failure)
  assert.is(found.failure.code, 'E_DISK_DAMAGED')
  assert.match(found.failure.hint ?? '', /tutti repair/)
})

files('a file that is no database is damage, not a crash', async ({ directory }) => {
  writeFileSync(
    join(directory, 'raft.db'),
    'this is no database, but it is longer than nothing at all'.repeat(100),
  )
  const found = await opening(directory)
  assert.is('failure' in found ? codeOf(found.failure) : null, 'E_DISK_DAMAGED')
})

files('a second process on the same directory is told so', async ({ directory }) => {
  const first = openLog(directory)
  await first.load()
  const found = await opening(directory)
  assert.is('failure' in found ? codeOf(found.failure) : null, 'E_CONFLICT')
  await first.close()
})

files(
  'a full disk refuses the write as a whole, and goes on after load once there is space',
  async ({ directory }) => {
    const log = openLog(directory, 200_000)
    await log.load()
    let written = 0
    let failure: unknown = null
    while (failure === null && written < 100) {
      const done = log.write(write({ entries: [entry(written + 1, 1, 'x'.repeat(10_000))] }))
      failure = await done.then(
        () => null,
        (thrown: unknown) => thrown,
      )
      if (failure === null) written += 1
    }
    assert.is(codeOf(failure), 'E_DISK_FULL')
    const refused = await log
      .write(write({ entries: [entry(written + 1)] }))
      .catch((thrown: unknown) => thrown)
    assert.is(codeOf(refused), 'E_DISK_FULL', 'nothing may follow a lost write')
    assert.is((await log.load())?.entries.length, written)
    await log.write(write({ truncateFrom: 2, entries: [entry(2)] }))
    await log.close()
  },
)

files('compaction gives the space of dropped entries back', async ({ directory }) => {
  const log = openLog(directory)
  await log.load()
  for (let i = 1; i <= 6_000; i += 500)
    await log.write(
      write({ entries: Array.from({ length: 500 }, (_, n) => entry(i + n, 1, 'x'.repeat(800))) }),
    )
  await log.write(write({ compact: { snapshot: metaAt(6_000), firstIndex: 6_001 } }))
  await log.close()
  const again = openLog(directory)
  await again.load()
  const before = statSync(join(directory, 'raft.db')).size
  await again.write(write({ entries: [entry(6_001)] }))
  for (let waits = 0; statSync(join(directory, 'raft.db')).size > before / 2 && waits < 200; waits++)
    await new Promise(resolve => setTimeout(resolve, 20))
  assert.ok(statSync(join(directory, 'raft.db')).size < before / 2)
  await again.close()
})

files(
  'a damaged snapshot is skipped for the one before it, and leftovers are cleared',
  async ({ directory }) => {
    const store = openSnapshots({ directory, log: silentLog })
    await store.save({ meta: metaAt(10), data: new Uint8Array(600_000).fill(1) })
    await store.save({ meta: metaAt(20), data: new Uint8Array(600_000).fill(2) })
    writeFileSync(join(directory, 'snapshot-1-30.tmp'), 'half')
    const newest = join(directory, 'snapshot-1-20')
    const bytes = readFileSync(newest)
    const { random } = prng(17)
    for (let round = 0; round < 30; round++) {
      const damaged = Buffer.from(bytes)
      const at = Math.floor(random() * damaged.length)
      damaged[at] = damaged[at]! ^ (1 << Math.floor(random() * 8))
      writeFileSync(newest, round % 3 === 0 ? damaged.subarray(0, at) : damaged)
      const loaded = await openSnapshots({ directory, log: silentLog }).load()
      assert.equal(
        loaded.map(({ meta }) => meta.index),
        [10],
        `round ${round}`,
      )
    }
    assert.not(readdirSync(directory).includes('snapshot-1-30.tmp'))
  },
)

files.run()
