/** How late the event loop is: heartbeats share it with everything else, so its delay is watched. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Each look wakes the process: 40 times a second cost half of what 100 do, and a loop is slow from 100 ms on. */
const RESOLUTION_MS = 25
/** The longest delay of the window before and of this one so far is what is told. */
const WINDOW_MS = 5_000

export type LoopLag = { maxMs(): number; stop(): void }

export const watchLoopLag = (): LoopLag => {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  let formerMaxMs = 0
  const maxMs = () => Math.max(0, histogram.max / 1e6 - RESOLUTION_MS)
  const timer = setInterval(() => {
    formerMaxMs = maxMs()
    histogram.reset()
  }, WINDOW_MS)
  timer.unref()
  return {
    maxMs: () => Math.max(formerMaxMs, maxMs()),
    stop() {
      clearInterval(timer)
      histogram.disable()
    },
  }
}
