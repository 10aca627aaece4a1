/** What clients saw of the registers can have come from registers that do one thing at a time. */
import { judgeHistory } from '../../harness/linearizable.ts'
import { type Operation, tellOperation } from '../../harness/operation.ts'
import type { Check } from './checker.ts'

export const linearizable: Check = fail => {
  const history: Operation[] = []
  return {
    name: 'linearizable',
    operated: operation => void history.push(operation),
    atEnd() {
      const verdict = judgeHistory(history)
      if (verdict.type === 'undecided') fail(`the search for an order of ${verdict.key} was given up`)
      if (verdict.type === 'violated')
        fail(
          `no order explains, in milliseconds:\n${verdict.witness.map(operation => tellOperation(operation, 0)).join('\n')}`,
        )
    },
  }
}
