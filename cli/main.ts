/** The process of the command line: streams, signals, exit code. Nothing else here knows that it is a process. */
import { EXIT_INTERRUPTED, invoke } from './invoke.ts'
import { makeTerminal } from './terminal.ts'

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const

const main = async (argv: readonly string[]): Promise<number> => {
  const interruption = new AbortController()
  let exitOfSignal = EXIT_INTERRUPTED
  for (const [name, number] of Object.entries(SIGNAL_NUMBERS)) {
    process.on(name, () => {
      // The second one means it: whatever the command still does is cut short.
      if (interruption.signal.aborted) process.exit(128 + number)
      exitOfSignal = 128 + number
      interruption.abort()
    })
  }
  // `tutti logs web | head`: the reader has seen enough.
  process.stdout.on('error', error => process.exit((error as NodeJS.ErrnoException).code === 'EPIPE' ? 0 : 1))
  const host = {
    terminal: makeTerminal({ input: process.stdin, output: process.stdout, error: process.stderr }),
    environment: process.env,
    isRoot: process.getuid?.() === 0,
    node: null,
  }
  if (argv[0] === 'complete') {
    const { answerCompletion } = await import('./shell/answer.ts')
    return answerCompletion(argv.slice(1), host)
  }
  const code = await invoke(argv, host, interruption.signal)
  return code === EXIT_INTERRUPTED ? exitOfSignal : code
}

/** Started by an older Node (bin.mjs): when that one is killed, this one must not go on unseen. */
const followLauncher = (): void => {
  if (process.env.TUTTI_LAUNCHED === undefined) return
  delete process.env.TUTTI_LAUNCHED
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  process.channel?.unref()
}

/** Other users of the machine can read its command lines: a token that was said on this one is hidden from them. */
const hideToken = (argv: readonly string[]): void => {
  const shown = argv.map((word, at) => {
    if (argv[at - 1] === '--token' && !/^(file:|-$)/.test(word)) return '…'
    return word.replace(/^--token=(?!file:|-$).*/, '--token=…')
  })
  if (shown.some((word, at) => word !== argv[at])) process.title = `tutti ${shown.join(' ')}`
}

hideToken(process.argv.slice(2))
// Node's own warnings (experimental modules) are for developers.
if (!process.argv.includes('--debug')) process.removeAllListeners('warning')
followLauncher()
const code = await main(process.argv.slice(2))
// Both streams are flushed first; a leaked handle must not keep a finished command alive.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
