import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readSettings } from '../../../cli/context.ts'
import {
  type Context,
  type Contexts,
  contextsPath,
  readContexts,
  writeContexts,
} from '../../../cli/contexts.ts'
import { Failure } from '../../../node/errors.ts'

let home = ''
test.before.each(() => {
  home = mkdtempSync(join(tmpdir(), 'tutti-home-'))
})
test.after.each(() => rmSync(home, { recursive: true }))

const context = (name: string): Context => ({
  name,
  addresses: [`https://${name}:7700`],
  token: `token of ${name}`,
  authority: `authority of ${name}`,
  cluster: name,
})
const KNOWN: Contexts = { current: 'prod', contexts: [context('prod'), context('test')] }

const settings = (environment: object, flags: object = {}) =>
  readSettings(
    { HOME: home, ...environment },
    { connect: null, context: null, isDebug: false, ...flags },
    false,
  )
const placeOf = (environment: object, flags: object = {}) => {
  const { connect, token, authority, context: name } = settings(environment, flags)
  return [connect[0], token, authority, name]
}
const isUsage = (thrown: unknown): boolean => thrown instanceof Failure && thrown.code === 'E_USAGE'

test('the file is its owner’s alone, and comes back as it was', () => {
  const path = contextsPath({ HOME: home })
  assert.equal(readContexts(path), { current: null, contexts: [] })
  writeContexts(path, KNOWN)
  assert.is(statSync(path).mode & 0o777, 0o600)
  assert.is(statSync(join(path, '..')).mode & 0o777, 0o700)
  assert.equal(readContexts(path), KNOWN)
  chmodSync(path, 0o640)
  assert.throws(() => readContexts(path), isUsage)
})

test('a file that something else wrote is refused, and left as it is', () => {
  const path = contextsPath({ XDG_CONFIG_HOME: home })
  mkdirSync(join(path, '..'))
  for (const text of [
    '',
    '{',
    '[]',
    '{"current":1,"contexts":[]}',
    '{"current":null,"contexts":[{"name":"x"}]}',
  ]) {
    writeFileSync(path, text, { mode: 0o600 })
    assert.throws(() => readContexts(path), isUsage, text)
  }
})

test('what is said for one command is stronger than what is said for all', () => {
  writeContexts(contextsPath({ HOME: home }), KNOWN)
  const prod = ['https://prod:7700', 'token of prod', 'authority of prod', 'prod']
  const other = ['https://test:7700', 'token of test', 'authority of test', 'test']
  assert.equal(placeOf({}), prod)
  assert.equal(placeOf({ TUTTI_CONTEXT: 'test' }), other)
  assert.equal(placeOf({ TUTTI_CONTEXT: 'prod', TUTTI_CONNECT: 'http://x:1' }, { context: 'test' }), other)
  assert.equal(placeOf({ TUTTI_CONTEXT: 'test', TUTTI_CONNECT: 'http://x:1' }), [
    'http://x:1',
    null,
    null,
    null,
  ])
  assert.equal(placeOf({ TUTTI_CONTEXT: 'test' }, { connect: 'unix:/s' }), ['unix:/s', null, null, null])
  assert.is(placeOf({ TUTTI_TOKEN: 'mine' })[1], 'mine')
})

test('without a context in use the local sockets are meant', () => {
  writeContexts(contextsPath({ HOME: home }), { ...KNOWN, current: null })
  assert.match(String(placeOf({})[0]), /^unix:/)
  assert.is(placeOf({})[1], null)
})

test('an unknown context is told with a guess', () => {
  writeContexts(contextsPath({ HOME: home }), KNOWN)
  try {
    settings({}, { context: 'prid' })
    assert.unreachable()
  } catch (thrown) {
    assert.match((thrown as Failure).why ?? '', 'prod')
  }
})

test.run()
