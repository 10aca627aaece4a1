/** Answers the completion scripts of outer shells: `tutti complete -- WORDS… CURRENT`. Quick, and silent whatever fails. */

import { clientFor } from '../client-for.ts'
import { VERBS } from '../commands.ts'
import { readSettings } from '../context.ts'
import type { Host } from '../invoke.ts'
import { complete, liveNames } from './complete.ts'

/** How long live names may keep a person waiting after Tab; TUTTI_COMPLETION_MS says otherwise for slow machines. */
const LIVE_BUDGET_MS = 150

// What the scripts of @bomb.sh/tab read on the last line: no file names, and perhaps no space.
const NO_FILES = 4
const NO_SPACE = 2

/** Always 0. Lines of `value TAB description`, then `:directive`. */
export const answerCompletion = async (argv: readonly string[], host: Host): Promise<number> => {
  const words = argv[0] === '--' ? argv.slice(1) : argv
  try {
    const settings = readSettings(
      host.environment,
      { connect: null, context: null, isDebug: false },
      host.isRoot,
    )
    const budgetMs = Number(host.environment.TUTTI_COMPLETION_MS) || LIVE_BUDGET_MS
    const client = clientFor(settings, { node: null, signal: AbortSignal.timeout(budgetMs) })
    const found = await complete(words.slice(0, -1), words.at(-1) ?? '', {
      verbs: VERBS,
      live: liveNames(client),
    })
    const lines = found.map(each => `${each.value}\t${each.description.replace(/[\t\n]/g, ' ')}\n`)
    const isOpen = found.length > 0 && found.every(each => each.isOpen === true)
    await host.terminal.write(`${lines.join('')}:${isOpen ? NO_FILES + NO_SPACE : NO_FILES}\n`)
  } catch {
    await host.terminal.write(`:${NO_FILES}\n`)
  }
  return 0
}
