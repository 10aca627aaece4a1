import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { diskMetadata, diskMsOf, nextDiskWord } from '../../../node/control/disk-word.ts'

test('a disk is told by the nearest power of two milliseconds, from 1 to 65536', () => {
  assert.is(nextDiskWord(null, null), null)
  assert.is(nextDiskWord(null, 0.1), 1)
  assert.is(nextDiskWord(null, 5), 4)
  assert.is(nextDiskWord(null, 50), 64)
  assert.is(nextDiskWord(null, 1e9), 65_536)
})

test('the word stays as long as it is right within a factor of two', () => {
  for (const paceMs of [4, 6, 8, 15.9, 16]) assert.is(nextDiskWord(8, paceMs), 8)
  assert.is(nextDiskWord(8, 3.9), 4)
  assert.is(nextDiskWord(8, 17), 16)
  assert.is(nextDiskWord(8, null), 8)
})

test('what a member says is read back, and anything else is not believed', () => {
  const member = (metadata: Readonly<Record<string, string>>) =>
    ({ id: 'n', incarnation: 0, state: 'alive', addresses: [], metadata }) as const
  assert.is(diskMsOf(member(diskMetadata(64))), 64)
  assert.is(diskMsOf(member(diskMetadata(null))), null)
  assert.is(diskMsOf(undefined), null)
  for (const diskMs of ['', '-1', '1e3', 'NaN', '123456']) assert.is(diskMsOf(member({ diskMs })), null)
})

test.run()
