/** What every version of Tutti wrote to disk or sent to a peer is read by this one: fixtures/record.ts made the files. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decode } from '../../../node/codec.ts'
import { parseRequest } from '../../../node/consensus/request.ts'
import { openSnapshots } from '../../../node/consensus/snapshots.ts'
import { openSqliteLog } from '../../../node/consensus/sqlite-log.ts'
import { decodeState } from '../../../node/consensus/store.ts'
import { type Log, silentLog } from '../../../node/log.ts'
import { openAddressBook } from '../../../node/membership/address-book.ts'
import { readRecord } from '../../../node/record.ts'
import { readFound } from '../../../node/runtime/process-record.ts'
import { loadIdentity } from '../../../node/transport/identity.ts'
import { isMessage } from '../../../raft/well-formed.ts'
import { entryText, type Meaning } from './fixtures/record.ts'

const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url))
const formats = readdirSync(FIXTURES).filter(name => name.startsWith('format-'))

/** Reading an old format is no reason to complain. */
const strictLog: Log = {
  ...silentLog,
  warn: message => assert.unreachable(message),
  error: message => assert.unreachable(message),
  child: () => strictLog,
}

for (const format of formats) {
  const test = suite<{ directory: string; meaning: Meaning }>(`formats: ${format}`)
  test.before(context => {
    context.directory = mkdtempSync(join(tmpdir(), 'tutti-format-'))
    cpSync(join(FIXTURES, format, 'data'), context.directory, { recursive: true })
    context.meaning = JSON.parse(readFileSync(join(FIXTURES, format, 'meaning.json'), 'utf8'))
  })
  test.after(context => rmSync(context.directory, { recursive: true }))

  test('the log and its hard state', async ({ directory, meaning }) => {
    const log = openSqliteLog({ directory, log: strictLog })
    const loaded = await log.load()
    assert.equal(loaded?.hardState, meaning.hardState)
    assert.equal(loaded?.entries.map(entryText), meaning.entries)
    assert.is(loaded?.snapshot?.index, meaning.snapshots[0])
    const requests = (loaded?.entries ?? []).flatMap(one => (one.type === 'normal' ? [one] : []))
    assert.ok(requests.length > 0)
    for (const { index, data } of requests) assert.is(parseRequest(data)?.requestId, `request-${index}`)
    await log.close()
  })

  test('the snapshots and the state in them', async ({ directory, meaning }) => {
    const found = await openSnapshots({ directory: join(directory, 'snapshots'), log: strictLog }).load()
    assert.equal(
      found.map(({ meta }) => meta.index),
      meaning.snapshots,
    )
    assert.equal(
      found.map(({ data }) => decodeState(data).index),
      meaning.snapshots,
    )
    assert.is(decodeState(found[0]!.data).cluster?.id, meaning.clusterId)
  })

  test('who the node is, where it belongs and whom it knows', async ({ directory, meaning }) => {
    const record = readRecord(directory)
    assert.is(record?.name, meaning.nodeName)
    assert.is(record?.clusterId, meaning.clusterId)
    assert.is(record?.founded?.id, meaning.clusterId)
    assert.is(record?.hasLog, true)
    assert.is((await loadIdentity(directory)).peerId, meaning.peerId)
    const book = await openAddressBook({ directory, log: strictLog })
    assert.equal(Object.fromEntries(book.peers()), meaning.peers)
  })

  test('the processes that it runs', async ({ directory, meaning }) => {
    const { pod, container, startedAtMs } = meaning.process
    const found = await readFound(join(directory, 'pods', pod, container), 'another boot')
    assert.is(found?.record.key.pod, pod)
    assert.is(found?.record.startedAtMs, startedAtMs)
  })

  test('what peers say', () => {
    const messages = JSON.parse(readFileSync(join(FIXTURES, format, 'messages.json'), 'utf8'))
    assert.ok(Object.keys(messages).length >= 15)
    for (const [type, bytes] of Object.entries(messages)) {
      const message = decode(Buffer.from(String(bytes), 'base64'))
      assert.ok(isMessage(message) && message.type === type, type)
    }
  })

  test.run()
}

const all = suite('formats')
all('there is something to read', () => assert.ok(formats.includes('format-1')))
all.run()
