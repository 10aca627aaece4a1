import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode } from '../../../node/codec.ts'
import { Failure } from '../../../node/errors.ts'
import { type BackupHeader, decodeBackup, encodeBackup } from '../../../node/recovery/backup-file.ts'
import { digestOf, snapshotOf } from '../../../scheduler/index.ts'
import { apiWorld, spec } from '../../harness/api-world.ts'

const backup = () => {
  const world = apiWorld(['ash', 'birch'])
  world.apply(spec('web', { count: 2 }))
  world.settle()
  const { state } = world.log
  const bytes = encode(snapshotOf(state))
  const header: BackupHeader = {
    clusterId: 'c1',
    clusterName: 'quartet',
    index: state.index,
    term: state.term,
    epoch: 0,
    takenAtMs: 1,
    takenBy: 'ash',
    version: '0.1.0',
    digest: digestOf(state),
    bytes: bytes.byteLength,
  }
  return { header, state: bytes, digest: digestOf(state) }
}

const refusalOf = (file: Buffer): Failure => {
  try {
    decodeBackup('/b', file)
  } catch (thrown) {
    assert.instance(thrown, Failure)
    return thrown as Failure
  }
  throw new Error('it was taken for a backup')
}

test('what was backed up is read back, and is the same state', () => {
  const { header, state, digest } = backup()
  const read = decodeBackup('/b', Buffer.from(encodeBackup({ header, state })))
  assert.equal(read.header, header)
  assert.is(digestOf(read.restored), digest)
})

test('no flipped bit is taken for truth, wherever it is', () => {
  const file = Buffer.from(encodeBackup(backup()))
  for (let at = 0; at < file.length; at++) {
    const spoilt = Buffer.from(file)
    spoilt[at] = (spoilt[at] as number) ^ (1 << (at % 8))
    assert.match(refusalOf(spoilt).code, /^E_(DISK_DAMAGED|INVALID)$/)
  }
})

test('no cut is taken for the whole, however long', () => {
  const file = Buffer.from(encodeBackup(backup()))
  for (let length = 0; length < file.length; length += 7) refusalOf(file.subarray(0, length))
  assert.match(refusalOf(Buffer.concat([file, Buffer.from([0])])).message, /it is cut off/)
})

test('a format of the future is named, and so is the one that is read', () => {
  const file = Buffer.from(encodeBackup(backup()))
  file[8] = 9
  const { message, why } = refusalOf(file)
  assert.match(message, /a backup in format 9/)
  assert.match(why ?? '', /reads format 1/)
})

test('a header that promises another state is found out, though every checksum is right', () => {
  const { header, state } = backup()
  const file = encodeBackup({ header: { ...header, digest: '0'.repeat(16) }, state })
  assert.match(refusalOf(Buffer.from(file)).message, /its state has the digest/)
})

test.run()
