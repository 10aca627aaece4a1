/** What a request is answered with, and the one form of an error. */
import { ERRORS, Failure, messageOf } from '../errors.ts'
import type { ErrorBody } from './native/schema.ts'

export type Reply = {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** A text at once, or pieces as they come: the server asks for the next one when the last has left. */
  readonly body: string | AsyncIterable<string>
}

export const json = (value: unknown, status = 200): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: `${JSON.stringify(value)}\n`,
})

/** One JSON text a line, for values that come over time. */
export const jsonLines = (values: AsyncIterable<unknown>): Reply => ({
  status: 200,
  headers: { 'content-type': 'application/x-ndjson' },
  body: linesOf(values),
})

async function* linesOf(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`
}

export const isStream = (reply: Reply): boolean => typeof reply.body !== 'string'

const errorBody = (failure: Failure): ErrorBody => ({
  apiVersion: 'tutti/v1',
  error: {
    code: failure.code,
    message: failure.message,
    ...(failure.why === undefined ? {} : { why: failure.why }),
    ...(failure.hint === undefined ? {} : { try: failure.hint }),
    facts: failure.facts,
  },
})

/** Anything thrown as a reply. Headers name more than the code says: `www-authenticate`, `allow`. */
export const errorReply = (
  thrown: unknown,
  options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): Reply => {
  const failure = asFailure(thrown)
  const reply = json(errorBody(failure), options.status ?? ERRORS[failure.code].status)
  return options.headers === undefined
    ? reply
    : { ...reply, headers: { ...reply.headers, ...options.headers } }
}

const asFailure = (thrown: unknown): Failure =>
  thrown instanceof Failure
    ? thrown
    : new Failure('E_INTERNAL', {
        message: 'the node met an error that it did not expect',
        why: messageOf(thrown),
        try: 'tutti doctor',
      })
