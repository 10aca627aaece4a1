/** How virtual containers behave: some fail to start, fall over or turn sick while there is trouble; all are well afterwards. */
import { type BehaviorOf, idOf, steadyBehavior } from '../../node/runtime/fake-host.ts'
import type { Prng } from '../harness/prng.ts'

const isBatch = (workload: string): boolean => workload.startsWith('cron')

/** `isTrouble` is asked at each start. The same container's n-th start on a host goes the same way in each run. */
export const drawBehaviors =
  (dice: Prng, isTrouble: () => boolean): BehaviorOf =>
  (run, startCount) => {
    const own = dice.fork(`${idOf(run.key)} ${startCount}`)
    const calm = {
      ...steadyBehavior,
      prepareMs: own.between(1, 200),
      startMs: own.between(5, 150),
      stopMs: own.between(1, 800),
    }
    const exit = { afterMs: own.between(100, 3_000), code: 0, outOfMemory: false }
    const well = isBatch(run.key.podName) ? { ...calm, exit } : calm
    if (!isTrouble()) return well
    const roll = own.random()
    if (roll < 0.04)
      return {
        ...well,
        failure: { at: 'prepare', code: 'E_IMAGE_MISSING', message: 'there is no such image' },
      }
    if (roll < 0.08)
      return {
        ...well,
        failure: { at: 'start', code: 'E_COMMAND_INVALID', message: 'there is no such command' },
      }
    if (roll < 0.2) return { ...well, exit: { ...exit, code: own.between(0, 1) } }
    if (roll < 0.26) return { ...well, stopMs: 60_000 }
    const sickFromMs = own.between(500, 5_000)
    if (roll < 0.3)
      return { ...well, isHealthy: elapsedMs => elapsedMs > 100 && (elapsedMs < sickFromMs || !isTrouble()) }
    return well
  }
