import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Method, Route } from '../../../node/api/dialect.ts'
import { json } from '../../../node/api/reply.ts'
import { createRouter } from '../../../node/api/router.ts'
import { Failure } from '../../../node/errors.ts'

const route = (method: Method, path: string): Route => ({
  method,
  path,
  access: { role: 'viewer', scope: 'any' },
  handler: () => json({}),
})

const router = createRouter()
router.add(route('GET', '/tutti/v1/pods'))
router.add(route('GET', '/tutti/v1/workloads/:name'))
router.add(route('POST', '/tutti/v1/workloads/:name/scale'))

test('a route is found by method and path, with decoded parameters', () => {
  const match = router.match('GET', '/tutti/v1/workloads/a%2Fb%20c')
  assert.is(match.type, 'found')
  assert.equal(match.type === 'found' && { ...match.params }, { name: 'a/b c' })
})

test('a known path with another method tells which it takes', () => {
  assert.equal(router.match('PUT', '/tutti/v1/pods'), { type: 'wrong-method', allowed: ['GET'] })
  assert.equal(router.match('BREW', '/tutti/v1/pods'), { type: 'wrong-method', allowed: ['GET'] })
})

test('an unknown path is no route, and hostile ones crash nothing', () => {
  for (const path of [
    '/',
    '/tutti/v1',
    '/tutti/v1/pods/../../x',
    '//',
    `/tutti/v1/workloads/${'x'.repeat(5_000)}`,
    '/__proto__',
  ])
    assert.is(router.match('GET', path).type, 'none', path)
})

test('broken percent-encoding is an error of the caller', () => {
  assert.throws(
    () => router.match('GET', '/tutti/v1/workloads/%zz'),
    (thrown: unknown) => thrown instanceof Failure && thrown.code === 'E_INVALID',
  )
})

test('two routes for one path are a bug', () => {
  assert.throws(() => router.add(route('GET', '/tutti/v1/pods')))
})

test.run()
