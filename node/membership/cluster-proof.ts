/**
 * The cluster's own key at work: any member signs with it, and whoever knows its public half (a joiner by the pin in its
 * token, a member by its log) can tell a member from somebody who only answers at a member's address.
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { Cluster } from '../../scheduler/index.ts'

/** Raw Ed25519 keys are wrapped in this to become SPKI (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const KEY_BYTES = 32

/**
 * What is signed. Both peers, as their connection has proven them, and the asker's nonce are part of it: neither an
 * answer to somebody else nor an old one is of any use.
 */
export type Statement = {
  /** `join`: I am a member of this cluster. `left`: and you are none any more, for good. */
  readonly says: 'join' | 'left'
  readonly nonce: string
  readonly asker: string
  readonly member: string
}

const textOf = ({ says, nonce, asker, member }: Statement): Buffer =>
  Buffer.from([`tutti ${says} 1`, nonce, asker, member].join('\n'))

/** Base64. */
export const signAs = (cluster: Pick<Cluster, 'privateKey'>, statement: Statement): string => {
  const key = createPrivateKey({
    key: Buffer.from(cluster.privateKey, 'base64'),
    format: 'der',
    type: 'pkcs8',
  })
  return sign(null, textOf(statement), key).toString('base64')
}

/** `publicKey`: raw, in base64, as the state holds it. False for whatever is no key or no signature. */
export const isSignedBy = (publicKey: string, statement: Statement, signature: string): boolean => {
  const raw = Buffer.from(publicKey, 'base64')
  if (raw.length !== KEY_BYTES) return false
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' })
  return verify(null, textOf(statement), key, Buffer.from(signature, 'base64'))
}
