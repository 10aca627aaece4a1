import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VERBS } from '../../../cli/commands.ts'
import { complete, type LiveNames } from '../../../cli/shell/complete.ts'

const live: LiveNames = async kind => [
  { value: kind === 'scaling' ? 'web=' : `${kind}-1`, description: 'live' },
  { value: `$(${kind})`, description: 'hostile' },
]

const valuesOf = async (words: readonly string[], current: string): Promise<readonly string[]> =>
  (await complete(words, current, { verbs: VERBS, live })).map(each => each.value)

test('first words are verbs and nouns', async () => {
  assert.equal(await valuesOf([], 'sc'), ['scale'])
  assert.equal(await valuesOf([], 'to'), ['token'])
  assert.ok((await valuesOf([], '')).includes('ps'))
  assert.equal(await valuesOf(['token'], ''), ['create', 'ls', 'revoke'])
  assert.equal(await valuesOf(['help'], 'lo'), ['logs', 'login'])
})

test('words that were finished before are skipped, with the values of their flags', async () => {
  assert.equal(await valuesOf(['-o', 'json', '--connect', 'x'], 'node'), ['nodes', 'node'])
  assert.equal(await valuesOf(['--ascii', 'stop'], ''), ['workload-1'])
})

test('places are completed with what is live there', async () => {
  assert.equal(await valuesOf(['stop', 'web'], ''), ['workload-1'])
  assert.equal(await valuesOf(['scale'], 'w'), ['web='])
  assert.equal(await valuesOf(['logs', '-f'], ''), ['target-1'])
  assert.equal(await valuesOf(['logs', '--tail', '5'], ''), ['target-1'])
  assert.equal(await valuesOf(['logs', 'web'], ''), [])
  assert.equal(await valuesOf(['node', 'rm'], ''), ['node-1'])
  assert.equal(await valuesOf(['token', 'revoke'], ''), ['token-1'])
})

test('flags and their choices are completed', async () => {
  assert.equal(await valuesOf(['ps'], '--w'), ['--watch'])
  assert.equal(await valuesOf(['ps', '-o'], 'j'), ['json', 'jsonl'])
  assert.equal(await valuesOf(['ps'], '--output=y'), ['--output=yaml'])
  assert.equal(await valuesOf(['start', '--runtime'], ''), ['auto', 'docker', 'process'])
  assert.equal(await valuesOf(['completion'], 'z'), ['zsh'])
})

test('nothing is offered after --, for unknown verbs, or when the cluster cannot be asked', async () => {
  assert.equal(await valuesOf(['run', '--'], ''), [])
  assert.equal(await valuesOf(['nonsense'], ''), [])
  const dead: LiveNames = () => Promise.reject(new Error('nobody there'))
  assert.equal(await complete(['stop'], '', { verbs: VERBS, live: dead }), [])
})

test('a name that an outer shell would run is never offered', async () => {
  assert.not.ok((await valuesOf(['stop'], '')).some(value => value.includes('$')))
})

test.run()
