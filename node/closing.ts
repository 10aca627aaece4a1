/** Closing what was opened, in reverse, within a bounded time: a disk or an engine that hangs must not keep a node from ending. */
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** For each; what takes longer is left to the end of the process. */
export const CLOSE_WITHIN_MS = 5_000

/** Empties the list. One that fails or hangs does not keep the others open. */
export const closeAll = async (
  opened: (() => unknown)[],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<void> => {
  for (const close of opened.splice(0).reverse()) {
    const { promise: patience, resolve: giveUp } = Promise.withResolvers<'late'>()
    const cancel = clock.after(CLOSE_WITHIN_MS, () => giveUp('late'))
    const end = await Promise.race([Promise.resolve().then(close), patience]).catch(thrown => {
      log.warn('something did not close cleanly', { error: String(thrown) })
    })
    cancel()
    if (end === 'late') log.warn('something did not close in time', { withinMs: CLOSE_WITHIN_MS })
  }
}
