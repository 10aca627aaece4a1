/**
 * A lab of real hosts on one machine: each a network namespace on a common bridge plus private pid, mount, uts and ipc
 * namespaces with its own dockerd, unless none is asked for. Killing a host's PID 1 is machine death: the kernel ends its engine, its containers
 * and its node at once. Needs root on Linux. `close` removes everything, and so does the end of the process.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installDocker } from '../harness/install-docker.ts'
import { attempt, must } from '../harness/run-command.ts'
import { Host } from './host.ts'

const BRIDGE = 'br-tutti'
/** The lab's own network. The bridge is fenced, so nothing leaves it. */
export const NETWORK = '10.77.0'

export type LabOptions = {
  /** Whether hosts have container engines. Without them all is up in a second, and nodes run pods as processes. */
  readonly hasEngine: boolean
}

export class Lab {
  readonly directory: string
  readonly hosts: Host[] = []
  readonly #options: LabOptions
  #isClosed = false
  readonly #onExit = () => this.closeNow()
  readonly #onSignal = () => {
    this.closeNow()
    process.exit(1)
  }

  private constructor(directory: string, options: LabOptions) {
    this.directory = directory
    this.#options = options
  }

  /** A lab without hosts. Packages are installed when missing; a former lab that was not taken down is removed. */
  static async open(options: LabOptions = { hasEngine: true }): Promise<Lab> {
    if (process.getuid?.() !== 0)
      throw new Error('the lab needs root: it makes network namespaces and starts engines')
    await installDocker()
    const lab = new Lab(mkdtempSync(join(tmpdir(), 'tutti-lab-')), options)
    removeNetwork()
    must('ip', ['link', 'add', BRIDGE, 'type', 'bridge'])
    must('ip', ['addr', 'add', `${NETWORK}.254/24`, 'dev', BRIDGE])
    must('ip', ['link', 'set', BRIDGE, 'up'])
    must('iptables', ['-w', '-I', 'FORWARD', '1', '-i', BRIDGE, '-o', BRIDGE, '-j', 'ACCEPT'])
    must('iptables', ['-w', '-I', 'FORWARD', '1', '-i', BRIDGE, '!', '-o', BRIDGE, '-j', 'REJECT'])
    process.on('exit', lab.#onExit)
    process.on('SIGTERM', lab.#onSignal)
    process.on('SIGINT', lab.#onSignal)
    if (options.hasEngine) makeImageRoot(lab.directory)
    return lab
  }

  /** Adds hosts and waits until they have booted and their engines answer. Host numbers start at 1 and never come again. */
  async add(count: number): Promise<readonly Host[]> {
    const added = Array.from(
      { length: count },
      (_, offset) => new Host(this.directory, this.hosts.length + offset + 1, this.#options),
    )
    for (const host of added) {
      connect(host)
      this.hosts.push(host)
      host.boot()
    }
    await Promise.all(added.map(host => host.isUp()))
    for (const host of added) host.importImage()
    return added
  }

  host(number: number): Host {
    const host = this.hosts[number - 1]
    if (host === undefined) throw new Error(`the lab has no host ${number}`)
    return host
  }

  /** Idempotent and synchronous, so that it also works while the process ends. */
  closeNow(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const host of this.hosts) host.killInit()
    for (const host of this.hosts) attempt('ip', ['netns', 'del', host.namespace])
    for (const host of this.hosts) attempt('ip', ['link', 'del', host.link])
    removeNetwork()
    removeCgroups()
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  async close(): Promise<void> {
    this.closeNow()
    process.off('exit', this.#onExit)
    process.off('SIGTERM', this.#onSignal)
    process.off('SIGINT', this.#onSignal)
    await Promise.all(this.hosts.map(host => host.isGone()))
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

/** Puts the host's end of a cable into its namespace and gives it an address. */
const connect = (host: Host): void => {
  attempt('ip', ['netns', 'del', host.namespace])
  must('ip', ['netns', 'add', host.namespace])
  must('ip', ['link', 'add', host.link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host.namespace])
  must('ip', ['link', 'set', host.link, 'master', BRIDGE, 'up'])
  must('ip', ['-n', host.namespace, 'link', 'set', 'eth0', 'up'])
  must('ip', ['-n', host.namespace, 'link', 'set', 'lo', 'up'])
  host.setAddress(`${NETWORK}.${host.number}`)
}

/** A static busybox with its applets is image enough. */
const makeImageRoot = (directory: string): void => {
  const root = join(directory, 'image')
  mkdirSync(join(root, 'bin'), { recursive: true })
  mkdirSync(join(root, 'www'), { recursive: true })
  mkdirSync(join(root, 'tmp'), { recursive: true })
  writeFileSync(join(root, 'www', 'index.html'), 'tutti\n')
  must('cp', ['/bin/busybox', join(root, 'bin', 'busybox')])
  for (const applet of must('/bin/busybox', ['--list'])
    .split('\n')
    .filter(name => name !== '' && name !== 'busybox')) {
    attempt('ln', ['-s', 'busybox', join(root, 'bin', applet)])
  }
}

const removeNetwork = (): void => {
  attempt('iptables', ['-w', '-D', 'FORWARD', '-i', BRIDGE, '-o', BRIDGE, '-j', 'ACCEPT'])
  attempt('iptables', ['-w', '-D', 'FORWARD', '-i', BRIDGE, '!', '-o', BRIDGE, '-j', 'REJECT'])
  attempt('ip', ['link', 'del', BRIDGE])
}

const removeCgroups = (): void => {
  for (const controller of existsSync('/sys/fs/cgroup') ? readdirSync('/sys/fs/cgroup') : []) {
    const folder = join('/sys/fs/cgroup', controller, 'tutti-lab')
    if (existsSync(folder)) attempt('find', [folder, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'])
  }
}
