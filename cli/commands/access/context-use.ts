/** `tutti context use`: which cluster is meant from now on. */
import type { Command } from '../../command.ts'
import { contextNamed } from '../../context.ts'
import { contextsPath, readContexts, writeContexts } from '../../contexts.ts'
import { escapeLine } from '../../output/escape.ts'

export const command: Command = {
  arguments: [{ name: 'name', description: 'as context ls shows it; - for the local sockets', count: 'one' }],
  options: [],
  examples: ['tutti context use prod', 'tutti context use -'],
  async run(call, session) {
    const [name = ''] = call.args
    const path = contextsPath(session.settings.environment)
    const known = readContexts(path)
    const current = name === '-' ? null : contextNamed(name, known).name
    writeContexts(path, { ...known, current })
    const told = current === null ? 'the local sockets are' : `context ${escapeLine(current)} is`
    session.terminal.note(`${session.errorStyle.done} ${told} in use\n`)
    return 0
  },
}
