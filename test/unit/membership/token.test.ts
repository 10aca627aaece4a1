import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '../../../node/errors.ts'
import { joinHashOf } from '../../../node/membership/join-proof.ts'
import { createToken, hashSecret, parseToken, pinOf } from '../../../node/membership/token.ts'

const KEY = Buffer.alloc(32, 7).toString('base64')

test('a token reads back as it was made, and holds the pin of its cluster', () => {
  const { id, text, secretHash, joinHash } = createToken(KEY)
  assert.match(text, /^tutti1_[a-z2-7]{8}_[a-z2-7]{26}_[a-z2-7]{32}$/)
  const parsed = parseToken(text)
  assert.is(parsed.id, id)
  assert.is(parsed.pin, pinOf(KEY))
  assert.is(hashSecret(parsed.secret), secretHash)
  assert.is(joinHashOf(parsed.secret), joinHash)
  assert.is.not(joinHash, secretHash, 'neither use can be made of the other’s')
})

test('the pin is the start of the key’s SHA-256 in base32', () => {
  const hash = createHash('sha256').update(Buffer.alloc(32, 7)).digest()
  const bits = [...hash].map(byte => byte.toString(2).padStart(8, '0')).join('')
  const letters = 'abcdefghijklmnopqrstuvwxyz234567'
  const expected = Array.from(
    { length: 26 },
    (_, at) => letters[Number.parseInt(bits.slice(at * 5, at * 5 + 5), 2)],
  )
  assert.is(pinOf(KEY), expected.join(''))
  assert.is.not(pinOf(Buffer.alloc(32, 8).toString('base64')), pinOf(KEY))
})

test('no two tokens are alike', () => {
  const made = Array.from({ length: 200 }, () => createToken(KEY))
  assert.is(new Set(made.map(token => token.id)).size, 200)
  assert.is(new Set(made.map(token => token.secretHash)).size, 200)
})

test('what is no token is refused with what to do, and is not repeated', () => {
  const { text } = createToken(KEY)
  const secret = text.slice(-32)
  for (const wrong of [
    '',
    'hunter2',
    text.slice(0, -1),
    `${text}a`,
    text.toUpperCase(),
    `${text}\n`,
    ` ${text}`,
    text.replace('tutti1', 'tutti2'),
    text.replace('_', '-'),
  ]) {
    try {
      parseToken(wrong)
      assert.unreachable(wrong)
    } catch (thrown) {
      assert.instance(thrown, Failure)
      const { code, message, why, hint } = thrown as Failure
      assert.is(code, 'E_JOIN_TOKEN_MALFORMED')
      assert.ok(why !== undefined && hint !== undefined)
      assert.not([message, why, hint].join(' ').includes(secret))
    }
  }
})

test.run()
