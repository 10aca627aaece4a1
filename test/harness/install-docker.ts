/** Sees to it that a container engine and what the labs need is installed: Debian's packages, once, or a clear failure. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'

const PROGRAMS = [
  'dockerd',
  'containerd',
  'runc',
  'docker-proxy',
  'docker-init',
  'iptables',
  'ip',
  'busybox',
  'nsenter',
  'unshare',
  'setpriv',
  'pgrep',
  'pkill',
] as const
const PACKAGES = [
  'docker.io',
  'tini',
  'iptables',
  'iproute2',
  'busybox-static',
  'util-linux',
  'procps',
] as const
const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const INSTALL_DEADLINE_MS = 300_000

/** Idempotent; does nothing when everything is there. Throws when it cannot be had: a test that needs Docker fails then. */
export const installDocker = async (): Promise<void> => {
  if (missing().length === 0) return
  run('apt-get', ['update', '-qq'])
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...PACKAGES])
  const left = missing()
  if (left.length > 0)
    throw new Error(`still not installed: ${left.join(', ')} (packages ${PACKAGES.join(' ')})`)
}

const missing = (): string[] =>
  PROGRAMS.filter(program => !FOLDERS.some(folder => isExecutable(`${folder}/${program}`)))

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
