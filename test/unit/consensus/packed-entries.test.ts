import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buffersOf, packEntries, unpackEntries } from '../../../node/consensus/disk/packed-entries.ts'
import { type Entry, emptyConfiguration } from '../../../raft/index.ts'

/** A part of something larger, as entries from a packet are. */
const part = (...bytes: number[]): Uint8Array =>
  new Uint8Array([0, ...bytes, 0]).subarray(1, 1 + bytes.length)

const ENTRIES: readonly Entry[] = [
  { type: 'normal', index: 7, term: 2, data: part(1, 2, 3) },
  { type: 'noop', index: 8, term: 3 },
  { type: 'normal', index: 9, term: 3, data: part() },
  { type: 'configuration', index: 10, term: 3, configuration: { ...emptyConfiguration, voters: ['a', 'b'] } },
  { type: 'normal', index: 2 ** 47, term: 2 ** 47, data: part(4) },
]

test('entries of every kind come out as they went in', () => {
  assert.equal(unpackEntries(packEntries(ENTRIES)), ENTRIES)
  assert.equal(unpackEntries(packEntries([])), [])
})

test('what is handed over holds no byte more than the entries do', () => {
  const packed = packEntries(ENTRIES.filter(entry => entry.type === 'normal'))
  assert.equal([...packed.bytes], [1, 2, 3, 4])
  assert.is(buffersOf(packed)[1]?.byteLength, 4)
})

test('entries survive the way to a worker', () => {
  const packed = packEntries(ENTRIES)
  const received = structuredClone(packed, { transfer: [...buffersOf(packed)] })
  assert.equal(unpackEntries(received), ENTRIES)
})

test.run()
