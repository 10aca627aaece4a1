/** One host of the lab: power, cable, engine, and the Tutti node that runs on it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Cable, plug, setAddress } from '../harness/bridge.ts'
import { attempt, type Finished, must, run, until } from '../harness/run-command.ts'

const LAUNCHER = fileURLToPath(new URL('../../cli/bin.mjs', import.meta.url))
const COMMAND_TIMEOUT_MS = 60_000

export class Host implements Cable {
  readonly number: number
  readonly name: string
  readonly namespace: string
  /** The outer end of its cable. */
  readonly link: string
  readonly directory: string
  readonly dataDirectory: string
  readonly dockerSocket: string
  address = ''
  #init: ChildProcess | null = null
  /** What carried the node program into the host. When its child stops it stops, too, and nobody else wakes it. */
  #carrier: ChildProcess | null = null
  readonly #labDirectory: string
  /** Without one, its node runs pods as processes. */
  readonly #hasEngine: boolean
  /** As flags. */
  readonly #labels: readonly string[]

  constructor(
    labDirectory: string,
    number: number,
    options: { readonly hasEngine: boolean; readonly labelsOf?: (number: number) => readonly string[] },
  ) {
    this.#labels = (options.labelsOf?.(number) ?? []).flatMap(label => ['--label', label])
    this.#labDirectory = labDirectory
    this.#hasEngine = options.hasEngine
    this.number = number
    this.name = `h${number}`
    this.namespace = `tutti-h${number}`
    this.link = `tlv${number}`
    this.directory = join(labDirectory, this.name)
    this.dataDirectory = join(this.directory, 'tutti')
    this.dockerSocket = join(this.directory, 'docker.sock')
    mkdirSync(join(this.directory, 'docker'), { recursive: true })
  }

  /** Replaces the address of eth0, as a DHCP server would. */
  setAddress(address: string): void {
    setAddress(this, address)
    this.address = address
  }

  /** Power on: PID 1 starts the engine, if there is one. The disk is as the last death left it. */
  boot(): void {
    const script = join(this.directory, 'init')
    writeFileSync(script, this.#initScript())
    chmodSync(script, 0o755)
    must('rm', ['-f', this.dockerSocket, join(this.directory, 'init.pid')])
    const log = openSync(join(this.directory, 'init.log'), 'a')
    // Not `ip netns exec`: it remounts /sys, and dockerd then misses the devices cgroup.
    this.#init = spawn(
      'nsenter',
      [
        `--net=/run/netns/${this.namespace}`,
        'unshare',
        '--mount',
        '--uts',
        '--ipc',
        '--pid',
        '--fork',
        '--kill-child',
        '--mount-proc',
        '--propagation',
        'private',
        script,
      ],
      { stdio: ['ignore', log, log], detached: true },
    )
    closeSync(log)
  }

  /** Until it has booted, with its engine if it has one. */
  async isUp(): Promise<void> {
    await until(`${this.name} to boot`, 20_000, () => (this.#initPid() === null ? null : true), undefined, 10)
    if (this.#hasEngine) await this.#engineIsUp()
  }

  async #engineIsUp(): Promise<void> {
    await until(
      `the engine of ${this.name}`,
      60_000,
      () =>
        spawnSync('docker', ['-H', `unix://${this.dockerSocket}`, 'version'], {
          stdio: 'ignore',
          timeout: 5_000,
        }).status === 0
          ? true
          : null,
      () => this.#tail('dockerd.log'),
      100,
    )
    must('nsenter', [`--net=/run/netns/${this.namespace}`, 'iptables', '-w', '-P', 'FORWARD', 'ACCEPT'])
  }

  importImage(): void {
    if (!this.#hasEngine) return
    if (
      spawnSync('docker', ['-H', `unix://${this.dockerSocket}`, 'image', 'inspect', 'busybox:latest'], {
        stdio: 'ignore',
      }).status === 0
    )
      return
    must('sh', [
      '-c',
      `tar c -C '${this.#labDirectory}/image' . | docker -H unix://${this.dockerSocket} import - busybox:latest`,
    ])
  }

  docker(...args: string[]): string {
    return must('docker', ['-H', `unix://${this.dockerSocket}`, ...args])
  }

  /** The names of the pods whose containers run here, from the engine itself. */
  runningPods(): string[] {
    if (!this.isOn()) return []
    const done = spawnSync(
      'docker',
      [
        '-H',
        `unix://${this.dockerSocket}`,
        'ps',
        '--format',
        '{{.Label "tutti.pod-name"}}',
        '--filter',
        'label=tutti.pod',
      ],
      { encoding: 'utf8', timeout: 10_000 },
    )
    return (done.stdout ?? '').split('\n').filter(name => name !== '')
  }

  /** Machine death. `silent`: the cable goes first, so that peers get neither FIN nor RST. */
  kill(options: { readonly silent: boolean }): void {
    if (options.silent) this.unplug()
    this.killInit()
  }

  /** Power on again, with the cable in; the node is not started. */
  async revive(): Promise<void> {
    await this.isGone()
    this.plug()
    this.boot()
    await this.isUp()
  }

  isOn(): boolean {
    return this.#initPid() !== null
  }

  unplug(): void {
    plug(this, false)
  }

  plug(): void {
    plug(this, true)
  }

  /** Starts the node inside the host. It runs until it or the host is killed. */
  startNode(args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
    const log = openSync(join(this.directory, 'node.log'), 'a')
    const node = spawn(
      'nsenter',
      [
        ...this.#enter(),
        process.execPath,
        LAUNCHER,
        'start',
        '--name',
        this.name,
        '--data',
        this.dataDirectory,
        ...(this.#hasEngine
          ? ['--docker-socket', this.dockerSocket, '--runtime', 'docker']
          : ['--runtime', 'process']),
        ...this.#labels,
        ...args,
      ],
      { stdio: ['ignore', log, log], detached: true, env: { ...process.env, ...env, NO_COLOR: '1' } },
    )
    node.unref()
    this.#carrier = node
    closeSync(log)
  }

  /** The node process inside the host, by its own word in the data directory's lock; null when none runs. */
  nodePid(): number | null {
    const done = spawnSync('pgrep', ['-f', `start --name ${this.name} --data ${this.dataDirectory} `], {
      encoding: 'utf8',
    })
    const pids = (done.stdout ?? '')
      .split('\n')
      .filter(pid => pid !== '')
      .map(Number)
    const own = pids.filter(pid => !readComm(pid).startsWith('nsenter'))
    return own.length === 0 ? null : Math.max(...own)
  }

  /** Signals all processes of the node program on this host, not the engine nor containers. */
  signalNode(signal: NodeJS.Signals): void {
    const done = spawnSync('pgrep', ['-f', `start --name ${this.name} --data ${this.dataDirectory} `], {
      encoding: 'utf8',
    })
    for (const pid of (done.stdout ?? '').split('\n').filter(text => text !== '')) {
      if (!readComm(Number(pid)).startsWith('nsenter')) attempt('kill', [`-${signal}`, pid])
    }
    if (signal === 'SIGCONT') this.#carrier?.kill('SIGCONT')
  }

  /** Stops or continues the host's dockerd: frozen, it takes connections and answers nothing. */
  signalEngine(signal: 'SIGSTOP' | 'SIGCONT'): void {
    must('pkill', [`-${signal}`, '-f', `^dockerd --data-root ${this.directory}/docker `])
  }

  async nodeIsGone(): Promise<void> {
    await until(`the node of ${this.name} to end`, 20_000, () => (this.nodePid() === null ? true : null))
  }

  /** Runs a CLI command on this host against its own node's socket. */
  tutti(
    args: readonly string[],
    options: { readonly timeoutMs?: number; readonly input?: string } = {},
  ): Promise<Finished> {
    const env = {
      ...process.env,
      TUTTI_CONNECT: `unix:${join(this.dataDirectory, 'tutti.sock')}`,
      NO_COLOR: '1',
    }
    return run(process.execPath, [LAUNCHER, ...args], {
      timeoutMs: options.timeoutMs ?? COMMAND_TIMEOUT_MS,
      env,
      ...(options.input === undefined ? {} : { input: options.input }),
    })
  }

  nodeLog(): string {
    return this.#tail('node.log')
  }

  killInit(): void {
    const pid = this.#initPid()
    if (pid !== null) attempt('kill', ['-9', String(pid)])
    this.#init?.kill('SIGKILL')
    this.#carrier?.kill('SIGKILL')
  }

  /** Until the kernel has taken the whole host down. */
  async isGone(): Promise<void> {
    await until(`${this.name} to be gone`, 20_000, () => (this.#initPid() === null ? true : null))
    this.#init = null
  }

  #initPid(): number | null {
    const file = join(this.directory, 'init.pid')
    const outer = this.#init?.pid
    if (outer === undefined) return null
    const children = spawnSync('pgrep', ['-f', '-x', `/bin/bash ${join(this.directory, 'init')}`], {
      encoding: 'utf8',
    })
    const pid = (children.stdout ?? '').split('\n').filter(text => text !== '')[0]
    if (pid === undefined) return null
    writeFileSync(file, pid)
    return Number(pid)
  }

  #enter(): string[] {
    const pid = this.#initPid()
    if (pid === null) throw new Error(`${this.name} is off`)
    return ['-t', String(pid), '-m', '-u', '-i', '-n', '-p', '--']
  }

  #tail(file: string): string {
    const path = join(this.directory, file)
    return existsSync(path) ? readFileSync(path, 'utf8').slice(-4_000) : ''
  }

  #initScript(): string {
    return `#!/bin/bash
# PID 1 of ${this.name}
hostname ${this.name}
mount -t tmpfs tmpfs /run -o mode=755
${this.#hasEngine ? this.#engineScript() : ''}
while :; do wait; sleep 1; done
`
  }

  #engineScript(): string {
    return `mkdir -p /run/exec
iptables -w -P FORWARD ACCEPT
export DOCKER_SERVICE_PREFER_OFFLINE_IMAGE=1
dockerd --data-root ${this.directory}/docker --exec-root /run/exec -H unix://${this.dockerSocket} --pidfile /run/dockerd.pid \\
  --bip 10.42.${this.number}.1/24 --cgroup-parent /tutti-lab/${this.name} --storage-driver overlay2 --log-level warn \\
  >>${this.directory}/dockerd.log 2>&1 &`
  }
}

const readComm = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}
