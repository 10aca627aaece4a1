/** The one table of error codes: what kind each is, its HTTP status and the CLI's exit code. Text is made where it is read. */

/** Exit codes of the CLI: 1 failure, 2 usage, 3 not found, 4 conflict, 5 auth, 6 unreachable or no quorum, 7 placement, 8 deploy failed, 124 timeout. */
export const ERRORS = {
  E_INVALID: { status: 400, exit: 2 },
  E_USAGE: { status: 400, exit: 2 },
  E_AUTH: { status: 401, exit: 5 },
  E_FORBIDDEN: { status: 403, exit: 5 },
  E_NOT_FOUND: { status: 404, exit: 3 },
  E_CONFLICT: { status: 409, exit: 4 },
  E_STALE_PLAN: { status: 409, exit: 4 },
  E_NAME_TAKEN: { status: 409, exit: 4 },
  E_VERSION: { status: 409, exit: 4 },
  E_ALREADY_INITIALISED: { status: 409, exit: 4 },
  E_NODE_LEFT: { status: 403, exit: 5 },
  E_LOG_LOST: { status: 403, exit: 5 },
  E_JOIN_TOKEN_UNKNOWN: { status: 403, exit: 5 },
  E_JOIN_TOKEN_EXPIRED: { status: 403, exit: 5 },
  E_JOIN_TOKEN_SPENT: { status: 403, exit: 5 },
  E_JOIN_TOKEN_REVOKED: { status: 403, exit: 5 },
  E_JOIN_TOKEN_MALFORMED: { status: 400, exit: 2 },
  E_JOIN_WRONG_CLUSTER: { status: 403, exit: 5 },
  E_TOO_LARGE: { status: 413, exit: 2 },
  E_BUSY: { status: 429, exit: 6 },
  E_NO_LEADER: { status: 503, exit: 6 },
  E_NO_QUORUM: { status: 503, exit: 6 },
  E_UNREACHABLE: { status: 503, exit: 6 },
  E_TIMEOUT: { status: 504, exit: 124 },
  E_PORT_IN_USE: { status: 500, exit: 1 },
  E_DISK_FULL: { status: 507, exit: 1 },
  E_DISK_DAMAGED: { status: 500, exit: 1 },
  E_DISK_FAILED: { status: 500, exit: 1 },
  E_RUNTIME_UNAVAILABLE: { status: 503, exit: 1 },
  E_IMAGE_MISSING: { status: 500, exit: 1 },
  E_COMMAND_INVALID: { status: 500, exit: 1 },
  E_NAME_IN_USE: { status: 409, exit: 4 },
  E_PLACEMENT: { status: 409, exit: 7 },
  E_DEPLOY_FAILED: { status: 500, exit: 8 },
  E_INTERNAL: { status: 500, exit: 1 },
} as const

export type ErrorCode = keyof typeof ERRORS

export type ErrorFacts = Readonly<Record<string, string | number | boolean | null>>

/** What an error says to a person: what happened, why, and what to try (a command to copy). */
export type ErrorText = { readonly message: string; readonly why?: string; readonly try?: string }

/** Something outside failed (disk, socket, engine). Caught once, by whoever owns the retry. */
export class Failure extends Error {
  readonly code: ErrorCode
  readonly facts: ErrorFacts
  readonly why: string | undefined
  readonly hint: string | undefined

  constructor(
    code: ErrorCode,
    text: string | ErrorText,
    options: { readonly facts?: ErrorFacts; readonly cause?: unknown } = {},
  ) {
    const parts = typeof text === 'string' ? { message: text } : text
    super(parts.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Failure'
    this.code = code
    this.facts = options.facts ?? {}
    this.why = parts.why
    this.hint = parts.try
  }
}

/** The message of anything that was thrown. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)

/** Anything thrown as a Failure; what is not one already becomes `code`. */
export const failureOf = (thrown: unknown, code: ErrorCode = 'E_INTERNAL'): Failure =>
  thrown instanceof Failure ? thrown : new Failure(code, messageOf(thrown), { cause: thrown })
