/** What a write did, told where it belongs: to people on stderr, to programs on stdout. */
import type { WriteResult } from '../node/api/native/schema.ts'
import type { Call, OptionSpec, Session } from './command.ts'
import { untilConverged } from './converge.ts'
import { print } from './list.ts'
import { escapeText } from './output/escape.ts'

export const DETACH_OPTION: OptionSpec = {
  flags: '-d, --detach',
  description: 'do not wait until it is done',
}

/** How long a verb that waits for pods waits by default. */
export const DEPLOY_TIMEOUT_MS = 300_000

export type Written = { readonly name: string; readonly result: WriteResult }

/** Tells each result in the session's format. */
export const report = async (written: readonly Written[], session: Session): Promise<void> => {
  if (session.format === 'table' || session.format === 'wide') {
    for (const { result } of written) {
      session.terminal.note(
        `${session.errorStyle.done} ${escapeText(result.message)} · index ${result.index}\n`,
      )
    }
    return
  }
  const items = written.map(({ name, result }) => ({
    name,
    index: result.index,
    changed: result.changed,
    message: result.message,
  }))
  await print({ items, columns: [], name: item => item.name, empty: '' }, session)
}

/** Tells the results, then waits for each workload unless `--detach` was given. */
export const reportAndWait = async (
  written: readonly Written[],
  call: Call,
  session: Session,
): Promise<number> => {
  await report(written, session)
  if (call.flags.is('detach')) return 0
  for (const { name, result } of written) {
    const code = await untilConverged({ workload: name, index: result.index }, session)
    if (code !== 0) return code
  }
  return 0
}
