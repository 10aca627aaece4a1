/** Which cluster is meant, and what the environment says: the only file of the command line that reads it. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../node/errors.ts'
import { defaultDataDirectory, socketPath } from '../node/paths.ts'
import type { Settings } from './command.ts'
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

/** Addresses to try in order: `--connect`, then TUTTI_CONNECT (several with commas), then the default sockets. */
const addresses = (environment: Environment, flag: string | null, isRoot: boolean): readonly string[] => {
  const said = flag ?? environment.TUTTI_CONNECT
  if (said)
    return said
      .split(',')
      .map(address => address.trim())
      .filter(address => address !== '')
  const own = defaultDataDirectory(environment, isRoot)
  const directories = environment.TUTTI_DATA || isRoot ? [own] : [own, SYSTEM_DATA_DIRECTORY]
  return directories.map(directory => `unix:${socketPath(directory)}`)
}

export type GlobalFlags = { readonly connect: string | null; readonly isDebug: boolean }

export const readSettings = (environment: Environment, flags: GlobalFlags, isRoot: boolean): Settings => {
  const stateHome = environment.XDG_STATE_HOME || join(environment.HOME || homedir(), '.local', 'state')
  return {
    connect: addresses(environment, flags.connect, isRoot),
    token: environment.TUTTI_TOKEN || null,
    stateDirectory: join(stateHome, 'tutti'),
    version: readVersion(),
    isDebug: flags.isDebug,
  }
}

const readVersion = (): string => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
