/** One node of the demo: a `tutti start` process of its own, with its own loopback address and data directory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { StatusView } from '../../node/api/native/schema.ts'
import { Failure } from '../../node/errors.ts'
import { socketPath } from '../../node/paths.ts'
import { Client } from '../client.ts'

const LAUNCHER = fileURLToPath(new URL('../bin.mjs', import.meta.url))
const PEER_PORT = 7701
const API_PORT = 7700
const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 8_000
const POLL_MS = 50

export type DemoRuntime = 'process' | 'docker'

export class DemoNode {
  readonly name: string
  readonly address: string
  readonly directory: string
  readonly #log: string
  #child: ChildProcess | null = null

  constructor(name: string, address: string, parentDirectory: string) {
    this.name = name
    this.address = address
    this.directory = join(parentDirectory, name)
    this.#log = join(parentDirectory, `${name}.log`)
  }

  get peerAddress(): string {
    return `${this.address}:${PEER_PORT}`
  }

  get connection(): string {
    return `unix:${socketPath(this.directory)}`
  }

  client(signal: AbortSignal): Client {
    return new Client({ target: { addresses: [this.connection], token: null }, node: null, signal })
  }

  /** Its own process group, so that Ctrl-C in the terminal reaches the demo only, which then stops things in order. */
  start(options: {
    readonly runtime: DemoRuntime
    readonly join: string | null
    readonly token: string | null
    /** Beside the demo's own: `KEY=VALUE`. */
    readonly labels?: readonly string[]
    /** `HOST:PORT` for the API instead of the demo's own. */
    readonly api?: string
  }): void {
    const flags = [
      '--name',
      this.name,
      '--data',
      this.directory,
      '--listen',
      this.peerAddress,
      '--api',
      options.api ?? `${this.address}:${API_PORT}`,
    ]
    const pairs = ['chaos=allowed', ...(options.labels ?? [])]
    const labels = [...pairs.flatMap(pair => ['--label', pair]), '--runtime', options.runtime]
    const join = options.join === null ? [] : ['--join', options.join]
    const log = openSync(this.#log, 'a', 0o600)
    this.#child = spawn(process.execPath, [LAUNCHER, 'start', ...flags, ...labels, ...join], {
      stdio: ['ignore', log, log],
      detached: true,
      env: {
        ...process.env,
        NO_COLOR: '1',
        ...(options.token === null ? {} : { TUTTI_TOKEN: options.token }),
      },
    })
    closeSync(log)
  }

  /** Resolves once the node answers, follows a leader and knows its cluster. Throws what the node said when it ended instead. */
  async ready(signal: AbortSignal): Promise<StatusView> {
    const client = this.client(signal)
    const deadlineMs = performance.now() + READY_WITHIN_MS
    while (performance.now() < deadlineMs) {
      signal.throwIfAborted()
      if (this.hasEnded()) throw this.#complaint('it ended at once')
      const status = await client.status().catch(() => null)
      if (status?.hasQuorum === true && status.clusterId !== '') return status
      await pause(POLL_MS)
    }
    throw this.#complaint(`it was not ready within ${READY_WITHIN_MS / 1_000} s`)
  }

  /** While it runs, else null. */
  get pid(): number | null {
    return this.hasEnded() ? null : (this.#child?.pid ?? null)
  }

  hasEnded(): boolean {
    return this.#child === null || this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** SIGTERM, then SIGKILL; resolves when the process is gone. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child === null || this.hasEnded()) return
    const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    const patience = setTimeout(() => child.pid !== undefined && killGroup(child.pid), STOP_WITHIN_MS)
    await ended
    clearTimeout(patience)
  }

  /** kill -9, at once. */
  kill(): void {
    const { pid } = this
    if (pid !== null) killGroup(pid)
  }

  #complaint(why: string): Failure {
    const said = readFileSync(this.#log, 'utf8').trim().split('\n').slice(-12).join('\n    ')
    return new Failure('E_INTERNAL', {
      message: `node ${this.name} did not start`,
      why: `${why}; it said:\n    ${said}`,
    })
  }
}

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Gone in the meantime.
  }
}

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
