import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { answerOf, callOf } from '../../../node/api/peer-message.ts'
import { Failure } from '../../../node/errors.ts'

const request = {
  type: 'request',
  method: 'GET',
  path: '/tutti/v1/pods',
  query: { all: '1' },
  body: null,
  hasBody: false,
  requestId: 'r1',
  caller: { role: 'viewer', name: 'token/b7k', from: '10.0.0.9', namespace: 'prod', grants: ['exec'] },
}

test('well-formed calls and answers pass unchanged', () => {
  assert.equal(callOf(request), request)
  assert.equal(callOf({ type: 'clock', extra: 1 }), { type: 'clock' })
  assert.equal(callOf({ type: 'digest' }), { type: 'digest' })
  const logs = { type: 'logs', pod: 'p1', container: null, follow: true, tail: 5 }
  assert.equal(callOf(logs), logs)
  assert.equal(callOf({ type: 'echo', text: 'x' }), { type: 'echo', text: 'x' })
  assert.equal(callOf({ type: 'survey' }), { type: 'survey' })
  for (const answer of [
    { type: 'echo', text: 'x' },
    { type: 'survey', mtu: 1_500, sights: [{ node: 'ash', tookMs: null, passesLarge: null, why: 'x' }] },
    { type: 'open' },
    { type: 'beat' },
    { type: 'head', status: 200, headers: { a: 'b' } },
    { type: 'chunk', text: 'x' },
    { type: 'time', wallMs: 1 },
    { type: 'digest', index: 4, digest: 'abc' },
    { type: 'line', line: { container: 'main', atMs: 1, stream: 'stdout', line: 'x' } },
  ])
    assert.equal(answerOf(answer), answer)
})

test('what a node of the version before does not say of a caller is nothing special', () => {
  const told = callOf({ ...request, caller: { role: 'viewer', name: 'local' } })
  const caller = { role: 'viewer', name: 'local', from: null, namespace: null, grants: [] }
  assert.equal(told, { ...request, caller })
})

test('who passed a request on is never the sender’s to say', () => {
  const told = callOf({ ...request, caller: { ...request.caller, via: 'peer-x' } })
  assert.equal(told, request)
})

test('no role is taken on trust but the three there are', () => {
  for (const role of ['root', '', null, 0, {}, undefined])
    assert.throws(() => callOf({ ...request, caller: { role, name: 'x' } }))
  for (const wrong of [{ from: 1 }, { namespace: {} }, { grants: ['all'] }, { grants: 'exec' }, { name: 1 }])
    assert.throws(() => callOf({ ...request, caller: { ...request.caller, ...wrong } }))
})

test('each wrong field of a call is refused', () => {
  const wrong: [string, unknown][] = [
    ['method', 1],
    ['path', 'tutti'],
    ['query', { a: 1 }],
    ['query', null],
    ['hasBody', 'yes'],
    ['requestId', null],
    ['caller', null],
    ['caller', 'admin'],
  ]
  for (const [field, value] of wrong)
    assert.throws(() => callOf({ ...request, [field]: value }), /malformed/, field)
})

test('an echo has a limit, and a malformed view of the others is none', () => {
  assert.throws(() => callOf({ type: 'echo', text: 'x'.repeat(300_000) }), /malformed/)
  assert.throws(() => callOf({ type: 'echo' }), /malformed/)
  const sight = { node: 'ash', tookMs: 1, passesLarge: true, why: null }
  for (const [field, value] of [
    ['node', 1],
    ['tookMs', Number.NaN],
    ['passesLarge', 'yes'],
    ['why', 0],
  ] as const)
    assert.throws(() => answerOf({ type: 'survey', mtu: null, sights: [{ ...sight, [field]: value }] }))
  for (const sights of [null, [null], Array.from({ length: 1_001 }, () => sight)])
    assert.throws(() => answerOf({ type: 'survey', mtu: null, sights }))
})

test('whatever a peer sends, the only failure is a refusal', () => {
  fc.assert(
    fc.property(fc.anything(), value => {
      for (const parse of [callOf, answerOf])
        try {
          parse(value)
        } catch (thrown) {
          assert.ok(thrown instanceof Failure && thrown.code === 'E_INVALID')
        }
    }),
  )
})

test.run()
