/** A real terminal for tests: a program inside tmux, driven by keys and read by its screen. Installs tmux when it is missing. */
import { spawnSync } from 'node:child_process'
import { must, until } from './run-command.ts'

const SEEN_WITHIN_MS = 15_000

/** Throws when tmux is neither there nor to be had. */
const installTmux = (): void => {
  if (spawnSync('tmux', ['-V'], { stdio: 'ignore' }).status === 0) return
  const apt = (...args: string[]) => spawnSync('apt-get', args, { encoding: 'utf8', timeout: 120_000 })
  const install = () => apt('install', '--yes', '--no-install-recommends', 'tmux')
  if (install().status === 0) return
  apt('update')
  const done = install()
  if (done.status !== 0) throw new Error(`tmux cannot be installed: ${done.stderr || done.error?.message}`)
}

export class Tmux {
  readonly #server: string

  private constructor(server: string) {
    this.#server = server
  }

  /** Runs a program in a terminal of 100 columns and 40 lines, with this environment and nothing else. */
  static start(argv: readonly string[], environment: Readonly<Record<string, string>>): Tmux {
    installTmux()
    const tmux = new Tmux(`tutti-test-${process.pid}-${process.hrtime.bigint()}`)
    const pairs = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    tmux.#tmux('new-session', '-d', '-x', '100', '-y', '40', 'env', '-i', ...pairs, ...argv)
    // What ends stays to be read.
    tmux.#tmux('set-option', '-g', 'remain-on-exit', 'on')
    return tmux
  }

  stop(): void {
    spawnSync('tmux', ['-L', this.#server, 'kill-server'], { stdio: 'ignore' })
  }

  /** Text as if typed. */
  type(text: string): void {
    this.#tmux('send-keys', '-l', text)
  }

  /** Named keys: `Enter`, `Tab`, `Up`, `C-c`, `C-d`. */
  press(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys)
  }

  enter(line: string): void {
    this.type(line)
    this.press('Enter')
  }

  screen(): string {
    return this.#tmux('capture-pane', '-p', '-S', '-200').trimEnd()
  }

  get title(): string {
    return this.#tmux('display-message', '-p', '#{pane_title}').trim()
  }

  hasEnded(): boolean {
    return this.#tmux('display-message', '-p', '#{pane_dead}').trim() === '1'
  }

  /** The screen once it matches. */
  async see(pattern: RegExp): Promise<string> {
    return until(
      `${pattern} on the screen`,
      SEEN_WITHIN_MS,
      () => {
        const screen = this.screen()
        return pattern.test(screen) ? screen : null
      },
      () => `\n${this.screen()}`,
    )
  }

  async end(): Promise<void> {
    await until(
      'the end of the program',
      SEEN_WITHIN_MS,
      () => (this.hasEnded() ? true : null),
      () => this.screen(),
    )
  }

  #tmux(...args: readonly string[]): string {
    return must('tmux', ['-L', this.#server, '-f', '/dev/null', ...args])
  }
}
