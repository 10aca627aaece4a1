/** One command line from its words to its exit code: for the process and, line by line, for the shell. */
import { Failure, failureOf } from '../node/errors.ts'
import { clientFor } from './client-for.ts'
import type { Command, Flags, Session } from './command.ts'
import { VERBS } from './commands.ts'
import { type Environment, readSettings } from './context.ts'
import { errorText, exitCodeOf } from './output/error.ts'
import type { Format } from './output/format.ts'
import { makeStyle, wantsColour } from './output/style.ts'
import { elapsed } from './output/time.ts'
import { HelpAsked, helpText, overviewText, type Request, readCall, readRequest } from './program.ts'
import { staleNotice } from './staleness.ts'
import type { Terminal } from './terminal.ts'
import { usage } from './usage.ts'

export type Host = {
  readonly terminal: Terminal
  readonly environment: Environment
  readonly isRoot: boolean
  /** The node that shall answer (the shell's `.on NODE`); null: the one that is connected to. */
  readonly node: string | null
}

export const EXIT_INTERRUPTED = 130
const TIMEOUT_MS_DEFAULT = 30_000

/** Never throws: every failure is told on stderr in its four parts. `signal` aborts on Ctrl-C. */
export const invoke = async (argv: readonly string[], host: Host, signal: AbortSignal): Promise<number> => {
  const isDebug = argv.includes('--debug')
  const deadline = new AbortController()
  const any = AbortSignal.any([signal, deadline.signal])
  try {
    return await invokeRequest(readRequest(argv), host, any, deadline)
  } catch (thrown) {
    if (signal.aborted) return EXIT_INTERRUPTED
    const failure = failureOf(any.aborted && !(thrown instanceof Failure) ? any.reason : thrown)
    const isError = host.terminal.isErrorTTY
    host.terminal.note(
      errorText(failure, styleFor(argv.includes('--no-color'), argv.includes('--ascii'), isError, host)),
    )
    if (isDebug) host.terminal.note(`${stackOf(failure)}\n`)
    return exitCodeOf(failure)
  }
}

const invokeRequest = async (
  request: Request,
  host: Host,
  signal: AbortSignal,
  deadline: AbortController,
): Promise<number> => {
  if (request.verb === null) {
    await host.terminal.write(overviewText())
    return 0
  }
  const { command } = await request.verb.load()
  const help = async (): Promise<number> => {
    await host.terminal.write(helpText(request.verb as NonNullable<typeof request.verb>, command))
    return 0
  }
  if (request.type === 'help') return help()
  let call: ReturnType<typeof readCall>
  try {
    call = readCall(request.verb, command, request.words)
  } catch (thrown) {
    if (thrown instanceof HelpAsked) return help()
    throw thrown
  }
  const session = sessionOf(call.flags, host, signal)
  const stopTimer = startTimer(command, call.flags, deadline)
  try {
    return await command.run(call, session)
  } catch (thrown) {
    throw isVagueUsage(thrown)
      ? usage(thrown.message, {
          ...(thrown.why === undefined ? {} : { why: thrown.why }),
          try: `tutti ${request.verb.name} --help`,
        })
      : thrown
  } finally {
    stopTimer()
  }
}

const isVagueUsage = (thrown: unknown): thrown is Failure =>
  thrown instanceof Failure && thrown.code === 'E_USAGE' && thrown.hint === undefined

const startTimer = (command: Command, flags: Flags, deadline: AbortController): (() => void) => {
  const isEndless = command.isEndless?.(flags) === true
  const timeoutMs =
    flags.duration('timeout') ?? (isEndless ? null : (command.timeoutMs ?? TIMEOUT_MS_DEFAULT))
  if (timeoutMs === null) return () => {}
  const failure = new Failure('E_TIMEOUT', {
    message: `not done within ${elapsed(timeoutMs)}`,
    try: `--timeout ${Math.ceil(timeoutMs / 500)}s    or: tutti status`,
  })
  const timer = setTimeout(() => deadline.abort(failure), timeoutMs)
  return () => clearTimeout(timer)
}

const sessionOf = (flags: Flags, host: Host, signal: AbortSignal): Session => {
  const settings = readSettings(
    host.environment,
    { connect: flags.text('connect'), context: flags.text('context'), isDebug: flags.is('debug') },
    host.isRoot,
  )
  const { terminal } = host
  const isPlain = !flags.is('color')
  const isAscii = flags.is('ascii')
  const errorStyle = styleFor(isPlain, isAscii, terminal.isErrorTTY, host)
  return {
    terminal,
    style: styleFor(isPlain, isAscii, terminal.isOutputTTY, host),
    errorStyle,
    format: flags.is('quiet') ? 'name' : ((flags.text('output') ?? 'table') as Format),
    client: clientFor(settings, {
      node: host.node,
      signal,
      consistency: flags.text('consistency'),
      onMeta: staleNotice(text => terminal.note(text), errorStyle),
    }),
    signal,
    settings,
    verbs: VERBS,
    invoke: (words, options) => invoke(words, { ...host, node: options.node }, options.signal),
  }
}

const styleFor = (isPlain: boolean, isAscii: boolean, isTTY: boolean, host: Host) =>
  makeStyle({
    isAscii,
    hasColour: wantsColour({
      flag: !isPlain,
      isTTY,
      forceColor: host.environment.FORCE_COLOR,
      noColor: host.environment.NO_COLOR,
      term: host.environment.TERM,
      ci: host.environment.CI,
    }),
  })

const stackOf = (thrown: unknown): string =>
  thrown instanceof Error
    ? `${thrown.stack ?? thrown.message}${thrown.cause === undefined ? '' : `\ncaused by ${stackOf(thrown.cause)}`}`
    : String(thrown)
