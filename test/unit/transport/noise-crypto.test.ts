import { randomBytes } from 'node:crypto'
import { defaultCrypto } from '@libp2p/noise/crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { noiseCrypto } from '../../../node/transport/noise-crypto.ts'

const SIZES = [0, 1, 511, 512, 1_199, 1_200, 65_519] as const
const NO_DATA = new Uint8Array(0)

/** Fixed by the size, so that a failure can be looked at again. */
const sample = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 31 + length) % 256)
const KEY = sample(32)
const NONCE = sample(12)

test('what one seals the other opens, in both directions and at every size', () => {
  for (const size of SIZES) {
    const plain = sample(size)
    const ours = noiseCrypto.chaCha20Poly1305Encrypt(plain, NONCE, NO_DATA, KEY).subarray()
    const theirs = defaultCrypto.chaCha20Poly1305Encrypt(plain, NONCE, NO_DATA, KEY).subarray()
    assert.equal([...ours], [...theirs], `${size} bytes`)
    const opened = noiseCrypto.chaCha20Poly1305Decrypt(theirs, NONCE, NO_DATA, KEY).subarray()
    assert.equal([...opened], [...plain], `${size} bytes`)
  }
})

test('a changed byte, another key and other associated data are refused', () => {
  const sealed = noiseCrypto.chaCha20Poly1305Encrypt(sample(2_000), NONCE, KEY, KEY).subarray()
  for (const at of [0, 1_000, sealed.byteLength - 1]) {
    const changed = Uint8Array.from(sealed, (byte, position) => (position === at ? byte ^ 1 : byte))
    assert.throws(
      () => noiseCrypto.chaCha20Poly1305Decrypt(changed, NONCE, KEY, KEY),
      undefined,
      `byte ${at}`,
    )
  }
  assert.throws(() => noiseCrypto.chaCha20Poly1305Decrypt(sealed, NONCE, KEY, randomBytes(32)))
  assert.throws(() => noiseCrypto.chaCha20Poly1305Decrypt(sealed, NONCE, NO_DATA, KEY))
})

test.run()
