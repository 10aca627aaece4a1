/** The join token that a command was given: by --token, on standard input, or in TUTTI_TOKEN. */
import type { Call, Session } from './command.ts'
import { readSecret } from './context.ts'

const BYTES_MAX = 4096

/** Null when none was given. One that stands on the command line itself is taken, with a warning. Throws E_USAGE. */
export const joinTokenOf = async (call: Call, session: Session): Promise<string | null> => {
  const said = call.flags.text('token')
  if (said === '-') return (await session.terminal.readAll(BYTES_MAX)).trim()
  if (said !== null && !said.startsWith('file:')) session.terminal.note(warning(session))
  const text = said ?? session.settings.token
  return text === null ? null : readSecret(text)
}

const warning = ({ errorStyle }: Session): string =>
  [
    `${errorStyle.paint('bad', 'careful:')} a token on the command line can be read by other users of this machine`,
    '  and stays in the history of the shell; better TUTTI_TOKEN=…, --token file:PATH, or --token - for standard input\n',
  ].join('\n')
