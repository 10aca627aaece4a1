/** The sentences that tell people how a container ended and when it is tried again. Pure. */

/** What shells and inits have agreed to mean. */
const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  126: 'the command could not be executed',
  127: 'the command was not found',
  137: 'killed',
  143: 'ended by a request to stop',
}

export const exitText = (exitCode: number | null, outOfMemory: boolean): string => {
  if (outOfMemory) return `exited with code ${exitCode ?? 137}: out of memory`
  if (exitCode === null) return 'ended, its exit code is not known'
  const meaning = EXIT_MEANINGS[exitCode]
  return `exited with code ${exitCode}${meaning === undefined ? '' : `: ${meaning}`}`
}

/** What is said of a pod that runs again, until that has gone well for a while. */
export const lastRunText = (why: string): string => `last run: ${why}`

export const againText = (why: string, delayMs: number): string => {
  const delay = delayMs < 1_000 ? `${delayMs} ms` : `${Math.round(delayMs / 100) / 10} s`
  return `${why}; tried again after ${delay}`
}
