/** One listing of the runtime for all who ask at the same time, and never one that began before the question. */
import type { ContainerState, Runtime } from '../runtime/runtime.ts'

export type Listing = () => Promise<readonly ContainerState[]>

/** At most one listing runs and one waits for it; whoever asks while one runs shares the next. */
export const sharedListing = (runtime: Pick<Runtime, 'list'>): Listing => {
  let running: Promise<unknown> | null = null
  let waiting: Promise<readonly ContainerState[]> | null = null

  const run = (): Promise<readonly ContainerState[]> => {
    waiting = null
    const listed = runtime.list()
    const settled = listed.then(
      () => undefined,
      () => undefined,
    )
    running = settled
    void settled.then(() => {
      if (running === settled) running = null
    })
    return listed
  }

  return () => {
    if (waiting !== null) return waiting
    waiting = (running ?? Promise.resolve()).then(run)
    return waiting
  }
}
