/** What the scenarios of `npm run chaos` have in common. */

/** How much is asked of a scenario; one that has no use for it leaves it aside. */
export type Effort = {
  readonly rounds: number
  readonly seed: number
  readonly minutes: number
  readonly clients: number
  /** Broken messages. */
  readonly count: number
  /** Where to write what happened, null: nowhere. */
  readonly out: string | null
}

/** Runs one step of a scenario and prints how long it took. */
export const timed = async (name: string, action: () => Promise<void>): Promise<void> => {
  const startedMs = performance.now()
  await action()
  console.log(`✔ ${name}  ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
}
