import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode } from '../../../node/codec.ts'
import {
  encodeRequest,
  examineRequest,
  mayPropose,
  parseRequest,
  takeRequest,
} from '../../../node/consensus/request.ts'
import { createStore } from '../../../node/consensus/store.ts'
import { silentLog } from '../../../node/log.ts'
import type { Command } from '../../../scheduler/index.ts'
import { tokenCommand } from './world.ts'

test('a request comes back as it went', () => {
  const request = { requestId: 'r', command: tokenCommand('t') }
  assert.equal(parseRequest(encodeRequest(request)), request)
})

test('what is no request is null, and never throws', () => {
  const command = tokenCommand()
  const bad: readonly unknown[] = [
    null,
    7,
    [],
    {},
    { requestId: '', command },
    { requestId: 'x'.repeat(200), command },
    { requestId: 'r' },
    { requestId: 'r', command: { type: 'made/Up', atMs: 1 } },
    { requestId: 'r', command: { type: 'toString', atMs: 1 } },
    { requestId: 'r', command: { ...command, atMs: Number.NaN } },
  ]
  for (const value of bad) assert.is(parseRequest(encode(value)), null, JSON.stringify(value))
  fc.assert(
    fc.property(fc.uint8Array(), bytes => {
      parseRequest(bytes)
    }),
    { numRuns: 1_000 },
  )
})

test('a node speaks for itself only, and for the leader nobody does', () => {
  const report = { type: 'pod/Report', atMs: 1, node: 'b', reports: [] } as unknown as Command
  assert.ok(mayPropose('b', { command: report }))
  assert.not(mayPropose('c', { command: report }))
  for (const type of ['plan/Apply', 'node/Verdict'])
    assert.not(mayPropose('b', { command: { type, atMs: 1 } as unknown as Command }), type)
  assert.ok(mayPropose('b', { command: tokenCommand() }))
  assert.not(
    mayPropose('b', { command: { type: 'node/Update', atMs: 1 } as unknown as Command }),
    'no node at all',
  )
})

test('a node passes on what its own callers asked for, and speaks for no caller of another node', () => {
  const by = { who: 'token/b7k', from: '10.0.0.9', node: 'b' }
  assert.ok(mayPropose('b', { command: tokenCommand(), by }))
  assert.not(mayPropose('c', { command: tokenCommand(), by }))
  const request = { requestId: 'r', command: tokenCommand('t'), by }
  assert.equal(parseRequest(encodeRequest(request)), request)
  for (const bad of [null, 'x', {}, { ...by, who: 1 }, { ...by, from: 2 }, { ...by, node: undefined }])
    assert.is(parseRequest(encode({ ...request, by: bad })), null, JSON.stringify(bad))
})

test('an entry that is no request, or breaks apply, changes nothing and stops nothing', () => {
  const store = createStore(silentLog)
  const broken = encode({ requestId: 'b', command: { type: 'workload/Apply', atMs: 1 } })
  const settled = store.applyAll([
    { type: 'normal', index: 1, term: 1, data: new Uint8Array([0xc1]) },
    { type: 'normal', index: 2, term: 1, data: broken },
    {
      type: 'normal',
      index: 3,
      term: 1,
      data: encodeRequest({ requestId: 't', command: tokenCommand('t') }),
    },
  ])
  assert.is(store.state().index, 3)
  assert.ok(store.state().tokens.has('t'))
  assert.equal(
    settled.map(({ requestId, outcome }) => [requestId, outcome.ok]),
    [
      ['b', false],
      ['t', true],
    ],
  )
})

test('what was examined is handed on once, to whoever has the same bytes', () => {
  const data = encodeRequest({ requestId: 't', command: tokenCommand('t') })
  const copy = new Uint8Array(data)
  const request = examineRequest(data)
  assert.equal(takeRequest(copy), request)
  assert.is.not(takeRequest(copy), request)
  assert.is(takeRequest(data), request)
  assert.equal(takeRequest(data), request)
  assert.is.not(takeRequest(data), request)
  assert.is(examineRequest(new Uint8Array([0x81])), null)
})

test('entries are applied once, also when they come again after a restart of the core', () => {
  const store = createStore(silentLog)
  const first = {
    type: 'normal',
    index: 1,
    term: 1,
    data: encodeRequest({ requestId: 't', command: tokenCommand('t') }),
  } as const
  const seen: number[] = []
  store.subscribe(({ events }) => seen.push(events.length))
  store.applyAll([first])
  store.applyAll([first, { type: 'noop', index: 2, term: 1 }])
  assert.is(store.state().index, 2)
  assert.is(seen[0], 1)
  assert.is(seen[1], 0)
})

test('the restored state is the state', () => {
  const store = createStore(silentLog)
  store.applyAll([
    {
      type: 'normal',
      index: 1,
      term: 1,
      data: encodeRequest({ requestId: 't', command: tokenCommand('t') }),
    },
  ])
  assert.ok(store.encoded().byteLength > 0)
  assert.is(store.digest().length, 16)
})

test.run()
