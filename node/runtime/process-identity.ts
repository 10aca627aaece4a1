/** Which process is meant: a pid alone is reused, a pid with its start time in one boot of the machine is not. */
import { readFileSync } from 'node:fs'

export type ProcessIdentity = {
  readonly pid: number
  /** Clock ticks after boot: field 22 of /proc/PID/stat. */
  readonly startTicks: number
}

/** Parses a line of /proc/PID/stat. The name in brackets may itself hold brackets and spaces. Null when malformed. */
export const parseStat = (line: string): (ProcessIdentity & { readonly state: string }) | null => {
  const fields = line
    .slice(line.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/)
  const pid = Number.parseInt(line, 10)
  const startTicks = Number(fields[19])
  const state = fields[0]
  if (!Number.isInteger(pid) || !Number.isFinite(startTicks) || state === undefined || fields.length < 20)
    return null
  return { pid, startTicks, state }
}

/** Who has this pid now; null when nobody does. */
export const identify = (pid: number): (ProcessIdentity & { readonly state: string }) | null => {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return null
  }
}

/** True while this very process runs; one that waits to be reaped does not. */
export const isAlive = ({ pid, startTicks }: ProcessIdentity): boolean => {
  const now = identify(pid)
  return now !== null && now.startTicks === startTicks && now.state !== 'Z' && now.state !== 'X'
}

/** Whether a shell's child has become the command: a fresh fork still has the shell's own command line. */
export const hasExecuted = ({ pid }: ProcessIdentity): boolean => {
  const own = readProc(pid, 'cmdline')
  const children = readProc(pid, `task/${pid}/children`)
  // Not every kernel tells of children; what cannot be seen cannot be waited for.
  if (children === null) return true
  const child = Number.parseInt(children, 10)
  return Number.isInteger(child) && readProc(child, 'cmdline') !== own
}

const readProc = (pid: number, name: string): string | null => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return null
  }
}

/** Changes with each boot of the machine, which makes all earlier identities void. */
export const readBootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()

/**
 * Signals a whole process group led by `leader`. Refuses when the leader's pid belongs to somebody else by now, as
 * then the group may as well. True when somebody was there to get it.
 */
export const signalGroup = (leader: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): boolean => {
  const now = identify(leader.pid)
  if (now !== null && now.startTicks !== leader.startTicks) return false
  try {
    process.kill(-leader.pid, signal)
    return true
  } catch {
    return false
  }
}
