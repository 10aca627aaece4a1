/**
 * Tokens as text: `tutti1_<id>_<pin>_<secret>`. The pin is the start of the cluster key's hash, so that a joiner can
 * tell the right cluster before it shows the secret. The prefix lets secret scanners find a leaked one.
 */
import { createHash, randomBytes } from 'node:crypto'
import { Failure } from '../errors.ts'
import { joinHashOf } from './join-proof.ts'

export type ParsedToken = { readonly id: string; readonly pin: string; readonly secret: string }

const PREFIX = 'tutti1'
const ID_BYTES = 5
/** 26 characters of base32: 130 bits of the SHA-256. */
const PIN_LENGTH = 26
/** 160 bits. */
const SECRET_BYTES = 20
const PATTERN = /^tutti1_([a-z2-7]{8})_([a-z2-7]{26})_([a-z2-7]{32})$/
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** RFC 4648 base32 in lower case without padding. */
const base32 = (bytes: Uint8Array): string => {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(held >>> bits) & 31]
      held &= (1 << bits) - 1
    }
  }
  return bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 31]
}

/** `publicKey`: the cluster's raw Ed25519 key in base64, as the state holds it. */
export const pinOf = (publicKey: string): string =>
  base32(createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest()).slice(0, PIN_LENGTH)

/** What the log keeps of an API token's secret, hex. 160 random bits need no slow hash. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex')

export type NewToken = {
  readonly id: string
  /** Holds the secret and is shown once. */
  readonly text: string
  /** What the log keeps, when it is to open the API … */
  readonly secretHash: string
  /** … and when it is to admit nodes: neither use can be made of the other's. */
  readonly joinHash: string
}

/** A new token of the cluster with this key. */
export const createToken = (publicKey: string): NewToken => {
  const id = base32(randomBytes(ID_BYTES))
  const secret = base32(randomBytes(SECRET_BYTES))
  const text = [PREFIX, id, pinOf(publicKey), secret].join('_')
  return { id, text, secretHash: hashSecret(secret), joinHash: joinHashOf(secret) }
}

/** Throws E_JOIN_TOKEN_MALFORMED, without repeating the text. */
export const parseToken = (text: string): ParsedToken => {
  const match = PATTERN.exec(text)
  if (match === null) {
    throw new Failure('E_JOIN_TOKEN_MALFORMED', {
      message: 'that is not a join token',
      why: 'a token reads tutti1_<id>_<cluster>_<secret>; this text is cut, mistyped, or something else',
      try: 'on any member: tutti token create',
    })
  }
  return { id: match[1] as string, pin: match[2] as string, secret: match[3] as string }
}
