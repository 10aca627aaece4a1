/** Who a caller on the TCP address is, by its bearer token and the replicated state: revoking takes effect at once. */
import { timingSafeEqual } from 'node:crypto'
import type { State, Token } from '../../scheduler/index.ts'
import { Failure } from '../errors.ts'
import { hashSecret, parseToken } from '../membership/token.ts'
import type { Caller } from './request.ts'

/** The hash of no secret: unknown tokens cost the same comparison as known ones. */
const NO_HASH = '0'.repeat(64)

/**
 * Throws E_AUTH, with the same words whether the token is unknown, of another kind or wrong. `nowMs` is the wall clock,
 * and a token has expired at its very millisecond.
 */
export const authenticate = (authorization: string | undefined, state: State, nowMs: number): Caller => {
  if (authorization === undefined) throw refused('this address takes requests with a token only')
  const text = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
  const given = text === undefined ? null : parsedOrNull(text)
  if (given === null) throw refused('the token is malformed')
  const token = state.tokens.get(given.id)
  const isProven = isSameHash(hashSecret(given.secret), token?.secretHash ?? NO_HASH)
  if (token === undefined || !isProven || token.kind !== 'api') throw refused('the token is not valid')
  checkUsable(token, nowMs)
  return { role: token.role, name: `token ${token.id}` }
}

const checkUsable = (token: Token, nowMs: number): void => {
  if (token.revoked) throw refused(`token ${token.id} is revoked`)
  if (token.expiresAtMs <= nowMs) throw refused(`token ${token.id} has expired`)
  if (token.usesLeft === 0) throw refused(`token ${token.id} is spent`)
}

const parsedOrNull = (text: string): { readonly id: string; readonly secret: string } | null => {
  try {
    return parseToken(text)
  } catch {
    return null
  }
}

const isSameHash = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a, 'hex'), Buffer.from(b, 'hex')]
  return left.length === right.length && timingSafeEqual(left, right)
}

const refused = (message: string): Failure =>
  new Failure('E_AUTH', {
    message,
    why: 'off the unix socket every request must prove who sends it',
    try: 'on a node: tutti token create --kind api --role viewer, then TUTTI_TOKEN=… tutti status',
  })
