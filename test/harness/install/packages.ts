/** Sees to it that programs of this machine are installed: Debian's packages, once, or a clear failure. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const INSTALL_DEADLINE_MS = 300_000

/** Idempotent; does nothing when all programs are there. Throws when they cannot be had. */
export const installPackages = (programs: readonly string[], packages: readonly string[]): void => {
  if (missingOf(programs).length === 0) return
  run('apt-get', ['update', '-qq'])
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages])
  const left = missingOf(programs)
  if (left.length > 0)
    throw new Error(`still not installed: ${left.join(', ')} (packages ${packages.join(' ')})`)
}

const missingOf = (programs: readonly string[]): readonly string[] =>
  programs.filter(program => !FOLDERS.some(folder => isExecutable(`${folder}/${program}`)))

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const run = (program: string, args: readonly string[]): void => {
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: INSTALL_DEADLINE_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (result.status === 0) return
  const why =
    result.error?.message ?? `${result.stdout}${result.stderr}`.trim().split('\n').slice(-5).join('\n')
  throw new Error(`${program} ${args.join(' ')} failed: ${why}`)
}
