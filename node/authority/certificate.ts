/** Certificates (RFC 5280) as DER, of the two kinds that are issued here: of an authority, and of a server that it vouches for. */
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { isIP } from 'node:net'
import {
  bits,
  explicit,
  implicit,
  objectId,
  octets,
  sequence,
  setOf,
  time,
  unsigned,
  utf8,
  yes,
} from './der.ts'

export type Extension = { readonly id: Buffer; readonly isCritical: boolean; readonly value: Buffer }

export type CertificateParts = {
  readonly serial: Uint8Array
  /** The common name of who signs, and of whom the certificate is. */
  readonly issuer: string
  readonly subject: string
  readonly fromMs: number
  readonly untilMs: number
  /** SPKI, DER. */
  readonly publicKey: Buffer
  readonly extensions: readonly Extension[]
  /** Of the issuer: EC, P-256. */
  readonly signedBy: KeyObject
}

const ECDSA_WITH_SHA256 = sequence(objectId(1, 2, 840, 10045, 4, 3, 2))
const COMMON_NAME = objectId(2, 5, 4, 3)
const VERSION_3 = explicit(0, unsigned(Buffer.from([2])))

export const certificate = (parts: CertificateParts): Buffer => {
  const body = sequence(
    VERSION_3,
    unsigned(parts.serial),
    ECDSA_WITH_SHA256,
    nameOf(parts.issuer),
    sequence(time(parts.fromMs), time(parts.untilMs)),
    nameOf(parts.subject),
    parts.publicKey,
    explicit(3, sequence(...parts.extensions.map(extensionOf))),
  )
  return sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, parts.signedBy)))
}

const nameOf = (common: string): Buffer => sequence(setOf(sequence(COMMON_NAME, utf8(common))))

const extensionOf = ({ id, isCritical, value }: Extension): Buffer =>
  sequence(id, ...(isCritical ? [yes] : []), octets(value))

export const spkiOf = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' })

/** How an issuer is named in what it signs. */
const keyIdOf = (spki: Buffer): Buffer => createHash('sha256').update(spki).digest().subarray(0, 20)

const SUBJECT_KEY_ID = objectId(2, 5, 29, 14)
const KEY_USAGE = objectId(2, 5, 29, 15)
const SUBJECT_ALT_NAME = objectId(2, 5, 29, 17)
const BASIC_CONSTRAINTS = objectId(2, 5, 29, 19)
const AUTHORITY_KEY_ID = objectId(2, 5, 29, 35)
const EXTENDED_KEY_USAGE = objectId(2, 5, 29, 37)
const SERVER_AUTH = objectId(1, 3, 6, 1, 5, 5, 7, 3, 1)

/** It may sign certificates, and none that may sign further ones. */
export const authorityExtensions = (spki: Buffer): readonly Extension[] => [
  { id: BASIC_CONSTRAINTS, isCritical: true, value: sequence(yes, unsigned(Buffer.from([0]))) },
  // keyCertSign and cRLSign.
  { id: KEY_USAGE, isCritical: true, value: bits(Buffer.from([0x06]), 1) },
  { id: SUBJECT_KEY_ID, isCritical: false, value: octets(keyIdOf(spki)) },
]

/** It serves TLS under these host names and addresses. */
export const serverExtensions = (
  spki: Buffer,
  authority: Buffer,
  hosts: readonly string[],
): readonly Extension[] => [
  { id: BASIC_CONSTRAINTS, isCritical: true, value: sequence() },
  // digitalSignature.
  { id: KEY_USAGE, isCritical: true, value: bits(Buffer.from([0x80]), 7) },
  { id: EXTENDED_KEY_USAGE, isCritical: false, value: sequence(SERVER_AUTH) },
  { id: SUBJECT_ALT_NAME, isCritical: false, value: sequence(...hosts.map(hostOf)) },
  { id: SUBJECT_KEY_ID, isCritical: false, value: octets(keyIdOf(spki)) },
  { id: AUTHORITY_KEY_ID, isCritical: false, value: sequence(implicit(0, keyIdOf(authority))) },
]

const hostOf = (host: string): Buffer =>
  isIP(host) === 0 ? implicit(2, Buffer.from(host, 'latin1')) : implicit(7, addressBytes(host))

const addressBytes = (address: string): Buffer => {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  // The URL parser writes any IPv6 address in its one short form; what is left is to undo `::`.
  const short = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1)
  const [head = '', tail] = short.split('::')
  const groups = (text: string): readonly string[] => (text === '' ? [] : text.split(':'))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const zeros = Array<string>(8 - before.length - after.length).fill('0')
  const words = [...before, ...zeros, ...after]
  return Buffer.from(words.map(group => group.padStart(4, '0')).join(''), 'hex')
}
