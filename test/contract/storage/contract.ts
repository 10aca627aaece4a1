/** What every implementation of LogStore and SnapshotStore must do; run by storage.test.ts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { LogStore, LogWrite, SnapshotStore } from '../../../node/consensus/storage.ts'
import { Failure } from '../../../node/errors.ts'
import type { Entry, HardState, SnapshotMetadata } from '../../../raft/index.ts'

/** One disk. `open` may be called again after `close` of the log: that is a restart of the process. */
export type Disk = {
  open(): { readonly log: LogStore; readonly snapshots: SnapshotStore }
  /** Gives back whatever the disk took. */
  dispose(): Promise<void>
}

export const entry = (index: number, term = 1, text = `entry ${index}`): Entry => ({
  type: 'normal',
  index,
  term,
  data: new Uint8Array(Buffer.from(text)),
})

export const write = (parts: Partial<LogWrite>): LogWrite => ({
  hardState: null,
  snapshot: null,
  truncateFrom: null,
  entries: [],
  compact: null,
  ...parts,
})

export const metaAt = (index: number, term = 1): SnapshotMetadata => ({
  index,
  term,
  configuration: { voters: ['a', 'b'], votersOutgoing: [], learners: ['c'], autoLeave: false },
})

const hardState = (term: number, vote: string | null, commit: number): HardState => ({ term, vote, commit })

const indexes = (entries: readonly Entry[]): readonly number[] => entries.map(({ index }) => index)

/** Plain copies, so that a Buffer equals the Uint8Array that it was made of. */
const plain = (entries: readonly Entry[]): readonly unknown[] =>
  entries.map(one => (one.type === 'normal' ? { ...one, data: [...one.data] } : one))

export const storageContract = (name: string, make: () => Promise<Disk>): void => {
  const test = suite<{ disk: Disk }>(`storage: ${name}`)
  test.before.each(async context => {
    context.disk = await make()
  })
  test.after.each(context => context.disk.dispose())

  test('an unused disk loads as null', async ({ disk }) => {
    const { log, snapshots } = disk.open()
    assert.is(await log.load(), null)
    assert.equal(await snapshots.load(), [])
    await log.close()
  })

  test('what was written is there after a restart, all kinds of entries included', async ({ disk }) => {
    const first = disk.open().log
    await first.load()
    const { configuration } = metaAt(0)
    const entries: readonly Entry[] = [
      { type: 'configuration', index: 1, term: 1, configuration },
      { type: 'noop', index: 2, term: 1 },
      entry(3),
      entry(4, 1, ''),
    ]
    await first.write(write({ hardState: hardState(1, 'a', 0), entries }))
    await first.close()
    const second = disk.open().log
    const loaded = await second.load()
    assert.equal(loaded?.hardState, hardState(1, 'a', 0))
    assert.is(loaded?.snapshot, null)
    assert.equal(plain(loaded?.entries ?? []), plain(entries))
    await second.close()
  })

  test('many waiting writes are carried out in order', async ({ disk }) => {
    const first = disk.open().log
    await first.load()
    const order: number[] = []
    const writes = Array.from({ length: 300 }, (_, i) =>
      first.write(write({ entries: [entry(i + 1)] })).then(() => order.push(i)),
    )
    await Promise.all(writes)
    assert.equal(
      order,
      Array.from({ length: 300 }, (_, i) => i),
    )
    await first.close()
    const second = disk.open().log
    assert.is((await second.load())?.entries.length, 300)
    await second.close()
  })

  test('truncation and append in one write replace a tail', async ({ disk }) => {
    const first = disk.open().log
    await first.load()
    await first.write(write({ hardState: hardState(1, 'a', 0), entries: [entry(1), entry(2), entry(3)] }))
    await first.write(write({ hardState: hardState(2, null, 0), truncateFrom: 2, entries: [entry(2, 2)] }))
    await first.close()
    const second = disk.open().log
    const loaded = await second.load()
    assert.equal(plain(loaded?.entries ?? []), plain([entry(1), entry(2, 2)]))
    assert.equal(loaded?.hardState, hardState(2, null, 0))
    await second.write(write({ entries: [entry(3, 2)] }))
    assert.equal(indexes((await second.load())?.entries ?? []), [1, 2, 3])
    await second.close()
  })

  test('a compaction drops the entries below its first index and keeps the rest', async ({ disk }) => {
    const first = disk.open().log
    await first.load()
    await first.write(write({ entries: Array.from({ length: 20 }, (_, i) => entry(i + 1)) }))
    await first.write(write({ compact: { snapshot: metaAt(15), firstIndex: 11 }, entries: [entry(21)] }))
    await first.close()
    const second = disk.open().log
    const loaded = await second.load()
    assert.equal(loaded?.snapshot, metaAt(15))
    assert.equal(indexes(loaded?.entries ?? []), [11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21])
    await second.write(write({ truncateFrom: 12, entries: [entry(12, 3)] }))
    assert.equal(indexes((await second.load())?.entries ?? []), [11, 12])
    await second.close()
  })

  test('an installed snapshot takes the place of every entry', async ({ disk }) => {
    const first = disk.open().log
    await first.load()
    await first.write(write({ entries: [entry(1), entry(2), entry(3)] }))
    await first.write(write({ hardState: hardState(5, null, 90), snapshot: metaAt(90, 4) }))
    const loaded = await first.load()
    assert.equal(loaded?.snapshot, metaAt(90, 4))
    assert.equal(loaded?.entries, [])
    await first.write(write({ entries: [entry(91, 5)] }))
    await first.close()
    const second = disk.open().log
    assert.equal(indexes((await second.load())?.entries ?? []), [91])
    await second.close()
  })

  test('load sees the writes that were still waiting', async ({ disk }) => {
    const { log } = disk.open()
    await log.load()
    const waiting = log.write(write({ entries: [entry(1)] }))
    assert.equal(indexes((await log.load())?.entries ?? []), [1])
    await waiting
    await log.close()
  })

  test('a closed log refuses calls, and closing again is nothing', async ({ disk }) => {
    const { log } = disk.open()
    await log.load()
    await log.close()
    await log.close()
    const thrown = await log.write(write({ entries: [entry(1)] })).then(
      () => null,
      (failure: unknown) => failure,
    )
    assert.ok(thrown instanceof Failure && thrown.code === 'E_DISK_FAILED')
  })

  test('the newest two snapshots are kept, newest first', async ({ disk }) => {
    const { log, snapshots } = disk.open()
    for (const index of [10, 30, 20])
      await snapshots.save({ meta: metaAt(index), data: new Uint8Array(700_000).fill(index) })
    await log.close()
    const again = disk.open()
    const loaded = await again.snapshots.load()
    assert.equal(
      loaded.map(({ meta }) => meta),
      [metaAt(30), metaAt(20)],
    )
    assert.ok(
      loaded.every(({ meta, data }) => data.length === 700_000 && data.every(byte => byte === meta.index)),
    )
    await again.log.close()
  })

  test('a snapshot of a recovered cluster outlives all that came before the recovery', async ({ disk }) => {
    const { log, snapshots } = disk.open()
    const epoch = { number: 1, mark: 'm' }
    const recovered = { ...metaAt(15), configuration: { ...metaAt(15).configuration, epoch } }
    for (const meta of [metaAt(80), metaAt(90), recovered])
      await snapshots.save({ meta, data: new Uint8Array(3) })
    assert.equal(
      (await snapshots.load()).map(({ meta }) => meta),
      [recovered, metaAt(90)],
    )
    await log.close()
  })

  test('a snapshot is read piece by piece to its end, also when newer ones replace it', async ({ disk }) => {
    const { log, snapshots } = disk.open()
    const data = new Uint8Array(700_000).map((_, at) => at % 251)
    await snapshots.save({ meta: metaAt(5), data })
    assert.is(await snapshots.open(metaAt(6)), null)
    const reader = await snapshots.open(metaAt(5))
    assert.ok(reader !== null)
    for (const index of [7, 8, 9]) await snapshots.save({ meta: metaAt(index), data: new Uint8Array(1) })
    const pieces: Uint8Array[] = []
    for (let offset = 0, isLast = false; !isLast; ) {
      const piece = await reader.read(offset, 100_000)
      pieces.push(piece.data)
      offset += piece.data.byteLength
      isLast = piece.isLast
    }
    assert.ok(Buffer.concat(pieces).equals(data))
    await reader.close()
    await log.close()
  })

  test('an empty snapshot is a snapshot', async ({ disk }) => {
    const { log, snapshots } = disk.open()
    await snapshots.save({ meta: metaAt(1), data: new Uint8Array(0) })
    assert.is((await snapshots.load())[0]?.data.byteLength, 0)
    await log.close()
  })

  test.run()
}
