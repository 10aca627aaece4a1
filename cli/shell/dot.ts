/** The shell's own commands, which begin with a dot. */
import { setTimeout as pause } from 'node:timers/promises'
import { splitWords } from '../../node/api/native/words.ts'
import { nearest } from '../../node/api/nearest.ts'
import type { Session } from '../command.ts'
import { parseDuration } from '../output/time.ts'
import { nodeName } from '../target.ts'
import { usage } from '../usage.ts'

/** What a dot command may see and set of the shell. */
export type ShellState = {
  readonly session: Session
  /** The node that answers; null: the one that is connected to. */
  node: string | null
  hasTiming: boolean
  /** Runs words as a verb; resolves with the exit code. */
  runWords(words: readonly string[], signal: AbortSignal): Promise<number>
}

export type DotCommand = {
  readonly name: string
  readonly usage: string
  readonly help: string
  /** Throws Failure to tell what is wrong. */
  run(shell: ShellState, text: string, signal: AbortSignal): Promise<void>
}

const WATCH_MS_MIN = 100

const help = async (shell: ShellState, _text: string, signal: AbortSignal): Promise<void> => {
  const lines = [...DOT_COMMANDS, { usage: '.exit', help: 'leave (so does Ctrl-D)' }]
  await shell.session.terminal.write(lines.map(each => `  ${each.usage.padEnd(24)}${each.help}\n`).join(''))
  await shell.session.terminal.write('\nEvery verb of the command line works here:\n\n')
  await shell.runWords(['help'], signal)
}

const on = async (shell: ShellState, text: string): Promise<void> => {
  const name = nodeName(text)
  if (name !== '') {
    const names = (
      await shell.session.client.with({ node: null, signal: AbortSignal.timeout(5000) }).nodes()
    ).map(node => node.name)
    if (!names.includes(name)) {
      const guess = nearest(name, names)
      throw usage(`there is no node ${name}`, {
        ...(guess === null ? {} : { why: `did you mean ${guess}?` }),
        try: `.on ${guess ?? names[0] ?? 'NODE'}`,
      })
    }
  }
  shell.node = name === '' ? null : name
}

const watch = async (shell: ShellState, text: string, signal: AbortSignal): Promise<void> => {
  const split = splitWords(text)
  if (!split.ok) throw usage(`the line ${split.message}`)
  const everyMs = parseDuration(split.words[0] ?? '')
  const words = split.words.slice(1)
  if (everyMs === null || words.length === 0)
    throw usage('.watch needs seconds and a command', { try: '.watch 2 ps' })
  while (!signal.aborted) {
    await shell.session.terminal.write(
      `${shell.session.style.paint('dim', new Date().toLocaleTimeString())}\n`,
    )
    await shell.runWords(words, signal)
    await pause(Math.max(WATCH_MS_MIN, everyMs), undefined, { signal }).catch(() => {})
  }
}

export const DOT_COMMANDS: readonly DotCommand[] = [
  { name: 'help', usage: '.help', help: 'what there is', run: help },
  {
    name: 'actors',
    usage: '.actors',
    help: 'the live actors of the node, as a tree',
    run: async (shell, _text, signal) => {
      await shell.runWords(['actors'], signal)
    },
  },
  { name: 'watch', usage: '.watch SECONDS COMMAND', help: 'repeat a command until Ctrl-C', run: watch },
  {
    name: 'on',
    usage: '.on NODE',
    help: 'look through another node; without a name, back to the first',
    run: on,
  },
  {
    name: 'timing',
    usage: '.timing',
    help: 'show or hide how long each command took',
    run: async shell => {
      shell.hasTiming = !shell.hasTiming
      shell.session.terminal.note(`timing is ${shell.hasTiming ? 'on' : 'off'}\n`)
    },
  },
]
