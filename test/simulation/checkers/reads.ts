/** A read point covers every write that was acknowledged before it was asked for, wherever it was asked. */
import type { Check } from './checker.ts'

/** The customer asks and compares; what it finds comes here. */
export const reads: Check = fail => ({
  name: 'reads',
  read({ machine, index, coveredIndex }) {
    if (index < coveredIndex)
      fail(
        `${machine.id} answered a read as of entry ${index}; a write at entry ${coveredIndex} was acknowledged before`,
      )
  },
})
