/** Ends pods that outlived a killed node: processes whose working directory is below the demo's own directory. */
import { readdirSync, readlinkSync } from 'node:fs'
import { pause } from './demo-node.ts'

const ROUNDS_MAX = 20
const ROUND_MS = 50

/** Resolves when no process works below `directory` any more, or after about a second. */
export const killStrays = async (directory: string): Promise<void> => {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const strays = processesBelow(directory)
    if (strays.length === 0) return
    for (const pid of strays) kill(pid)
    await pause(ROUND_MS)
  }
}

const processesBelow = (directory: string): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => pid !== process.pid && workingDirectory(pid).startsWith(`${directory}/`))

const workingDirectory = (pid: number): string => {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone in the meantime.
  }
}
