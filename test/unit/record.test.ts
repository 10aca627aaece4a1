import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '../../node/errors.ts'
import { type NodeRecord, readRecord, wantedRuntime, writeRecord } from '../../node/record.ts'

const record: NodeRecord = {
  name: 'ash',
  clusterId: 'c1',
  clusterName: 'trio',
  founded: null,
  runtime: 'docker',
  hasLog: true,
}

test('a node starts again with the runtime whose pods may still run, whatever answers at this moment', () => {
  assert.is(wantedRuntime('auto', record), 'docker')
  assert.is(wantedRuntime('auto', { ...record, runtime: 'process', hasLog: true }), 'process')
})

test('a new node takes what there is, and a word of the user comes before all', () => {
  assert.is(wantedRuntime('auto', null), 'auto')
  assert.is(wantedRuntime('process', record), 'process')
})

test('a record is read as it was written, or not at all', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-record-'))
  await writeRecord(directory, record)
  const path = join(directory, 'node.json')
  const bytes = readFileSync(path)
  for (let bit = 0; bit < bytes.length * 8; bit += 3) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7))
    writeFileSync(path, changed)
    try {
      assert.equal(readRecord(directory), record, `bit ${bit}`)
    } catch (thrown) {
      assert.ok(thrown instanceof Failure && thrown.code === 'E_DISK_DAMAGED', `bit ${bit}: ${thrown}`)
      assert.match(thrown.message, /node\.json is damaged/)
    }
  }
  rmSync(directory, { recursive: true })
})

test.run()
