import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { silentLog } from '../../../node/log.ts'
import { openAddressBook } from '../../../node/membership/address-book.ts'

const directories: string[] = []
const fresh = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-book-'))
  directories.push(directory)
  return directory
}
test.after(() => {
  for (const directory of directories) rmSync(directory, { recursive: true })
})

const PEERS = new Map([
  ['ash', ['10.0.0.1:7701']],
  ['oak', ['10.0.0.2:7701', '10.0.0.3:7701']],
])

test('what was known is known after a restart', async () => {
  const directory = fresh()
  const book = await openAddressBook({ directory, log: silentLog })
  assert.is(book.peers().size, 0)
  book.replace(PEERS)
  assert.equal(book.peers(), PEERS)
  await book.flushed()
  const again = await openAddressBook({ directory, log: silentLog })
  assert.equal(again.peers(), PEERS)
})

test('the file is the owner’s, whole, and alone', async () => {
  const directory = fresh()
  const book = await openAddressBook({ directory, log: silentLog })
  for (let count = 0; count < 20; count += 1) book.replace(new Map([['ash', [`10.0.0.${count}:1`]]]))
  await book.flushed()
  assert.equal(readdirSync(directory), ['addresses.json'])
  const path = join(directory, 'addresses.json')
  assert.is(statSync(path).mode & 0o777, 0o600)
  assert.equal(JSON.parse(readFileSync(path, 'utf8')).peers, { ash: ['10.0.0.19:1'] })
})

test('a damaged file is an empty book, and is replaced', async () => {
  const changed = '{"format":2,"peers":{"ash":["10.0.0.1:1"]},"crc":"00000000"}'
  for (const text of ['', '{', 'null', '[]', '{"ash":"10.0.0.1:1"}', '{"ash":[1]}', '7', changed]) {
    const directory = fresh()
    writeFileSync(join(directory, 'addresses.json'), text)
    const book = await openAddressBook({ directory, log: silentLog })
    assert.is(book.peers().size, 0, text)
    book.replace(PEERS)
    await book.flushed()
    assert.equal((await openAddressBook({ directory, log: silentLog })).peers(), PEERS)
  }
})

test('a disk that takes nothing costs the book, not the node', async () => {
  const warnings: string[] = []
  const directory = join(fresh(), 'missing')
  const book = await openAddressBook({
    directory,
    log: { ...silentLog, warn: message => warnings.push(message) },
  })
  book.replace(PEERS)
  await book.flushed()
  assert.equal(book.peers(), PEERS)
  assert.is(warnings.length, 1)
})

test.run()
