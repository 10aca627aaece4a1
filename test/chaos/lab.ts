/**
 * A lab of real hosts on one machine: each a network namespace on a common bridge plus private pid, mount, uts and ipc
 * namespaces with its own dockerd, unless none is asked for. Killing a host's PID 1 is machine death: the kernel ends its engine, its containers
 * and its node at once. Needs root on Linux. `close` removes everything, and so does the end of the process.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Bridge } from '../harness/bridge.ts'
import { installDocker } from '../harness/install/docker.ts'
import { attempt, must } from '../harness/run-command.ts'
import { Host } from './host.ts'

const BRIDGE = 'br-tutti'
/** The lab's own network. The bridge is fenced, so nothing leaves it. */
export const NETWORK = '10.77.0'

export type LabOptions = {
  /** Whether hosts have container engines. Without them all is up in a second, and nodes run pods as processes. */
  readonly hasEngine: boolean
  /** Labels of the node on a host, by the host's number: `zone=north`. */
  readonly labelsOf?: (number: number) => readonly string[]
}

export class Lab {
  readonly directory: string
  readonly hosts: Host[] = []
  readonly #bridge: Bridge
  readonly #options: LabOptions
  #isClosed = false
  readonly #onExit = () => this.closeNow()
  readonly #onSignal = () => {
    this.closeNow()
    process.exit(1)
  }

  private constructor(directory: string, bridge: Bridge, options: LabOptions) {
    this.directory = directory
    this.#bridge = bridge
    this.#options = options
  }

  /** A lab without hosts. Packages are installed when missing; a former lab that was not taken down is removed. */
  static async open(options: LabOptions = { hasEngine: true }): Promise<Lab> {
    if (process.getuid?.() !== 0)
      throw new Error('the lab needs root: it makes network namespaces and starts engines')
    installDocker()
    const lab = new Lab(mkdtempSync(join(tmpdir(), 'tutti-lab-')), Bridge.open(BRIDGE, NETWORK), options)
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
      this.#bridge.connect(host)
      host.setAddress(`${NETWORK}.${host.number}`)
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
    this.#bridge.close()
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

const removeCgroups = (): void => {
  for (const controller of existsSync('/sys/fs/cgroup') ? readdirSync('/sys/fs/cgroup') : []) {
    const folder = join('/sys/fs/cgroup', controller, 'tutti-lab')
    if (existsSync(folder)) attempt('find', [folder, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'])
  }
}
