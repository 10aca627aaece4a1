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

/** `count` proposals leave as one batch, the last of them as entry `index`, and are committed. */
const round = (batch: ProposalBatch, count: number, index: number): void => {
  for (let number = 0; number < count; number++) batch.add(proposal(`${index}`, 0))
  batch.take()
  batch.note({ ...READY, proposals: [accepted(index)] })
  batch.note({ ...READY, apply: [entry(index)] })
}

test('a lone writer waits for nobody', () => {
  const batch = new ProposalBatch(10)
  for (let index = 1; index <= 3; index++) {
    batch.add(proposal('a'))
    assert.ok(batch.isComplete)
    batch.take()
    batch.note({ ...READY, proposals: [accepted(index)], apply: [entry(index)] })
  }
})

test('a batch is complete when those are back who were answered, and those who came meanwhile are there', () => {
  const batch = new ProposalBatch(100)
  for (let number = 0; number < 6; number++) batch.add(proposal('early'))
  batch.take()
  batch.note({ ...READY, proposals: [accepted(6)] })
  for (let number = 0; number < 4; number++) batch.add(proposal('meanwhile'))
  assert.not(batch.isComplete)
  batch.note({ ...READY, apply: [entry(6)] })
  for (let number = 0; number < 4; number++) batch.add(proposal('again'))
  assert.not(batch.isComplete)
  batch.add(proposal('again'))
  assert.ok(batch.isComplete, 'nine of ten')
})

test('a crowd that went home is forgotten: within a few rounds, or at once when nobody writes', () => {
  const ebbing = new ProposalBatch(10)
  round(ebbing, 64, 64)
  let rounds = 0
  for (let index = 65; ; index++, rounds++) {
    ebbing.add(proposal('a', 0))
    if (ebbing.isComplete) break
    round(ebbing, 0, index)
  }
  assert.is(rounds, 6)

  const resting = new ProposalBatch(10)
  round(resting, 64, 64)
  resting.tick()
  resting.tick()
  resting.add(proposal('a'))
  assert.ok(resting.isComplete)
})

test('a pause between two batches is no rest', () => {
  const batch = new ProposalBatch(10)
  round(batch, 64, 64)
  batch.tick()
  round(batch, 64, 128)
  batch.tick()
  batch.add(proposal('a'))
  assert.not(batch.isComplete)
})

test.run()
