/** What a data directory keeps of a member, on a real disk. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openSnapshots } from '../../node/consensus/snapshots.ts'
import { openSqliteLog } from '../../node/consensus/sqlite-log.ts'
import { silentLog } from '../../node/log.ts'
import { openAddressBook } from '../../node/membership/address-book.ts'
import {
  forgetMembership,
  keepRecord,
  makeDataDirectory,
  readRecord,
  writeRecord,
} from '../../node/record.ts'
import { loadIdentity } from '../../node/transport/identity.ts'

const RECORD = {
  name: 'ash',
  clusterId: 'c1',
  clusterName: 'trio',
  founded: null,
  runtime: 'process',
  hasLog: true,
} as const

test('changes of the record keep their order, touch nothing else, and cost nothing when they change nothing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-record-'))
  const fileId = (): number => statSync(join(directory, 'node.json')).ino
  try {
    await writeRecord(directory, RECORD)
    const keep = keepRecord(directory, RECORD)
    const before = fileId()
    await keep({ hasLog: true })
    await keep({ founded: null, admission: null })
    assert.is(fileId(), before)
    await Promise.all([keep({ name: 'birch' }), keep({ name: 'cedar' })])
    assert.equal(readRecord(directory), { ...RECORD, name: 'cedar' })
    rmSync(directory, { recursive: true })
    await keep({ name: 'doug' }).then(
      () => assert.unreachable('there is no directory to write to'),
      thrown => assert.is(thrown.code, 'E_DISK_FAILED'),
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test('nothing of a node that left stays behind, so that its directory can join or found anew', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'tutti-record-'))
  const directory = join(parent, 'node')
  try {
    makeDataDirectory(directory)
    await loadIdentity(directory)
    await writeRecord(directory, RECORD)
    const book = await openAddressBook({ directory, log: silentLog })
    book.replace(new Map([['peer', ['10.0.0.1:7701']]]))
    await book.flushed()
    const store = openSqliteLog({ directory, log: silentLog })
    await store.load()
    const hardState = { term: 1, vote: null, commit: 0 }
    await store.write({ hardState, truncateFrom: null, entries: [], snapshot: null, compact: null })
    await store.close()
    await openSnapshots({ directory: join(directory, 'snapshots'), log: silentLog }).load()
    assert.equal(readRecord(directory), RECORD)
    assert.ok(readdirSync(directory).length >= 5)
    forgetMembership(directory)
    assert.equal(readdirSync(directory), [])
    assert.is(readRecord(directory), null)
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
})

test.run()
