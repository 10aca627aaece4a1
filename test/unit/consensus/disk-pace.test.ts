import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { paced } from '../../../node/consensus/disk-pace.ts'
import type { LogStore, LogWrite } from '../../../node/consensus/storage.ts'

const WRITE: LogWrite = { hardState: null, snapshot: null, truncateFrom: null, entries: [], compact: null }

/** A disk that takes as long as it is told, on a clock that stands still otherwise. */
const world = () => {
  let nowMs = 0
  const waiting: { resolve(): void; reject(thrown: Error): void }[] = []
  const store: LogStore = {
    load: async () => null,
    write: () => new Promise((resolve, reject) => void waiting.push({ resolve, reject })),
    close: async () => undefined,
  }
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs, after: () => () => undefined }
  const { store: measured, paceMs } = paced(store, clock)
  return {
    paceMs,
    pass: (ms: number) => {
      nowMs += ms
    },
    begin: () => measured.write(WRITE),
    end: () => waiting.shift()?.resolve(),
    fail: () => waiting.shift()?.reject(new Error('no')),
  }
}

const take = async (disk: ReturnType<typeof world>, ms: number): Promise<void> => {
  const written = disk.begin()
  disk.pass(ms)
  disk.end()
  await written
}

test('the pace of a disk is the median of its last writes', async () => {
  const disk = world()
  assert.is(disk.paceMs(), null)
  for (const ms of [1, 2, 900]) await take(disk, ms)
  assert.is(disk.paceMs(), 2)
  for (let write = 0; write < 32; write++) await take(disk, 7)
  assert.is(disk.paceMs(), 7)
})

test('a write that does not end counts by its age, even the first', async () => {
  const disk = world()
  const first = disk.begin()
  disk.pass(3_000)
  assert.is(disk.paceMs(), 3_000)
  disk.end()
  await first
  for (let write = 0; write < 9; write++) await take(disk, 1)
  void disk.begin()
  disk.pass(500)
  assert.is(disk.paceMs(), 500)
})

test('a write that fails is no measure, and its failure is passed on', async () => {
  const disk = world()
  await take(disk, 4)
  const failing = disk.begin()
  disk.pass(1_000)
  disk.fail()
  let message = ''
  await failing.catch((thrown: Error) => {
    message = thrown.message
  })
  assert.is(message, 'no')
  assert.is(disk.paceMs(), 4)
})

test.run()
