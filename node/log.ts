/** Logging as facts with fields. Error: an operator must act. Warn: may become one. Info: a rare change of state. Debug: the conversation. */
import { mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
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
  const target = sink(options.file === undefined ? STANDARD_ERROR : openFile(options.file))
  return wrap(pino({ level: options.level, redact: REDACTED_PATHS, base: null }, target))
}

const STANDARD_ERROR = 2

const openFile = (path: string): number => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  return openSync(path, 'a', 0o600)
}

/**
 * Each line at once, or not at all: a full disk, or a reader that went away, ends no node and keeps none waiting. (pino's
 * own destination throws the first and waits for a slow reader inside the call.)
 */
const sink = (file: number): { write(line: string): void } => ({
  write(line) {
    try {
      writeSync(file, line)
    } catch {
      // There is nobody to tell; the next line is tried anew.
    }
  },
})

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
