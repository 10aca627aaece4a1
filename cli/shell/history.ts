/** The shell's memory: which lines are kept, and where. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

export const HISTORY_LINES_MAX = 1000

const SECRETS =
  /tutti\d*_[a-z0-9]|--token\b|token=|(?:secret|password|passwd|credential|api_?key|private_?key)\w*=/i

/** False for lines that begin with a space or that seem to hold a secret. */
export const isKept = (line: string): boolean => !/^\s/.test(line) && !SECRETS.test(line)

/** The file's path; its directory exists afterwards and is the user's own. Null when it cannot be made: no history then. */
export const historyFile = async (stateDirectory: string): Promise<string | null> => {
  try {
    await mkdir(stateDirectory, { recursive: true, mode: 0o700 })
    return join(stateDirectory, 'history')
  } catch {
    return null
  }
}
