/** A terminal that remembers what was written to it, and runs command lines against a fake node in this process. */
import type { Environment } from '../../cli/context.ts'
import { invoke } from '../../cli/invoke.ts'
import type { Terminal } from '../../cli/terminal.ts'

export type Told = { readonly code: number; readonly out: string; readonly err: string }

export type TerminalOptions = {
  readonly isTTY?: boolean
  /** What stdin holds, or what a person types when asked. */
  readonly input?: string
  readonly columns?: number
}

export class FakeTerminal implements Terminal {
  out = ''
  err = ''
  readonly isInputTTY: boolean
  readonly isOutputTTY: boolean
  readonly isErrorTTY: boolean
  readonly #options: TerminalOptions

  constructor(options: TerminalOptions = {}) {
    this.#options = options
    this.isInputTTY = options.isTTY === true
    this.isOutputTTY = options.isTTY === true
    this.isErrorTTY = options.isTTY === true
  }

  columns(): number | undefined {
    return this.#options.isTTY === true ? (this.#options.columns ?? 120) : undefined
  }

  async write(text: string): Promise<void> {
    this.out += text
  }

  note(text: string): void {
    this.err += text
  }

  async readAll(): Promise<string> {
    return this.#options.input ?? ''
  }

  async ask(question: string): Promise<string | null> {
    if (!this.isInputTTY) return null
    this.err += question
    return this.#options.input ?? ''
  }
}

export type TuttiOptions = TerminalOptions & {
  readonly environment?: Environment
  readonly node?: string
  readonly signal?: AbortSignal
  readonly terminal?: FakeTerminal
}

/** `tutti ARGV…` against the node on the socket. */
export const tutti = async (
  socket: string,
  argv: readonly string[],
  options: TuttiOptions = {},
): Promise<Told> => {
  const terminal = options.terminal ?? new FakeTerminal(options)
  const host = {
    terminal,
    environment: { TUTTI_CONNECT: `unix:${socket}`, ...options.environment },
    isRoot: false,
    node: options.node ?? null,
  }
  const code = await invoke(argv, host, options.signal ?? new AbortController().signal)
  return { code, out: terminal.out, err: terminal.err }
}
