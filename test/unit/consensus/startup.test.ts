import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chooseStart } from '../../../node/consensus/startup.ts'
import type { StoredSnapshot } from '../../../node/consensus/storage.ts'
import { Failure } from '../../../node/errors.ts'
import { type Entry, emptyConfiguration, type SavedState } from '../../../raft/index.ts'

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

test.run()
