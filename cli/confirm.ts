/** Asks before quorum or data is at risk: by typing the name on a terminal, by `--yes` elsewhere, never by a hang. */
import type { Call, OptionSpec, Session } from './command.ts'
import { usage } from './usage.ts'

export const YES_OPTION: OptionSpec = {
  flags: '-y, --yes',
  description: 'do not ask, even when quorum or data is at risk',
}

/** Resolves when the caller means it; throws E_USAGE when not, or when nobody can be asked. */
export const confirm = async (
  risk: { readonly name: string; readonly text: string },
  call: Call,
  session: Session,
): Promise<void> => {
  if (call.flags.is('yes')) return
  const warning = `${session.errorStyle.paint('bad', 'careful:')} ${risk.text}`
  const answer = await session.terminal.ask(`${warning}\ntype ${risk.name} to go on: `, session.signal)
  if (answer === null)
    throw usage(risk.text, { why: 'nobody is there to be asked', try: 'add --yes if this is meant' })
  if (answer.trim() !== risk.name) throw usage('not confirmed; nothing was done')
}
