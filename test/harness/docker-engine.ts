/**
 * A private Docker engine for tests: own data, socket, bridge and cgroup, no registry, no rule in the machine's
 * firewall (published ports go through docker-proxy). It dies with this process, however that ends.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installDocker } from './install/docker.ts'
import { attempt, must } from './run-command.ts'

/** The image that every test uses: a static busybox with its usual links. */
export const TEST_IMAGE = 'busybox:latest'

const BRIDGE_PREFIX = 'ttb'
const DIRECTORY_PREFIX = 'tutti-docker-'
const START_DEADLINE_MS = 60_000
const PING_INTERVAL_MS = 50

export type DockerEngine = {
  readonly socket: string
  /** Kills the engine program alone; with live-restore its containers run on. */
  kill(): void
  /** Starts it again after `kill`. */
  revive(): Promise<void>
  /** The engine stops answering without going away, and goes on. */
  freeze(): void
  thaw(): void
  /** The docker command line, which must succeed; its output. */
  docker(...args: readonly string[]): string
  /** Removes everything. Idempotent, synchronous. */
  close(): void
}

/** Installs Docker when it is missing; throws when it cannot be had. Needs root. */
export const startDockerEngine = async (): Promise<DockerEngine> => {
  if (process.getuid?.() !== 0)
    throw new Error('a test engine needs root: it makes namespaces, mounts and a bridge')
  await installDocker()
  removeOrphans()
  const directory = mkdtempSync(join(tmpdir(), `${DIRECTORY_PREFIX}${process.pid}-`))
  const bridge = `${BRIDGE_PREFIX}${process.pid}`
  const engine = new PrivateEngine(directory, bridge)
  const close = () => engine.close()
  const onSignal = (signal: NodeJS.Signals) => {
    close()
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  process.once('exit', close)
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  try {
    await engine.start()
    engine.importImage()
  } catch (thrown) {
    close()
    throw thrown
  }
  return engine
}

class PrivateEngine implements DockerEngine {
  readonly socket: string
  readonly #directory: string
  readonly #bridge: string
  readonly #cgroup: string
  #namespaces: ChildProcess | null = null
  #isClosed = false

  constructor(directory: string, bridge: string) {
    this.#directory = directory
    this.#bridge = bridge
    this.#cgroup = `tutti-test-${process.pid}`
    this.socket = join(directory, 'docker.sock')
  }

  async start(): Promise<void> {
    must('ip', ['link', 'add', this.#bridge, 'type', 'bridge'])
    must('ip', ['addr', 'add', subnetAddress(process.pid), 'dev', this.#bridge])
    must('ip', ['link', 'set', this.#bridge, 'up'])
    this.#boot()
    await this.#waitUntilUp()
  }

  /** PID 1 of its own namespaces is a shell that starts the engine whenever a file asks for it: killing it ends all. */
  #boot(): void {
    const log = join(this.#directory, 'dockerd.log')
    const init = `
mount -t tmpfs tmpfs /run -o mode=755 && mkdir -p /run/exec
while :; do
  if [ -e ${this.#directory}/off ]; then sleep 0.05; continue; fi
  rm -f ${this.socket} /run/dockerd.pid
  dockerd --data-root ${this.#directory}/data --exec-root /run/exec --pidfile /run/dockerd.pid \\
    -H unix://${this.socket} --bridge ${this.#bridge} --iptables=false --ip6tables=false --ip-masq=false \\
    --ip-forward=false --userland-proxy=true --live-restore --cgroup-parent /${this.#cgroup} \\
    --storage-driver ${storageDriver(this.#directory)} --log-level warn >> ${log} 2>&1 &
  wait $!
done`
    mkdirSync(join(this.#directory, 'data'), { recursive: true })
    const unshare = [
      'unshare',
      '--mount',
      '--pid',
      '--fork',
      '--kill-child=KILL',
      '--mount-proc',
      '--propagation',
      'private',
    ]
    // The outermost link of the chain is told to die with this process, and takes the namespaces along.
    const args = ['--pdeathsig', 'KILL', '--', ...unshare, '/bin/sh', '-c', init]
    this.#namespaces = spawn('setpriv', args, { stdio: 'ignore', detached: true })
    this.#namespaces.unref()
  }

  async #waitUntilUp(): Promise<void> {
    const untilMs = performance.now() + START_DEADLINE_MS
    while (!(await ping(this.socket))) {
      if (performance.now() > untilMs)
        throw new Error(`the test engine does not answer:\n${this.#lastWords()}`)
      await new Promise(resolve => setTimeout(resolve, PING_INTERVAL_MS))
    }
  }

  #lastWords(): string {
    const log = join(this.#directory, 'dockerd.log')
    return existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(-15).join('\n') : 'it wrote no log'
  }

  /** No registry: a folder with one static program and its links becomes the image. */
  importImage(): void {
    const root = join(this.#directory, 'image')
    mkdirSync(join(root, 'bin'), { recursive: true })
    for (const folder of ['tmp', 'etc', 'dev', 'proc', 'sys', 'root'])
      mkdirSync(join(root, folder), { recursive: true })
    cpSync('/bin/busybox', join(root, 'bin', 'busybox'), { dereference: true })
    for (const applet of must('/bin/busybox', ['--list']).split('\n'))
      if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet))
    const tar = must('tar', ['c', '-f', join(this.#directory, 'image.tar'), '-C', root, '.'])
    this.docker('import', join(this.#directory, 'image.tar'), TEST_IMAGE)
    return void tar
  }

  docker(...args: readonly string[]): string {
    return must('docker', ['-H', `unix://${this.socket}`, ...args])
  }

  kill(): void {
    must('touch', [join(this.#directory, 'off')])
    for (const pid of this.#enginePids()) process.kill(pid, 'SIGKILL')
  }

  async revive(): Promise<void> {
    rmSync(join(this.#directory, 'off'), { force: true })
    await this.#waitUntilUp()
  }

  freeze(): void {
    for (const pid of this.#enginePids()) process.kill(pid, 'SIGSTOP')
  }

  thaw(): void {
    for (const pid of this.#enginePids()) process.kill(pid, 'SIGCONT')
  }

  /** Only the engine that was started for this very folder. */
  #enginePids(): number[] {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .filter(name => {
        const [program, ...args] = commandLine(name)
        return program === 'dockerd' && args.includes(`unix://${this.socket}`)
      })
      .map(Number)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const pid = this.#namespaces?.pid
    const inner = pid === undefined ? [] : childrenOf(pid)
    for (const child of inner) tryKill(child)
    if (pid !== undefined) tryKill(pid)
    attempt('ip', ['link', 'del', this.#bridge])
    removeCgroup(this.#cgroup)
    // The mounts went with the namespace, a moment after its last process.
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}

/** Overlay on overlay does not work everywhere, so it is tried in the very place where the data will be. */
const storageDriver = (directory: string): 'overlay2' | 'vfs' => {
  const at = (name: string) => join(directory, 'try', name)
  for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(at(name), { recursive: true })
  const layers = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`
  const mounted = spawnSync('unshare', [
    '--mount',
    'mount',
    '-t',
    'overlay',
    'overlay',
    '-o',
    layers,
    at('merged'),
  ])
  rmSync(join(directory, 'try'), { recursive: true, force: true })
  return mounted.status === 0 ? 'overlay2' : 'vfs'
}

/** A subnet of its own for each test process, out of a range that no common tool uses by default. */
const subnetAddress = (pid: number): string => `10.213.${pid % 256}.1/24`

/** Bridges and folders of test processes that were killed so hard that they could not clean up. */
const removeOrphans = (): void => {
  const ownerOf = (prefix: string, name: string) => new RegExp(`^${prefix}(\\d+)(-|$)`).exec(name)?.[1]
  const isDead = (pid: string | undefined): pid is string => pid !== undefined && !existsSync(`/proc/${pid}`)
  for (const name of readdirSync('/sys/class/net')) {
    const pid = ownerOf(BRIDGE_PREFIX, name)
    if (!isDead(pid)) continue
    attempt('ip', ['link', 'del', name])
    removeCgroup(`tutti-test-${pid}`)
  }
  for (const name of readdirSync(tmpdir()))
    if (isDead(ownerOf(DIRECTORY_PREFIX, name)))
      rmSync(join(tmpdir(), name), { recursive: true, force: true })
}

const removeCgroup = (name: string): void => {
  const roots = ['/sys/fs/cgroup', ...subfolders('/sys/fs/cgroup')]
  for (const root of roots) removeEmptyTree(join(root, name))
}

const removeEmptyTree = (folder: string): void => {
  for (const child of subfolders(folder)) removeEmptyTree(child)
  try {
    rmdirSync(folder)
  } catch {
    // Not there, or a process of it is still on its way out: an empty group harms nobody.
  }
}

const subfolders = (folder: string): string[] => {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter(entry => entry.isDirectory()).map(entry => join(folder, entry.name))
  } catch {
    return []
  }
}

const commandLine = (pid: string): string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

const childrenOf = (pid: number): number[] => {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return text === '' ? [] : text.split(' ').map(Number)
  } catch {
    return []
  }
}

const tryKill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

const ping = (socketPath: string): Promise<boolean> =>
  new Promise(resolve => {
    const outgoing = request({ socketPath, path: '/_ping', agent: false, timeout: 1_000 }, response => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    outgoing.on('timeout', () => outgoing.destroy())
    outgoing.on('error', () => resolve(false))
    outgoing.end()
  })
