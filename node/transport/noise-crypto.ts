/**
 * Noise's cryptography with its keys prepared once for each connection. By itself it hands the bytes of the key to
 * node:crypto for every record, where finding out what they are takes longer than sealing ten kilobytes.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import type { ICryptoInterface } from '@libp2p/noise'
import { defaultCrypto } from '@libp2p/noise/crypto'

const CIPHER = 'chacha20-poly1305'
const TAG_BYTES = 16
/** Below it the default, which is WebAssembly then, is faster. */
const NATIVE_BYTES_MIN = 512

/** A session keeps the array of its key for as long as it lives, and never writes into it. */
const prepared = new WeakMap<Uint8Array, KeyObject>()

const keyOf = (bytes: Uint8Array): KeyObject => {
  const known = prepared.get(bytes)
  if (known !== undefined) return known
  const key = createSecretKey(bytes)
  prepared.set(bytes, key)
  return key
}

export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,
  chaCha20Poly1305Encrypt(plaintext, nonce, ad, k) {
    if (plaintext.byteLength < NATIVE_BYTES_MIN)
      return defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, k)
    const cipher = createCipheriv(CIPHER, keyOf(k), nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(ad, { plaintextLength: plaintext.byteLength })
    const sealed = cipher.update(plaintext.subarray())
    return Buffer.concat([sealed, cipher.final(), cipher.getAuthTag()])
  },
  chaCha20Poly1305Decrypt(ciphertext, nonce, ad, k, dst) {
    if (ciphertext.byteLength < NATIVE_BYTES_MIN)
      return defaultCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, k, dst)
    const bytes = ciphertext.subarray()
    const length = bytes.byteLength - TAG_BYTES
    const decipher = createDecipheriv(CIPHER, keyOf(k), nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(ad, { plaintextLength: length })
    decipher.setAuthTag(bytes.subarray(length))
    const opened = decipher.update(bytes.subarray(0, length))
    // Throws when the tag does not fit; a stream cipher holds nothing back until here.
    decipher.final()
    return opened
  },
}
