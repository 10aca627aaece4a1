/** When a container that ended is started again, and after how long. Pure; the container's actor obeys. */
import type { RestartPolicy } from '../../scheduler/index.ts'

/** What follows the end of a run. `restart` comes after a delay, the others are final. */
export type Sequel = 'restart' | 'succeeded' | 'failed'

/** First wait when the engine is away or would not stop something; doubles up to the maximum. */
const ENGINE_DELAY_MS = 500
const ENGINE_DELAY_MS_MAX = 10_000

/** The delay's doubling stops here, so that it stays a number whatever the maximum says. */
const DOUBLINGS_MAX = 30

/**
 * `restarts` counts those since the container last ran well. Exit code 0 is a success, except under `always`, which
 * keeps a service up whatever it said. A null code (killed, lost) is a failure.
 */
export const sequelOf = (policy: RestartPolicy, exitCode: number | null, restarts: number): Sequel => {
  if (exitCode === 0 && policy.policy !== 'always') return 'succeeded'
  if (policy.policy === 'never') return 'failed'
  return isExhausted(policy, restarts) ? 'failed' : 'restart'
}

export const isExhausted = (policy: RestartPolicy, restarts: number): boolean =>
  policy.attemptsMax !== null && restarts >= policy.attemptsMax

/** `backoffMs`, doubled with each restart since the container last ran well, up to `backoffMsMax`. */
export const restartDelayMs = (policy: RestartPolicy, restarts: number): number =>
  Math.min(policy.backoffMsMax, policy.backoffMs * 2 ** Math.min(restarts, DOUBLINGS_MAX))

/** For what is not the container's fault: an engine that is away, a stop that did not work. Never given up. */
export const engineDelayMs = (retries: number): number =>
  Math.min(ENGINE_DELAY_MS_MAX, ENGINE_DELAY_MS * 2 ** Math.min(retries, DOUBLINGS_MAX))
