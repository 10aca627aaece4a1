/** Who a caller on the TCP address is, by its bearer token and the replicated state: revoking takes effect at once. */
import { timingSafeEqual } from 'node:crypto'
import type { State, Token } from '../../scheduler/index.ts'
import type { Clock } from '../clock.ts'
import { Failure } from '../errors.ts'
import { hashSecret, parseToken } from '../membership/token.ts'
import { createAttempts } from './attempts.ts'
import type { Sighting } from './audit-notes.ts'
import type { Caller } from './request.ts'

/** The hash of no secret: unknown tokens cost the same comparison as known ones. */
const NO_HASH = '0'.repeat(64)

export type Proof = {
  readonly authorization: string | undefined
  /** Where the connection comes from. */
  readonly address: string
}

export type AuthDeps = {
  state(): State
  readonly clock: Clock
  /** Told of each proof that failed. */
  note(sighting: Sighting): void
}

/** Throws E_AUTH, or E_BUSY after too many failures. */
export type Authenticator = (proof: Proof) => Caller

export const createAuthenticator = ({ state, clock, note }: AuthDeps): Authenticator => {
  const attempts = createAttempts()
  return ({ authorization, address }) => {
    if (authorization === undefined) throw refused('this address takes requests with a token only')
    const text = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
    const given = text === undefined ? null : parsedOrNull(text)
    const token = given === null ? undefined : state().tokens.get(given.id)
    const key = token === undefined ? address : `${address} ${token.id}`
    attempts.check(key, clock.monotonicMs())
    try {
      return callerOf(given, token, { nowMs: clock.wallMs(), address })
    } catch (thrown) {
      attempts.failed(key, clock.monotonicMs())
      note({
        trail: 'tried',
        who: token === undefined ? 'unknown' : `token/${token.id}`,
        from: address,
        action: 'login',
        target: '',
        detail: (thrown as Failure).message,
        outcome: (thrown as Failure).code,
      })
      throw thrown
    }
  }
}

/** The same words whether the token is unknown, of another kind or wrong. It has expired at its very millisecond. */
const callerOf = (
  given: { readonly secret: string } | null,
  token: Token | undefined,
  { nowMs, address }: { readonly nowMs: number; readonly address: string },
): Caller => {
  if (given === null) throw refused('the token is malformed')
  const isProven = isSameHash(hashSecret(given.secret), token?.secretHash ?? NO_HASH)
  if (token === undefined || !isProven || token.kind !== 'api') throw refused('the token is not valid')
  if (token.revoked) throw refused(`token ${token.id} is revoked`)
  if (token.expiresAtMs <= nowMs) throw refused(`token ${token.id} has expired`)
  return {
    role: token.role,
    name: `token/${token.id}`,
    via: null,
    from: address,
    namespace: token.namespace ?? null,
    grants: token.grants ?? [],
  }
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
    try: 'on a node: tutti token create --role viewer, then tutti login, or TUTTI_TOKEN=… tutti status',
  })
