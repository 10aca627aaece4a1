import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isMessage, isRumor } from '../../../gossip/index.ts'
import { member } from './cluster.ts'

const rumor = { member: member('b'), by: 'b' }

test('each kind of message is accepted as it is sent', () => {
  const rumors = [rumor]
  assert.ok(isMessage({ type: 'ping', sequence: 1, rumors }))
  assert.ok(isMessage({ type: 'ack', sequence: 1, rumors }))
  assert.ok(isMessage({ type: 'nack', sequence: 1, rumors }))
  assert.ok(isMessage({ type: 'ping-request', sequence: 1, target: 'c', rumors }))
  assert.ok(isMessage({ type: 'gossip', rumors }))
  assert.ok(isMessage({ type: 'sync', wantsReply: true, rumors }))
})

const MALFORMED: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['a number', 7],
  ['an array', []],
  ['no rumours', { type: 'gossip' }],
  ['an unknown type', { type: 'shout', rumors: [] }],
  ['a fractional sequence', { type: 'ping', sequence: 0.5, rumors: [] }],
  ['a negative sequence', { type: 'ack', sequence: -1, rumors: [] }],
  ['no target', { type: 'ping-request', sequence: 1, rumors: [] }],
  ['a word for a flag', { type: 'sync', wantsReply: 'yes', rumors: [] }],
  ['a rumour without a voucher', { type: 'gossip', rumors: [{ member: member('b') }] }],
]

for (const [what, value] of MALFORMED)
  test(`a message with ${what} is refused`, () => {
    assert.not(isMessage(value))
  })

const WRONG_MEMBERS: readonly (readonly [string, object])[] = [
  ['an empty id', { id: '' }],
  ['an endless id', { id: 'x'.repeat(1_000) }],
  ['an unknown state', { state: 'undead' }],
  ['an incarnation nobody can outbid', { incarnation: Number.MAX_SAFE_INTEGER }],
  ['an address that is no text', { addresses: [1] }],
  ['too many addresses', { addresses: Array(100).fill('a:1') }],
  ['metadata that is no text', { metadata: { name: 1 } }],
]

for (const [what, change] of WRONG_MEMBERS)
  test(`a rumour about a member with ${what} is refused`, () => {
    assert.not(isRumor({ member: { ...member('b'), ...change }, by: 'b' }))
  })

test('no value whatever makes the check throw', () => {
  fc.assert(
    fc.property(fc.anything(), value => {
      isMessage(value)
      isRumor(value)
    }),
  )
})

test.run()
