/** What a verb is: the one shape that the command line, the shell and completion share. */
import type { Client } from './client.ts'
import type { Format } from './output/format.ts'
import type { Style } from './output/style.ts'
import { parseDuration } from './output/time.ts'
import type { Terminal } from './terminal.ts'
import { usage } from './usage.ts'

/** What a place on the command line can be completed with from the live cluster. */
export type LiveKind = 'workload' | 'scaling' | 'pod' | 'node' | 'target' | 'token'

export type OptionSpec = {
  /** Commander's notation: `-n, --name <name>`. */
  readonly flags: string
  readonly description: string
  readonly choices?: readonly string[]
  readonly isRepeatable?: boolean
  readonly completes?: LiveKind
}

export type ArgumentSpec = {
  readonly name: string
  readonly description: string
  readonly count: 'one' | 'optional' | 'many' | 'any'
  readonly choices?: readonly string[]
  readonly completes?: LiveKind
}

export type Command = {
  readonly arguments: readonly ArgumentSpec[]
  readonly options: readonly OptionSpec[]
  /** Shown below the help, each a line to copy. */
  readonly examples: readonly string[]
  /** Whether words after `--` belong to it (`run … -- CMD`). */
  readonly takesCommand?: boolean
  /** Whether it is told to stop by Ctrl-C only: `--timeout` has no default then. */
  readonly isEndless?: (flags: Flags) => boolean
  /** Default for `--timeout`; 30 seconds when absent. */
  readonly timeoutMs?: number
  /** Resolves with the exit code; throws Failure for everything that a person must be told. */
  run(call: Call, session: Session): Promise<number>
}

/** A verb's place in the table: cheap to read, its module is loaded only when it is needed. */
export type Verb = {
  /** One word, or two for cluster plumbing: `token create`. */
  readonly name: string
  readonly summary: string
  readonly group: 'workloads' | 'cluster' | 'access'
  load(): Promise<{ readonly command: Command }>
}

export type Call = {
  readonly args: readonly string[]
  /** The words after `--`; null without one. */
  readonly rest: readonly string[] | null
  readonly flags: Flags
}

/** Everything a verb may touch. */
export type Session = {
  readonly terminal: Terminal
  readonly style: Style
  /** The style for stderr, which may be a terminal when stdout is not. */
  readonly errorStyle: Style
  readonly format: Format
  readonly client: Client
  /** Aborts on Ctrl-C and when `--timeout` runs out. */
  readonly signal: AbortSignal
  readonly settings: Settings
  /** The table of verbs, for completion. */
  readonly verbs: readonly Verb[]
  /** Runs another command line with the same terminal; for the shell. */
  invoke(argv: readonly string[], options: InvokeOptions): Promise<number>
}

export type InvokeOptions = { readonly signal: AbortSignal; readonly node: string | null }

/** What the environment and the global flags say, read once. */
export type Settings = {
  readonly connect: readonly string[]
  /** TUTTI_TOKEN as it was said (perhaps `file:PATH`): opens the API off the unix socket, and joins a cluster. */
  readonly token: string | null
  /** The certificate (PEM) that servers are checked against; null: the one that the token pins is asked for. */
  readonly authority: string | null
  /** The context that this comes from; null: none. */
  readonly context: string | null
  /** For those who look for files of this user. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly stateDirectory: string
  readonly version: string
  readonly isDebug: boolean
}

/** Parsed flags by their long name in camel case. */
export class Flags {
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }

  is(name: string): boolean {
    return this.#values[name] === true
  }

  text(name: string): string | null {
    const value = this.#values[name]
    return typeof value === 'string' ? value : null
  }

  list(name: string): readonly string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? value.map(String) : []
  }

  /** Throws E_USAGE when the text is not a whole number of at least `least`. */
  whole(name: string, least = 0): number | null {
    const text = this.text(name)
    if (text === null) return null
    const value = Number(text)
    if (/^\d{1,15}$/.test(text) && value >= least) return value
    throw usage(`--${dashed(name)} must be a whole number from ${least}, got "${text}"`)
  }

  /** Milliseconds; throws E_USAGE when the text is no duration. */
  duration(name: string): number | null {
    const text = this.text(name)
    if (text === null) return null
    const ms = parseDuration(text)
    if (ms !== null) return ms
    throw usage(`--${dashed(name)} must be a duration such as 500ms, 5s or 2m, got "${text}"`)
  }

  /** `KEY=VALUE` pairs of a repeatable flag; throws E_USAGE for one without `=`. */
  pairs(name: string): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.list(name).map(pair => {
        const at = pair.indexOf('=')
        if (at < 1) throw usage(`--${dashed(name)} must be KEY=VALUE, got "${pair}"`)
        return [pair.slice(0, at), pair.slice(at + 1)]
      }),
    )
  }
}

const dashed = (name: string): string => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
