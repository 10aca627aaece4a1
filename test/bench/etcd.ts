/** Three nodes of etcd with its defaults on this machine, where Debian's `etcd-server` is installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import type { ClientHttp2Session } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Contender, freshValue, NODES, pause } from './contender.ts'
import { cancelAll, openEtcd, put, statusOf } from './etcd-call.ts'

const READY_WITHIN_MS = 30_000
const LOOK_MS = 100
const PEER_PORT = 2380
/** Etcd names its socket by what looks like a host and a port, in its working directory. */
const SOCKET = 'client:0'

const nameOf = (position: number): string => `etcd-${position}`
/** Beside the addresses of our own nodes. */
const peerUrlOf = (position: number): string => `http://127.0.78.${position + 1}:${PEER_PORT}`

/** Its version, or null where it is not installed. */
export const etcdVersion = (): string | null => {
  const { status, stdout } = spawnSync('etcd', ['--version'], { encoding: 'utf8' })
  return status === 0 ? (/etcd Version: (\S+)/.exec(stdout)?.[1] ?? 'of unknown version') : null
}

class EtcdNode {
  readonly #directory: string
  readonly #position: number
  #child: ChildProcess | null = null

  constructor(parent: string, position: number) {
    this.#position = position
    this.#directory = join(parent, nameOf(position))
    mkdirSync(this.#directory)
  }

  get socketPath(): string {
    return join(this.#directory, SOCKET)
  }

  get pid(): number | null {
    return this.#hasEnded ? null : (this.#child?.pid ?? null)
  }

  get #hasEnded(): boolean {
    return this.#child === null || this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  start(): void {
    rmSync(this.socketPath, { force: true })
    const positions = Array.from({ length: NODES }, (_, position) => position)
    const flags = {
      name: nameOf(this.#position),
      'data-dir': 'data',
      'listen-peer-urls': peerUrlOf(this.#position),
      'initial-advertise-peer-urls': peerUrlOf(this.#position),
      'initial-cluster': positions.map(each => `${nameOf(each)}=${peerUrlOf(each)}`).join(),
      'listen-client-urls': `unix://${SOCKET}`,
      'advertise-client-urls': `unix://${SOCKET}`,
      logger: 'zap',
      'log-level': 'error',
    }
    const words = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)
    this.#child = spawn('etcd', words, { cwd: this.#directory, stdio: 'ignore' })
  }

  kill(): void {
    this.#child?.kill('SIGKILL')
  }

  async ended(): Promise<void> {
    const child = this.#child
    if (child !== null && !this.#hasEnded) await new Promise(resolve => child.once('exit', resolve))
  }
}

export const startEtcd = async (): Promise<Contender> => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-bench-etcd-'))
  const nodes = Array.from({ length: NODES }, (_, position) => new EtcdNode(directory, position))
  const killAll = (): void => {
    for (const node of nodes) node.kill()
  }
  const removeFiles = (): void => rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  const onExit = (): void => {
    killAll()
    removeFiles()
  }
  process.on('exit', onExit)
  let onceCount = 0

  const contender: Contender = {
    async writers() {
      const sessions = await Promise.all(nodes.map(node => openEtcd(node.socketPath)))
      return {
        write: (writer, write) =>
          put(sessions[writer % NODES] as ClientHttp2Session, `bench-${writer}`, freshValue(write)),
        close: () => {
          for (const session of sessions) cancelAll(session)
        },
      }
    },
    async settledLeader() {
      const signal = AbortSignal.timeout(READY_WITHIN_MS)
      for (;;) {
        signal.throwIfAborted()
        const all = await Promise.all(nodes.map(node => statusOf(node.socketPath).catch(() => null)))
        const leader = all.findIndex(status => status?.isLeader === true)
        if (leader >= 0 && all.every(one => one?.appliedIndex === all[leader]?.appliedIndex)) return leader
        await pause(LOOK_MS)
      }
    },
    pids: () => nodes.flatMap(node => node.pid ?? []),
    kill: position => nodes[position]?.kill(),
    async revive(position) {
      await nodes[position]?.ended()
      nodes[position]?.start()
    },
    async writeOnce(position, signal) {
      const session = await openEtcd(nodes[position]!.socketPath)
      const cancel = (): void => cancelAll(session)
      signal.addEventListener('abort', cancel)
      await put(session, `once-${position}`, freshValue(++onceCount)).finally(cancel)
    },
    async stop() {
      killAll()
      await Promise.all(nodes.map(node => node.ended()))
      process.off('exit', onExit)
      removeFiles()
    },
  }

  for (const node of nodes) node.start()
  await contender.settledLeader().catch(async thrown => {
    await contender.stop()
    throw thrown
  })
  return contender
}
