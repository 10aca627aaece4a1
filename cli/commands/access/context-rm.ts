/** `tutti context rm`: forgets clusters and the tokens for them, which stay valid until they expire or are revoked. */
import type { Command } from '../../command.ts'
import { contextNamed } from '../../context.ts'
import { contextsPath, readContexts, writeContexts } from '../../contexts.ts'
import { escapeLine } from '../../output/escape.ts'

export const command: Command = {
  arguments: [{ name: 'name', description: 'as context ls shows it', count: 'many' }],
  options: [],
  examples: ['tutti context rm prod'],
  async run(call, session) {
    const path = contextsPath(session.settings.environment)
    const known = readContexts(path)
    const gone = call.args.map(name => contextNamed(name, known))
    const contexts = known.contexts.filter(context => !gone.includes(context))
    const isCurrentGone = gone.some(({ name }) => name === known.current)
    writeContexts(path, { current: isCurrentGone ? null : known.current, contexts })
    for (const { name, token } of gone)
      session.terminal.note(
        `${session.errorStyle.done} context ${escapeLine(name)} is forgotten; its token is still valid: tutti token revoke ${escapeLine(token.split('_')[1] ?? '')}\n`,
      )
    return 0
  },
}
