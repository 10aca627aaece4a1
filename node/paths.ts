/** Where a node keeps its data and where its socket is: one rule for the node and for the command line that looks for it. */
import { homedir } from 'node:os'
import { join } from 'node:path'

export type PathEnvironment = {
  readonly TUTTI_DATA?: string | undefined
  readonly XDG_DATA_HOME?: string | undefined
  readonly HOME?: string | undefined
}

/** `$TUTTI_DATA`, else `/var/lib/tutti` for root, else `$XDG_DATA_HOME/tutti` or `~/.local/share/tutti`. */
export const defaultDataDirectory = (
  environment: PathEnvironment = process.env,
  isRoot: boolean = process.getuid?.() === 0,
): string => {
  if (environment.TUTTI_DATA) return environment.TUTTI_DATA
  if (isRoot) return '/var/lib/tutti'
  return join(environment.XDG_DATA_HOME || join(environment.HOME || homedir(), '.local', 'share'), 'tutti')
}

/** The API's unix socket: 0600, so whoever may open it is the local admin. */
export const socketPath = (dataDirectory: string): string => join(dataDirectory, 'tutti.sock')
