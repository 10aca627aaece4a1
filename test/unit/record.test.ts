import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type NodeRecord, wantedRuntime } from '../../node/record.ts'

const record: NodeRecord = {
  format: 1,
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

test.run()
