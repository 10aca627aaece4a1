import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ProposalBatch } from '../../../node/consensus/proposal-batch.ts'
import type { Entry, Ready } from '../../../raft/index.ts'

const READY: Ready = {
  persist: null,
  sendNow: [],
  sendAfterPersist: [],
  install: null,
  apply: [],
  reads: [],
  proposals: [],
  snapshotReads: [],
  snapshotWrites: [],
  facts: [],
}
const accepted = (index: number): Ready['proposals'][number] => ({
  type: 'accepted',
  key: `key ${index}`,
  index,
  term: 1,
})
const entry = (index: number): Entry => ({ type: 'noop', index, term: 1 })
const proposal = (key: string, bytes = 1) => ({ key, data: new Uint8Array(bytes) })

test('what was added leaves once, in order', () => {
  const batch = new ProposalBatch(100)
  assert.ok(batch.isEmpty)
  for (const key of ['a', 'b', 'c']) batch.add(proposal(key))
  assert.not(batch.isEmpty)
  assert.equal(
    batch.take().map(({ key }) => key),
    ['a', 'b', 'c'],
  )
  assert.ok(batch.isEmpty)
  assert.equal(batch.take(), [])
})

test('a batch is full by its bytes, and empty again when it has left', () => {
  const batch = new ProposalBatch(10)
  batch.add(proposal('a', 6))
  assert.not(batch.isFull)
  batch.add(proposal('b', 4))
  assert.ok(batch.isFull)
  batch.take()
  assert.not(batch.isFull)
})

test('a batch is under way until its last entry is known to be committed', () => {
  const batch = new ProposalBatch(10)
  batch.note({ ...READY, proposals: [accepted(5), accepted(6)] })
  assert.ok(batch.isUnderWay)
  batch.note({ ...READY, apply: [entry(4), entry(5)] })
  assert.ok(batch.isUnderWay)
  batch.note(READY)
  assert.ok(batch.isUnderWay)
  batch.note({ ...READY, apply: [entry(6)] })
  assert.not(batch.isUnderWay)
})

test('entries that a leader lost are made up for by those that are committed in their place', () => {
  const batch = new ProposalBatch(10)
  batch.note({ ...READY, proposals: [accepted(5), accepted(6), accepted(7)] })
  batch.note({ ...READY, apply: [entry(5), entry(6), entry(7), entry(8)] })
  assert.not(batch.isUnderWay)
})

test.run()
