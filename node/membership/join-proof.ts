/**
 * How a joiner proves that it holds a token's secret without showing it, in the manner of SCRAM (RFC 5802, with a secret
 * of 160 random bits in place of a password, so without salt and rounds):
 *
 *     join key    = HMAC(secret, "tutti join key 1")
 *     kept hash   = SHA-256(join key)                     this is in the log
 *     proof       = join key XOR HMAC(kept hash, handshake)
 *
 * The member takes the mask off, hashes what is left and compares it with the log. The handshake names the cluster's key,
 * both peers and a fresh nonce of each side. The peers are the keys with which the two ends of this very connection
 * have authenticated each other in Noise: somebody in the middle has a connection of its own with each side, so the two
 * sides speak of different handshakes, and a proof that is passed on fits nowhere. The nonces keep it from being used again.
 *
 * What leaks: whoever reads the log (or a backup, a snapshot) learns the kept hash, from which no proof can be made. With
 * it, and with a proof that was meant for it, the join key could be computed; proofs travel inside Noise, to a peer that
 * has shown the cluster's key before, so only members can, and they need no token. A join key serves for joining only:
 * an API token is checked by another hash of its secret, so neither can stand in for the other.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

export type Handshake = {
  readonly clusterPublicKey: string
  readonly tokenId: string
  readonly member: string
  readonly joiner: string
  readonly memberNonce: string
  readonly joinerNonce: string
}

const PROOF_BYTES = 32
/** The hash of no key: unknown tokens cost the same comparison as known ones. */
const NO_HASH = '0'.repeat(2 * PROOF_BYTES)

const joinKeyOf = (secret: string): Buffer => createHmac('sha256', secret).update('tutti join key 1').digest()

const hashOf = (joinKey: Uint8Array): Buffer => createHash('sha256').update(joinKey).digest()

/** What the log keeps of a join token's secret, hex. */
export const joinHashOf = (secret: string): string => hashOf(joinKeyOf(secret)).toString('hex')

/** No field holds a line break: ids and nonces are base58, base32 or base64. */
const maskOf = (keptHash: Buffer, handshake: Handshake): Buffer => {
  const { clusterPublicKey, tokenId, member, joiner, memberNonce, joinerNonce } = handshake
  const text = ['tutti join proof 1', clusterPublicKey, tokenId, member, joiner, memberNonce, joinerNonce]
  return createHmac('sha256', keptHash).update(text.join('\n')).digest()
}

const xor = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((byte, at) => byte ^ (b[at] as number)))

/** Base64. */
export const proofOf = (secret: string, handshake: Handshake): string => {
  const joinKey = joinKeyOf(secret)
  return xor(joinKey, maskOf(hashOf(joinKey), handshake)).toString('base64')
}

/** In constant time, whatever is wrong. `keptHash`: of the token as the log has it; undefined: it has none such. */
export const isProof = (keptHash: string | undefined, proof: string, handshake: Handshake): boolean => {
  const kept = Buffer.from(keptHash ?? NO_HASH, 'hex')
  const given = Buffer.from(proof, 'base64')
  if (kept.length !== PROOF_BYTES || given.length !== PROOF_BYTES) return false
  const isEqual = timingSafeEqual(hashOf(xor(given, maskOf(kept, handshake))), kept)
  return isEqual && keptHash !== undefined
}
