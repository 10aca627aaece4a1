/** The interactive shell: reads a line, runs it as a verb in this process, and comes back to the prompt whatever happens. */
import { type REPLServer, start } from 'node:repl'
import { splitWords } from '../../node/api/native/words.ts'
import { type Failure, failureOf } from '../../node/errors.ts'
import type { Client } from '../client.ts'
import type { Session } from '../command.ts'
import { errorText } from '../output/error.ts'
import { elapsed } from '../output/time.ts'
import { usage } from '../usage.ts'
import { complete, liveNames, type Sources } from './complete.ts'
import { DOT_COMMANDS, type DotCommand, type ShellState } from './dot.ts'
import { HISTORY_LINES_MAX, historyFile, isKept } from './history.ts'
import { type View, viewOf } from './view.ts'

const REFRESH_MS = 2000
const LOOK_MS = 1000
/** Verbs that would take the terminal for themselves. */
const NOT_HERE: ReadonlySet<string> = new Set(['shell', 'start', 'completion'])

/** Resolves with 0 when the person leaves (Ctrl-D, `.exit`), after the lines that were already typed. */
export const runShell = async (session: Session): Promise<number> => {
  const shell = new Shell(session)
  return shell.run()
}

class Shell implements ShellState {
  readonly session: Session
  node: string | null = null
  hasTiming = false
  #view: View = { node: null, isLeader: false, cluster: null }
  #running: AbortController | null = null
  #queue: Promise<void> = Promise.resolve()
  #generation = 0

  constructor(session: Session) {
    this.session = session
  }

  async run(): Promise<number> {
    const { terminal } = this.session
    await this.refresh()
    const history = terminal.isInputTTY ? await historyFile(this.session.settings.stateDirectory) : null
    if (terminal.isInputTTY) terminal.note(this.#greeting())
    const server = start({
      prompt: this.prompt(),
      terminal: terminal.isInputTTY && terminal.isOutputTTY,
      useGlobal: false,
      preview: false,
      ignoreUndefined: true,
      eval: (text, _context, _file, done) => this.#enqueue(text, () => done(null, undefined), server),
      writer: () => '',
      completer: (line: string, done: (error: null, found: [string[], string]) => void) => {
        void this.#complete(line).then(found => done(null, found))
      },
    })
    this.#defineDotCommands(server)
    this.#takeInterrupts(server)
    if (history !== null) this.#remember(server, history)
    const timer = setInterval(() => void this.#refreshIdle(server), REFRESH_MS)
    await new Promise<void>(resolve => server.once('exit', resolve))
    clearInterval(timer)
    await this.#queue
    return 0
  }

  prompt(): string {
    if (!this.session.terminal.isInputTTY) return ''
    return `${this.#view.node ?? '(no node)'}${this.#view.isLeader ? '*' : ''}> `
  }

  /** Looks who answers now, and whether it leads. */
  async refresh(): Promise<void> {
    this.#view = await viewOf(this.#glance(), this.node)
  }

  /** For what the shell asks on its own account: at once or not at all, and in silence. */
  #glance(): Client {
    const signal = AbortSignal.timeout(LOOK_MS)
    return this.session.client.with({ node: this.node, signal, consistency: 'local', onMeta: () => {} })
  }

  /** Runs one line of words as a verb. Ctrl-C aborts the signal and nothing else. */
  async runWords(words: readonly string[], signal: AbortSignal): Promise<number> {
    const [verb] = words
    if (verb !== undefined && NOT_HERE.has(verb)) {
      this.tell(usage(`${verb} is not for the shell`, { try: `tutti ${verb}    outside of it` }))
      return 2
    }
    const started = performance.now()
    const code = await this.session.invoke(words, { signal, node: this.node })
    if (this.hasTiming) this.session.terminal.note(`${elapsed(performance.now() - started)}, exit ${code}\n`)
    return code
  }

  tell(failure: Failure): void {
    this.session.terminal.note(errorText(failure, this.session.errorStyle))
  }

  #greeting(): string {
    const { cluster, node, isLeader } = this.#view
    if (node === null) return 'tutti shell · no node answers yet · .help\n'
    const through = `${node}${isLeader ? '* (leader)' : ''}`
    return `tutti shell · cluster ${cluster} · you are viewing through ${through} · Tab completes · .help\n`
  }

  /** Lines run one after the other, also those that are typed or piped in while one is running. */
  #enqueue(text: string, done: () => void, server: REPLServer): void {
    const generation = this.#generation
    this.#queue = this.#queue.then(async () => {
      if (generation === this.#generation) await this.#runLine(text.trim(), server)
      await this.refresh()
      server.setPrompt(this.prompt())
      done()
    })
  }

  async #runLine(line: string, server: REPLServer): Promise<void> {
    if (line === '') return
    const split = splitWords(line)
    if (!split.ok) return this.tell(usage(`the line ${split.message}`))
    if (split.words[0] === 'exit' || split.words[0] === 'quit') {
      server.close()
      return
    }
    const words = split.words[0] === 'tutti' ? split.words.slice(1) : split.words
    await this.#abortable(signal => this.runWords(words, signal))
  }

  async #abortable(work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const running = new AbortController()
    this.#running = running
    try {
      await work(AbortSignal.any([running.signal, this.session.signal]))
    } catch (thrown) {
      if (!running.signal.aborted) this.tell(failureOf(thrown))
    } finally {
      this.#running = null
    }
  }

  async #complete(line: string): Promise<[string[], string]> {
    const words = line.split(/\s+/)
    const current = words.pop() ?? ''
    const sources = { verbs: this.session.verbs, live: liveNames(this.#glance()) }
    const before = words.filter(word => word !== '')
    const isDot = before[0]?.startsWith('.') === true
    if (isDot || (before.length === 0 && current.startsWith('.')))
      return [await this.#completeDot(before, current, sources), current]
    const found = await complete(before, current, sources)
    return [
      found.map(each => (found.length === 1 && each.isOpen !== true ? `${each.value} ` : each.value)),
      current,
    ]
  }

  async #completeDot(before: readonly string[], current: string, sources: Sources): Promise<string[]> {
    if (before.length === 0) {
      return [...DOT_COMMANDS.map(each => `.${each.name}`), '.exit'].filter(name => name.startsWith(current))
    }
    if (before[0] === '.watch' && before.length > 1) {
      return (await complete(before.slice(2), current, sources)).map(each => each.value)
    }
    if (before[0] !== '.on') return []
    const nodes = await sources.live('node').catch(() => [])
    return nodes.map(each => each.value).filter(name => name.startsWith(current))
  }

  /**
   * Called in the turn in which the server was made: input rests until the file is read, so no line that was typed
   * early runs before there is a history to keep it in.
   */
  #remember(server: REPLServer, filePath: string): void {
    server.on('history', (lines: string[]) => {
      if (lines[0] !== undefined && !isKept(lines[0])) lines.shift()
    })
    // Without history when the file cannot be read: the shell is worth more than its memory.
    const options = { filePath, size: HISTORY_LINES_MAX, removeHistoryDuplicates: false }
    server.setupHistory(options, () => undefined)
  }

  #defineDotCommands(server: REPLServer): void {
    const commands = server.commands as Record<string, unknown>
    for (const name of Object.keys(commands)) if (name !== 'exit') delete commands[name]
    for (const dot of DOT_COMMANDS) {
      server.defineCommand(dot.name, {
        help: dot.help,
        action: text => this.#runDot(dot, text.trim(), server),
      })
    }
  }

  #runDot(dot: DotCommand, text: string, server: REPLServer): void {
    this.#queue = this.#queue.then(async () => {
      await this.#abortable(signal => dot.run(this, text, signal))
      await this.refresh()
      server.setPrompt(this.prompt())
      server.displayPrompt()
    })
  }

  /** Ctrl-C ends what runs, or clears the line; it never ends the shell. */
  #takeInterrupts(server: REPLServer): void {
    server.removeAllListeners('SIGINT')
    server.on('SIGINT', () => {
      this.#generation++
      if (this.#running !== null) {
        this.session.terminal.note('^C\n')
        this.#running.abort()
        return
      }
      server.write(null, { ctrl: true, name: 'e' })
      server.write(null, { ctrl: true, name: 'u' })
      this.session.terminal.note('^C\n')
      server.displayPrompt()
    })
  }

  async #refreshIdle(server: REPLServer): Promise<void> {
    if (this.#running !== null || !this.session.terminal.isInputTTY) return
    const before = this.prompt()
    await this.refresh()
    if (this.#running !== null || this.prompt() === before) return
    server.setPrompt(this.prompt())
    server.displayPrompt(true)
  }
}
