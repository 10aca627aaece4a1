/** What nodes see at their doors on its way to the log: counted, bounded, and gone with a warning when it cannot get there. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createNotes, type Sighting } from '../../../node/api/audit-notes.ts'
import { Failure } from '../../../node/errors.ts'
import { silentLog } from '../../../node/log.ts'
import { type Command, NOTES_MAX, type Note } from '../../../scheduler/index.ts'
import { apiWorld } from '../../harness/api-world.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'
import { World } from '../scheduler/fixtures.ts'

const sighting = (facts: Partial<Sighting> = {}): Sighting => ({
  trail: 'tried',
  who: 'unknown',
  from: '10.0.0.9',
  action: 'login',
  target: '',
  detail: '',
  outcome: 'E_AUTH',
  ...facts,
})

/** Of a cluster that understands notes. */
const present = apiWorld(['ash']).log.state

const setUp = (state = present) => {
  const clock = virtualClock(1_000)
  const written: (readonly Note[])[] = []
  const lost: unknown[] = []
  let failure: Failure | null = null
  const notes = createNotes({
    node: { id: 'peer-ash' },
    clock,
    log: { ...silentLog, warn: (_text, fields) => lost.push(fields) },
    consensus: {
      state: () => state,
      async submit(command: Command) {
        if (failure !== null) throw failure
        assert.is(command.type, 'audit/Note')
        if (command.type === 'audit/Note') written.push(command.notes)
        return { ok: true, index: written.length }
      },
    },
  })
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      clock.advance(1_000)
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  return { clock, notes, written, lost, pass, fail: (next: Failure | null) => (failure = next) }
}

test('what was done is written at once, and one by one when it comes so', async () => {
  const { notes, written, pass, clock } = setUp()
  notes.note(sighting({ trail: 'done', action: 'backup' }))
  clock.advance(0)
  await pass(1_000)
  assert.equal(
    written.map(list => list.map(({ action, seenAtMs }) => [action, seenAtMs])),
    [[['backup', 1_000]]],
  )
})

test('equal attempts are one note with a count', async () => {
  const { notes, written, pass } = setUp()
  for (let count = 0; count < 500; count++) notes.note(sighting())
  notes.note(sighting({ from: '10.0.0.8' }))
  await pass(6_000)
  assert.is(written.length, 1)
  assert.equal(
    written[0]?.map(({ from, detail }) => [from, detail]),
    [
      ['10.0.0.9', '500 times'],
      ['10.0.0.8', ''],
    ],
  )
})

test('a day of knocking from everywhere writes little, and says how much it leaves out', async () => {
  const { notes, written, pass } = setUp()
  for (let minute = 0; minute < 24 * 60; minute++) {
    for (let count = 0; count < 200; count++) notes.note(sighting({ from: `10.1.${minute % 250}.${count}` }))
    await pass(60_000)
  }
  const all = written.flat()
  assert.ok(all.length <= 30 + 2 * 24 * 60 + 2, `${all.length} notes`)
  assert.ok(written.every(list => list.length <= NOTES_MAX))
  const leftOut = all.map(({ detail }) => Number(/(\d+) others are left out/.exec(detail)?.[1] ?? 0))
  const waiting = 24 * 60 * 200 - all.length - leftOut.reduce((sum, count) => sum + count, 0)
  assert.ok(waiting >= 0 && waiting <= 400, `${waiting} are not accounted for yet`)
})

test('what was done gets through beside any number of attempts', async () => {
  const { notes, written, pass } = setUp()
  for (let count = 0; count < 1_000; count++) notes.note(sighting({ from: `10.1.1.${count}` }))
  for (let count = 0; count < 100; count++) notes.note(sighting({ trail: 'done', target: `${count}` }))
  await pass(10_000)
  assert.is(written.flat().filter(({ trail }) => trail === 'done').length, 100)
})

test('a cluster with a member of the version before gets no notes, for that one could not read them', async () => {
  const { notes, written, pass } = setUp(new World().init('ash').state)
  notes.note(sighting({ trail: 'done', action: 'backup' }))
  for (let count = 0; count < 50; count++) notes.note(sighting({ from: `10.1.1.${count}` }))
  await pass(10_000)
  assert.equal(written, [])
})

test('what the log does not take is at least told to the node’s own', async () => {
  const { notes, written, lost, pass, fail } = setUp()
  fail(new Failure('E_NO_QUORUM', 'no quorum'))
  notes.note(sighting({ trail: 'done', action: 'backup' }))
  await pass(1_000)
  assert.is(lost.length, 1)
  fail(null)
  notes.note(sighting({ trail: 'done', action: 'transfer' }))
  await pass(1_000)
  assert.equal(
    written.flat().map(({ action }) => action),
    ['transfer'],
  )
})

test.run()
