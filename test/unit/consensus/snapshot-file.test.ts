import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  openSnapshotFile,
  readSnapshotFile,
  writeSnapshotFile,
} from '../../../node/consensus/disk/snapshot-file.ts'
import { openSnapshots } from '../../../node/consensus/snapshots.ts'
import { silentLog } from '../../../node/log.ts'
import { emptyConfiguration } from '../../../raft/index.ts'
import { prng } from '../../harness/prng.ts'

const CHUNK_BYTES = 256 * 1024
/** Two whole chunks and a part of one. */
const BYTES = 2 * CHUNK_BYTES + 1_000

const metaAt = (index: number) => ({ index, term: 3, configuration: emptyConfiguration })

/** No two chunks alike. */
const data = new Uint8Array(BYTES).map((_, at) => (at * 31 + (at >> 8)) & 0xff)

const test = suite<{ directory: string; path: string }>('snapshot file')
test.before.each(async context => {
  context.directory = mkdtempSync(join(tmpdir(), 'tutti-snapshot-'))
  context.path = join(context.directory, 'snapshot-3-9')
  await writeSnapshotFile(context.path, { meta: metaAt(9), data })
})
test.after.each(({ directory }) => rmSync(directory, { recursive: true }))

const isRead = (path: string): Promise<boolean> =>
  readSnapshotFile(path).then(
    () => true,
    () => false,
  )

test('it is read as a whole, and from any place on', async ({ path }) => {
  assert.equal(await readSnapshotFile(path), { meta: metaAt(9), data })
  const file = await openSnapshotFile(path)
  for (const offset of [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, BYTES - 1, BYTES]) {
    const read = await file.read(offset, 500)
    assert.equal([...read.data], [...data.subarray(offset, offset + read.data.byteLength)], `from ${offset}`)
    assert.is(read.isLast, offset + read.data.byteLength === BYTES)
    assert.ok(read.data.byteLength > 0 || offset === BYTES)
  }
  await file.close()
})

test('any byte that changed is noticed, and any that is missing or too many', async ({ path }) => {
  const sound = readFileSync(path)
  const dice = prng(41, 'snapshot file')
  const places = [
    ...Array.from({ length: 120 }, (_, at) => at),
    ...Array.from({ length: 60 }, () => dice.between(0, sound.length - 1)),
  ]
  for (const at of places) {
    const changed = Buffer.from(sound)
    changed[at] = changed[at]! ^ (1 << dice.between(0, 7))
    writeFileSync(path, changed)
    assert.not(await isRead(path), `byte ${at}`)
  }
  for (const length of [0, 7, 20, CHUNK_BYTES, sound.length - 1, sound.length + 1]) {
    writeFileSync(path, sound)
    truncateSync(path, length)
    assert.not(await isRead(path), `${length} bytes`)
  }
})

test('chunks that changed places are noticed, though each is whole', async ({ path }) => {
  const swapped = readFileSync(path)
  const frameBytes = CHUNK_BYTES + 8
  const first = swapped.length - (BYTES + 3 * 8)
  const [one, two] = [first, first + frameBytes].map(at => Buffer.from(swapped.subarray(at, at + frameBytes)))
  two!.copy(swapped, first)
  one!.copy(swapped, first + frameBytes)
  writeFileSync(path, swapped)
  assert.not(await isRead(path))
})

test('whoever is being fed one reads it to the end, however many replace it', async ({ directory }) => {
  const store = openSnapshots({ directory, log: silentLog })
  const reader = await store.open(metaAt(9))
  assert.ok(reader !== null)
  const pieces = [(await reader.read(0, CHUNK_BYTES)).data]
  for (const index of [20, 30, 40]) await store.save({ meta: metaAt(index), data: new Uint8Array(9) })
  assert.is(await store.open(metaAt(9)), null, 'nobody else can begin with it')
  let offset = CHUNK_BYTES
  for (let isLast = false; !isLast; ) {
    const read = await reader.read(offset, CHUNK_BYTES)
    pieces.push(read.data)
    offset += read.data.byteLength
    isLast = read.isLast
  }
  assert.ok(Buffer.concat(pieces).equals(data))
  await reader.close()
})

test('a file under the name of another is not taken for it', async ({ directory, path }) => {
  writeFileSync(join(directory, 'snapshot-3-90'), readFileSync(path))
  const loaded = await openSnapshots({ directory, log: silentLog }).load()
  assert.equal(
    loaded.map(({ meta }) => meta.index),
    [9],
  )
})

test.run()
