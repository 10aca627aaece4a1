/** A request as routes see it: whoever sent it (HTTP client or fellow node) has been authenticated, the rest is untrusted. */
import type { Author, Grant, Role } from '../../scheduler/index.ts'
import { Failure } from '../errors.ts'

/** Who asks, once proven. */
export type Caller = {
  readonly role: Role
  /** `local`, `token/b7k`, or `repair`: a member that speaks for itself. */
  readonly name: string
  /** The id of the member that passed the request on, and vouches for all of this; null: it came in here. */
  readonly via: string | null
  /** The address that the request came from; null: the unix socket. */
  readonly from: string | null
  /** All that it sees and changes is in there; null: it is bound to none. */
  readonly namespace: string | null
  /** What it may beyond its role. */
  readonly grants: readonly Grant[]
}

/** Who is on record for what a request does. */
export const authorOf = ({ name, from, via }: Caller): Author => ({
  who: name,
  from: via === null ? from : [...(from === null ? [] : [from]), `via ${via}`].join(' '),
})

export type ApiRequest = {
  readonly method: string
  /** Without the query, still percent-encoded. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly caller: Caller
  /** The same on each retry of one logical write. */
  readonly requestId: string
  /** True when another node passed it on: it is never passed on again. */
  readonly isForwarded: boolean
  /** Aborts when the caller went away: all work for it ends. */
  readonly signal: AbortSignal
  /** The parsed JSON, undefined when there is none. Read once, on the first call. Throws E_TOO_LARGE, E_INVALID. */
  body(): Promise<unknown>
}

/** `1`, `true` or an empty value mean yes; absent, `0` and `false` mean no. Throws E_INVALID for anything else. */
export const flagOf = (request: ApiRequest, name: string): boolean => {
  const text = request.query[name]
  if (text === undefined || text === '0' || text === 'false') return false
  if (text === '' || text === '1' || text === 'true') return true
  throw new Failure('E_INVALID', `${name} must be 1 or 0, got "${text}"`, { facts: { field: name } })
}

/** A whole number of the query within limits, null when absent. Throws E_INVALID. */
export const numberOf = (
  request: ApiRequest,
  name: string,
  limits: { readonly min: number; readonly max: number },
): number | null => {
  const text = request.query[name]
  if (text === undefined) return null
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= limits.min && value <= limits.max) return value
  throw new Failure(
    'E_INVALID',
    `${name} must be a whole number from ${limits.min} to ${limits.max}, got "${text}"`,
    {
      facts: { field: name },
    },
  )
}

const TIMEOUT_MS_MAX = 120_000

/** `?timeout=` in milliseconds: how long the caller waits for the leader's word. Throws E_INVALID. */
export const timeoutOf = (request: ApiRequest, otherwiseMs: number): number =>
  numberOf(request, 'timeout', { min: 1, max: TIMEOUT_MS_MAX }) ?? otherwiseMs

export type Fields = Readonly<Record<string, unknown>>

/** The body as an object that has no other fields than these; an absent body is an empty object. Throws E_INVALID. */
export const fieldsOf = async (request: ApiRequest, known: readonly string[]): Promise<Fields> => {
  const body = await request.body()
  if (body === undefined) return {}
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Failure('E_INVALID', 'the body must be a JSON object')
  const unknown = Object.keys(body).find(key => !known.includes(key))
  if (unknown === undefined) return body as Fields
  throw new Failure(
    'E_INVALID',
    {
      message: `unknown field "${unknown}"`,
      why: known.length === 0 ? 'this request takes no fields' : `it takes ${known.join(', ')}`,
    },
    { facts: { field: unknown } },
  )
}
