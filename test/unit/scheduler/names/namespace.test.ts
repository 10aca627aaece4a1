import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inNamespace, isNamespace, isWorkloadName, namespaceOf } from '../../../../scheduler/namespace.ts'
import { spec, World } from '../fixtures.ts'

test('a name has at most one namespace before it, and the default one is never written', () => {
  for (const good of ['web', 'prod/web', 'a/b', `${'n'.repeat(63)}/${'w'.repeat(63)}`])
    assert.ok(isWorkloadName(good), good)
  for (const bad of [
    '',
    '/',
    '/web',
    'prod/',
    'a/b/c',
    'default/web',
    'node/ash',
    'Prod/web',
    'prod/web.1',
    '-/w',
  ])
    assert.not.ok(isWorkloadName(bad), bad)
  for (const good of ['default', 'prod']) assert.ok(isNamespace(good), good)
  for (const bad of ['', 'node', 'a/b', 'A']) assert.not.ok(isNamespace(bad), bad)
})

test('workloads, slots and pods are in the namespace of their name', () => {
  for (const name of ['prod/web', 'prod/web.2', 'prod/web@ash']) assert.is(namespaceOf(name), 'prod')
  assert.is(namespaceOf('web.2'), 'default')
  assert.is(inNamespace('prod', 'web'), 'prod/web')
  assert.is(inNamespace('default', 'web'), 'web')
})

test('the same name in two namespaces is two workloads, each with its own pods', () => {
  const world = new World().init('ash', 'birch')
  world.apply({ name: 'web', count: 2 }).apply({ name: 'prod/web', count: 3 }).settle()
  assert.is(world.running('web').length, 2)
  assert.is(world.running('prod/web').length, 3)
  assert.equal(world.told('workload/prod/web').slice(0, 1), ['created'])
  world.ok({ type: 'workload/Remove', name: 'prod/web' }).settle()
  assert.is(world.running('web').length, 2)
  world.refused(
    { type: 'workload/Apply', spec: spec({ name: 'default/web' }), checkIndex: null },
    'E_INVALID',
  )
})

test.run()
