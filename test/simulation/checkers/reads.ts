/**
 * A read covers every write that was acknowledged before it was asked for, wherever it was asked. And who is told that a write
 * is done, or how far to read, finds it in that node's own state.
 */
import type { Check } from './checker.ts'

/** The customer asks and compares; what it finds comes here. */
export const reads: Check = fail => ({
  name: 'reads',
  read({ machine, index, coveredIndex, stateIndex }) {
    if (index < coveredIndex)
      fail(
        `${machine.id} answered a read as of entry ${index}; a write at entry ${coveredIndex} was acknowledged before`,
      )
    if (stateIndex < index)
      fail(`${machine.id} answered a read as of entry ${index} with a state of entry ${stateIndex}`)
  },
  acknowledged({ machine, requestId, outcome, stateIndex }) {
    if (stateIndex < outcome.index)
      fail(
        `${machine.id} acknowledged ${requestId} at entry ${outcome.index} and still shows the state of entry ${stateIndex}`,
      )
  },
})
