import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chooseStart } from '../../../node/consensus/startup.ts'
import type { StoredSnapshot } from '../../../node/consensus/storage.ts'
import { Failure } from '../../../node/errors.ts'
import {
  type Entry,
  type Epoch,
  emptyConfiguration,
  enteringState,
  type SavedState,
} from '../../../raft/index.ts'

const snapshotAt = (index: number, term = 1): StoredSnapshot => ({
  meta: { index, term, configuration: emptyConfiguration },
  data: new Uint8Array(),
})

const saved = (snapshotIndex: number | null, first: number, last: number, term = 1): SavedState => ({
  hardState: { term, vote: null, commit: 0 },
  snapshot: snapshotIndex === null ? null : snapshotAt(snapshotIndex, term).meta,
  entries: Array.from(
    { length: last - first + 1 },
    (_, i): Entry => ({ type: 'noop', index: first + i, term }),
  ),
})

const startOf = (stored: SavedState, snapshots: readonly StoredSnapshot[]): number | null =>
  chooseStart(stored, snapshots).saved.snapshot?.index ?? null

test('the snapshot that the log names is taken', () => {
  assert.is(startOf(saved(20, 10, 30), [snapshotAt(20), snapshotAt(10)]), 20)
})

test('a newer one that was durable before the log knew of it is taken, and the log goes on when both agree', () => {
  const start = chooseStart(saved(20, 10, 30), [snapshotAt(28), snapshotAt(20)])
  assert.is(start.saved.snapshot?.index, 28)
  assert.is(start.saved.entries.length, 21)
  assert.not(start.mustReset)
  assert.is(startOf(saved(null, 1, 30), [snapshotAt(28)]), 28)
})

test('an install that was cut short is finished: the log gives way', () => {
  for (const newest of [snapshotAt(90, 3), snapshotAt(28, 3)]) {
    const start = chooseStart(saved(20, 10, 30), [newest, snapshotAt(20)])
    assert.ok(start.mustReset)
    assert.equal(start.saved.entries, [])
    assert.equal(start.saved.hardState, { term: 3, vote: null, commit: newest.meta.index })
  }
})

test('a damaged one is made up for by the one before it and the log since', () => {
  const start = chooseStart(saved(20, 10, 30), [snapshotAt(10)])
  assert.is(start.saved.snapshot?.index, 10)
  assert.is(start.saved.hardState.commit, 20, 'what was in the lost snapshot was committed')
  assert.is(startOf(saved(20, 1, 30), []), null, 'a log from its first entry needs none')
})

test('a gap between snapshot and log is damage, and says what to do', () => {
  for (const snapshots of [[], [snapshotAt(8)]]) {
    try {
      chooseStart(saved(20, 10, 30), snapshots)
      assert.unreachable()
    } catch (thrown) {
      assert.ok(thrown instanceof Failure && thrown.code === 'E_DISK_DAMAGED')
      assert.match(thrown.hint ?? '', /tutti repair/)
    }
  }
})

const refoundedAt = (index: number, term = 1): StoredSnapshot => {
  const snapshot = snapshotAt(index, term)
  const epoch = { number: 1, mark: 'm' }
  return {
    ...snapshot,
    meta: { ...snapshot.meta, configuration: { ...emptyConfiguration, voters: ['a'], epoch } },
  }
}

test('a recovery that a crash has cut short is finished, even when its snapshot is no newer than the log', () => {
  const start = chooseStart(saved(20, 10, 30, 3), [refoundedAt(30, 3), snapshotAt(20, 3)])
  assert.is(start.mustReset, true)
  assert.equal(start.saved.entries, [])
  assert.equal(start.saved.snapshot, refoundedAt(30, 3).meta)
  assert.equal(start.saved.hardState, { term: 4, vote: null, commit: 30 })
})

test('snapshots that a recovery left behind are not taken, whatever their index', () => {
  const { meta } = refoundedAt(30)
  const stored = { ...saved(null, 31, 40), snapshot: meta }
  assert.is(startOf(stored, [refoundedAt(30), snapshotAt(90)]), 30)
  assert.throws(() => chooseStart(stored, [snapshotAt(90)]))
})

test('a node that has entered an epoch and holds nothing of it yet remembers which', () => {
  const { epoch } = refoundedAt(30).meta.configuration
  const start = chooseStart(enteringState(epoch as Epoch), [snapshotAt(90), snapshotAt(80)])
  assert.equal(start.saved, enteringState(epoch as Epoch))
  assert.is(start.mustReset, false)
})

test.run()
