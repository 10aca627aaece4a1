/** A node that is no member any more ends what it runs: others have replaced it, or will. Its agent must have ended before. */
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** One that was just about to start shows up in the second round. */
const ROUNDS_MAX = 3

/** Resolves when none runs any more, or when it is clear that some cannot be ended. Their logs are kept. */
export const endContainers = async (
  runtime: Pick<Runtime, 'list' | 'stop'>,
  { graceMs, log }: { readonly graceMs: number; readonly log: Log },
): Promise<void> => {
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    try {
      const running = (await runtime.list()).filter(container => container.state === 'running')
      if (running.length === 0) return
      await Promise.all(running.map(container => runtime.stop(container.key, graceMs)))
      log.warn('containers were ended, because this node is no member any more', { count: running.length })
    } catch (thrown) {
      log.error('some containers could not be ended and may run on', { error: messageOf(thrown) })
    }
  }
}
