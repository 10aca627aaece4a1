/** One agent under test: a process in a network namespace of its own, whose log is read while it is written. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Cable } from '../../harness/bridge.ts'

/** What to run, and with what besides the environment of the bench. */
export type Launch = {
  readonly words: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const LINES_KEPT = 12

export class Agent implements Cable {
  readonly name: string
  readonly namespace: string
  readonly link: string
  readonly address: string
  /** Its own; kept over restarts. */
  readonly directory: string
  #child: ChildProcess | null = null
  #lines: string[] = []

  constructor(position: number, place: { readonly network: string; readonly directory: string }) {
    this.name = `a${position + 1}`
    this.namespace = `tutti-${this.name}`
    this.link = `tav${position + 1}`
    this.address = `${place.network}.${position + 1}`
    this.directory = join(place.directory, this.name)
  }

  /** `hear` gets each line of its output as it comes, until the agent is killed. */
  start({ words, env = {} }: Launch, hear: (line: string) => void): void {
    // Both become the program in the end, so signals reach it; it does not outlive this process, however that ends.
    const enter = ['nsenter', `--net=/run/netns/${this.namespace}`, '--', 'setpriv', '--pdeathsig', 'KILL']
    const [command = '', ...args] = [...enter, ...words]
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A session of its own, as a service has: the kernel shares the processor among sessions first.
      detached: true,
      env: { ...process.env, ...env, NO_COLOR: '1' },
    })
    this.#child = child
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', line => {
        if (this.#child !== child) return
        this.#lines = [...this.#lines, line].slice(-LINES_KEPT)
        hear(line)
      })
    }
  }

  get pid(): number | null {
    const child = this.#child
    return child === null || child.exitCode !== null || child.signalCode !== null ? null : (child.pid ?? null)
  }

  /** What it said last. */
  get lastWords(): string {
    return this.#lines.join('\n')
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal)
  }

  /** kill -9. What it has written and was not read yet stays unread. */
  async kill(): Promise<void> {
    const child = this.#child
    const isRunning = this.pid !== null
    this.#child = null
    if (child === null || !isRunning) return
    child.kill('SIGKILL')
    await new Promise(resolve => child.once('exit', resolve))
  }

  /** Without waiting, for the end of the bench. */
  killNow(): void {
    this.#child?.kill('SIGKILL')
  }

  /** Sent so far into its cable, headers included. */
  get sentBytes(): number {
    return Number(readFileSync(`/sys/class/net/${this.link}/statistics/rx_bytes`, 'utf8'))
  }
}
