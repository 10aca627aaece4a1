/** What customers and checkers see of the world. */
import type { Checker } from './checkers/checker.ts'
import type { View } from './checkers/view.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'

export type Scene = View & {
  readonly timeline: Timeline
  readonly trace: Trace
  /** Tells every checker. */
  notify(tell: (checker: Checker) => void): void
  /** Ends the run. */
  fail(checker: string, what: string): void
}
