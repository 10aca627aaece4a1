/** Logging as facts with fields. Error: an operator must act. Warn: may become one. Info: a rare change of state. Debug: the conversation. */
import { pino } from 'pino'

export type Fields = Readonly<Record<string, unknown>>

export type Log = {
  error(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  debug(message: string, fields?: Fields): void
  child(fields: Fields): Log
}

export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'silent'

const REDACTED_PATHS = [
  'token',
  'secret',
  'authorization',
  'privateKey',
  '*.token',
  '*.secret',
  '*.privateKey',
]

/** JSON lines on standard error, or in `file` when given. */
export const createLog = (options: { readonly level: LogLevel; readonly file?: string }): Log => {
  const target = pino.destination(
    options.file === undefined ? 2 : { dest: options.file, mkdir: true, mode: 0o600 },
  )
  return wrap(pino({ level: options.level, redact: REDACTED_PATHS, base: null }, target))
}

type Target = {
  [Level in 'error' | 'warn' | 'info' | 'debug']: (fields: object, message: string) => void
} & { child(fields: object): Target }

const wrap = (target: Target): Log => ({
  error: (message, fields = {}) => target.error(fields, message),
  warn: (message, fields = {}) => target.warn(fields, message),
  info: (message, fields = {}) => target.info(fields, message),
  debug: (message, fields = {}) => target.debug(fields, message),
  child: fields => wrap(target.child(fields)),
})

/** Swallows everything; for tests and simulation. */
export const silentLog: Log = { error() {}, warn() {}, info() {}, debug() {}, child: () => silentLog }
