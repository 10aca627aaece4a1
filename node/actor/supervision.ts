/** How often an actor may crash before its parent has to answer for it, and how long each restart waits. */

/** More restarts than this within a minute go up a level. */
export const RESTARTS_PER_MINUTE_MAX = 3

const MINUTE_MS = 60_000
const BACKOFF_FIRST_MS = 100
const BACKOFF_MAX_MS = 5_000

export type Verdict = { readonly type: 'restart'; readonly afterMs: number } | { readonly type: 'escalate' }

/** Pure: the crash times of the last minute in, the verdict and the times to remember out. */
export const judgeCrash = (
  crashedAtMs: readonly number[],
  nowMs: number,
): { readonly verdict: Verdict; readonly crashedAtMs: readonly number[] } => {
  const recent = [...crashedAtMs.filter(atMs => nowMs - atMs < MINUTE_MS), nowMs]
  if (recent.length > RESTARTS_PER_MINUTE_MAX) return { verdict: { type: 'escalate' }, crashedAtMs: recent }
  const afterMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (recent.length - 1))
  return { verdict: { type: 'restart', afterMs }, crashedAtMs: recent }
}
