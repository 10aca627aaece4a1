/** A new cluster's identity: a name that can be told apart, and the key that join tokens pin. */
import { generateKeyPairSync, randomInt, randomUUID } from 'node:crypto'
import type { Cluster } from '../scheduler/index.ts'

const FIRST = [
  'amber',
  'brisk',
  'calm',
  'clear',
  'deep',
  'early',
  'fair',
  'grand',
  'high',
  'keen',
  'late',
  'low',
  'merry',
  'noble',
  'open',
  'quiet',
  'rapid',
  'still',
  'true',
  'warm',
]
const SECOND = [
  'band',
  'choir',
  'chord',
  'consort',
  'duet',
  'fugue',
  'march',
  'nonet',
  'octet',
  'opus',
  'quartet',
  'quintet',
  'rondo',
  'septet',
  'sextet',
  'sonata',
  'suite',
  'tempo',
  'trio',
  'waltz',
]

const pick = (words: readonly string[]): string => words[randomInt(words.length)] as string

/** Ed25519: the raw public key and the PKCS#8 private key, both base64. */
export const foundCluster = (nowMs: number): Cluster => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const { x } = publicKey.export({ format: 'jwk' })
  return {
    id: randomUUID(),
    name: `${pick(FIRST)}-${pick(SECOND)}`,
    publicKey: Buffer.from(x as string, 'base64url').toString('base64'),
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    createdAtMs: nowMs,
  }
}
