import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Handshake, isProof, joinHashOf, proofOf } from '../../../node/membership/join-proof.ts'

const SECRET = 'abcdefghijklmnopqrstuvwxyz234567'
const KEPT = joinHashOf(SECRET)
const HANDSHAKE: Handshake = {
  clusterPublicKey: Buffer.alloc(32, 7).toString('base64'),
  tokenId: 'b7kq2m4x',
  member: 'ash',
  joiner: 'oak',
  memberNonce: 'bWVtYmVy',
  joinerNonce: 'am9pbmVy',
}

test('who has the secret proves it to who has the hash', () => {
  assert.ok(isProof(KEPT, proofOf(SECRET, HANDSHAKE), HANDSHAKE))
  assert.not(isProof(KEPT, proofOf('another', HANDSHAKE), HANDSHAKE))
})

test('a proof fits one handshake only: whatever differs, it is none', () => {
  const proof = proofOf(SECRET, HANDSHAKE)
  for (const part of Object.keys(HANDSHAKE) as (keyof Handshake)[])
    assert.not(isProof(KEPT, proof, { ...HANDSHAKE, [part]: `${HANDSHAKE[part]}x` }), part)
})

test('somebody in the middle, with a connection of its own to each side, has no use for the proof', () => {
  // The joiner speaks to `eve` by her proven key; the member sees `eve` come, not `oak`.
  const shownToEve = proofOf(SECRET, { ...HANDSHAKE, member: 'eve' })
  assert.not(isProof(KEPT, shownToEve, { ...HANDSHAKE, joiner: 'eve' }))
  assert.not(isProof(KEPT, shownToEve, HANDSHAKE))
})

test('what the log keeps is not enough for a proof', () => {
  const kept = Buffer.from(KEPT, 'hex')
  for (const guess of [KEPT, kept.toString('base64'), kept.toString('latin1')])
    assert.not(isProof(KEPT, proofOf(guess, HANDSHAKE), HANDSHAKE))
  assert.is.not(KEPT, createHash('sha256').update(SECRET).digest('hex'), 'nor is it what an API token keeps')
})

test('a token that does not exist is proven by nothing, and nonsense proves nothing', () => {
  assert.not(isProof(undefined, proofOf(SECRET, HANDSHAKE), HANDSHAKE))
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String()), fc.option(fc.string()), (proof, kept) => {
      assert.not(isProof(KEPT, proof, HANDSHAKE))
      assert.not(isProof(kept ?? undefined, proof, HANDSHAKE))
    }),
  )
})

test.run()
