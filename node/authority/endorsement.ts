/**
 * What ties the authority of a cluster's API to the key that every token pins: a signature by that key, carried in the
 * authority's own certificate. So whoever has a token can tell the right cluster before the token is shown to anybody.
 */
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
  type X509Certificate,
} from 'node:crypto'
import { pinOf } from '../membership/token.ts'
import { objectId } from './der.ts'

/** An arc below 2.25, where everybody may make one of a UUID without asking. */
export const ENDORSEMENT = objectId(2, 25, 338255359540851638388344855527056867956n)

const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
/** Raw Ed25519 keys are wrapped in this to become SPKI (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

const messageFor = (authority: Buffer): Buffer =>
  Buffer.concat([Buffer.from('tutti api authority 1\n'), authority])

/** The cluster's public key and its signature over the authority's key (SPKI). Both keys of the cluster are base64. */
export const endorse = (
  cluster: { readonly publicKey: string; readonly privateKey: string },
  authority: Buffer,
): Buffer => {
  const key = createPrivateKey({
    key: Buffer.from(cluster.privateKey, 'base64'),
    format: 'der',
    type: 'pkcs8',
  })
  return Buffer.concat([Buffer.from(cluster.publicKey, 'base64'), sign(null, messageFor(authority), key)])
}

/** Whether the certificate is that of the authority of the cluster that a token with this pin belongs to. */
export const isEndorsed = (authority: X509Certificate, pin: string): boolean => {
  const endorsement = endorsementIn(authority.raw)
  if (endorsement === null || !authority.ca) return false
  const clusterKey = endorsement.subarray(0, KEY_BYTES)
  if (pinOf(clusterKey.toString('base64')) !== pin) return false
  const spki = authority.publicKey.export({ format: 'der', type: 'spki' })
  return verify(null, messageFor(spki), ed25519(clusterKey), endorsement.subarray(KEY_BYTES))
}

/** The platform shows no extension that it does not know, so it is looked for: id, then octets of the one right length. */
const endorsementIn = (raw: Buffer): Buffer | null => {
  const length = KEY_BYTES + SIGNATURE_BYTES
  const mark = Buffer.concat([ENDORSEMENT, Buffer.from([0x04, length])])
  const at = raw.indexOf(mark)
  const start = at + mark.length
  return at < 0 || start + length > raw.length ? null : raw.subarray(start, start + length)
}

const ed25519 = (raw: Buffer): KeyObject =>
  createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' })
