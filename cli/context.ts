/** Which cluster is meant, and what the environment says: the only file of the command line that reads it. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { nearest } from '../node/api/nearest.ts'
import { messageOf } from '../node/errors.ts'
import { defaultDataDirectory, socketPath } from '../node/paths.ts'
import type { Settings } from './command.ts'
import { type Context, type Contexts, contextsPath, readContexts } from './contexts.ts'
import { usage } from './usage.ts'

export type Environment = Readonly<Record<string, string | undefined>>

const SYSTEM_DATA_DIRECTORY = '/var/lib/tutti'
const SECRET_BYTES_MAX = 4096

/** The secret itself, or what the file of `file:PATH` holds; `-` is left to the command that may read stdin. Throws E_USAGE. */
export const readSecret = (text: string): string => {
  if (!text.startsWith('file:')) return text.trim()
  const path = text.slice('file:'.length)
  try {
    const content = readFileSync(path, 'utf8')
    if (content.length <= SECRET_BYTES_MAX) return content.trim()
  } catch (thrown) {
    throw usage(`the token file ${path} cannot be read`, { why: messageOf(thrown) })
  }
  throw usage(`the token file ${path} is too large to hold a token`)
}

const listed = (addresses: string): readonly string[] =>
  addresses
    .split(',')
    .map(address => address.trim())
    .filter(address => address !== '')

/** Throws E_USAGE with a guess. */
export const contextNamed = (name: string, { contexts }: Contexts): Context => {
  const found = contexts.find(context => context.name === name)
  if (found !== undefined) return found
  const guess = nearest(
    name,
    contexts.map(context => context.name),
  )
  throw usage(`there is no context ${name}`, {
    ...(guess === null ? {} : { why: `did you mean "${guess}"?` }),
    try: contexts.length === 0 ? 'tutti login https://HOST:7700' : 'tutti context ls',
  })
}

type Place = Pick<Settings, 'connect' | 'token' | 'authority' | 'context'>

/**
 * Where to: `--connect`, `--context`, TUTTI_CONNECT (several with commas), TUTTI_CONTEXT, the context in use, the default
 * sockets; the first that is said. TUTTI_TOKEN is stronger than the token of a context.
 */
const placeOf = (environment: Environment, flags: GlobalFlags, isRoot: boolean): Place => {
  const token = environment.TUTTI_TOKEN || null
  const plain = { token, authority: null, context: null }
  if (flags.connect) return { ...plain, connect: listed(flags.connect) }
  if (flags.context === null && environment.TUTTI_CONNECT)
    return { ...plain, connect: listed(environment.TUTTI_CONNECT) }
  const contexts = readContexts(contextsPath(environment))
  const name = flags.context ?? (environment.TUTTI_CONTEXT || contexts.current)
  if (name === null) return { ...plain, connect: sockets(environment, isRoot) }
  const { addresses, authority, ...context } = contextNamed(name, contexts)
  return { connect: addresses, token: token ?? context.token, authority, context: name }
}

/** Of the nodes on this machine. */
const sockets = (environment: Environment, isRoot: boolean): readonly string[] => {
  const own = defaultDataDirectory(environment, isRoot)
  const directories = environment.TUTTI_DATA || isRoot ? [own] : [own, SYSTEM_DATA_DIRECTORY]
  return directories.map(directory => `unix:${socketPath(directory)}`)
}

export type GlobalFlags = {
  readonly connect: string | null
  readonly context: string | null
  readonly isDebug: boolean
}

export const readSettings = (environment: Environment, flags: GlobalFlags, isRoot: boolean): Settings => {
  const stateHome = environment.XDG_STATE_HOME || join(environment.HOME || homedir(), '.local', 'state')
  return {
    ...placeOf(environment, flags, isRoot),
    environment,
    stateDirectory: join(stateHome, 'tutti'),
    version: readVersion(),
    isDebug: flags.isDebug,
  }
}

const readVersion = (): string => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
