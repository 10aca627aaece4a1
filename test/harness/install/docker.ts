/** Sees to it that a container engine and what the labs need is installed. */
import { installPackages } from './packages.ts'

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

/** Idempotent; throws when it cannot be had: a test that needs Docker fails then. */
export const installDocker = (): void => installPackages(PROGRAMS, PACKAGES)
