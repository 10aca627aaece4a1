/** The clusters that this user has logged in to: one small private file. Reads and writes it, and decides nothing. */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { messageOf } from '../node/errors.ts'
import { usage } from './usage.ts'

export type Context = {
  readonly name: string
  /** Of nodes of the cluster, tried in this order. */
  readonly addresses: readonly string[]
  readonly token: string
  /** The certificate of the cluster's authority, PEM; null where the address is a loopback one without TLS. */
  readonly authority: string | null
  /** The cluster's own name. */
  readonly cluster: string
}

export type Contexts = { readonly current: string | null; readonly contexts: readonly Context[] }

export const CONTEXT_NAME = /^[A-Za-z0-9][\w.-]{0,62}$/

const PRIVATE = 0o077

export const contextsPath = (environment: Readonly<Record<string, string | undefined>>): string =>
  join(
    environment.XDG_CONFIG_HOME || join(environment.HOME || homedir(), '.config'),
    'tutti',
    'contexts.json',
  )

/** Throws E_USAGE when the file is open to others, or is not what this program writes. */
export const readContexts = (path: string): Contexts => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return { current: null, contexts: [] }
    throw usage(`${path} cannot be read`, { why: messageOf(thrown) })
  }
  if ((statSync(path).mode & PRIVATE) !== 0)
    throw usage(`${path} is open to other users of this machine`, {
      why: 'it holds tokens',
      try: `chmod 600 ${path}, and revoke the tokens if somebody may have read it: tutti token ls`,
    })
  const parsed = parsedOrNull(text)
  if (parsed !== null) return parsed
  throw usage(`${path} is damaged`, {
    why: 'it is not what tutti login writes',
    try: `mv ${path} ${path}.old, then log in again`,
  })
}

const parsedOrNull = (text: string): Contexts | null => {
  try {
    const { current, contexts } = JSON.parse(text) as Contexts
    const isGood = (current === null || typeof current === 'string') && contexts.every(isContext)
    return isGood ? { current, contexts } : null
  } catch {
    return null
  }
}

const isContext = ({ name, addresses, token, authority, cluster }: Context): boolean =>
  [name, token, cluster, ...addresses].every(text => typeof text === 'string') &&
  (authority === null || typeof authority === 'string')

/** Either the former file or the new one, for its owner alone. */
export const writeContexts = (path: string, contexts: Contexts): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, `${JSON.stringify(contexts, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
