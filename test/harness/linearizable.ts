/**
 * Whether a history of reads, writes and compare-and-sets can have come from registers that do one thing at a time
 * (Herlihy and Wing 1990). Keys are judged one by one, for a history is linearizable exactly when that of every key is.
 */
import { answerOf, type Operation } from './operation.ts'
import { findOrder } from './order-search.ts'
import { shrink } from './witness.ts'

export type Verdict =
  | { readonly type: 'linearizable'; readonly operationCount: number; readonly keyCount: number }
  | {
      readonly type: 'violated'
      /** Up to its answer there is an order, with it there is none. */
      readonly culprit: Operation
      /** As few operations as already contradict each other, in order of their calls. */
      readonly witness: readonly Operation[]
    }
  /** The search was given up: nothing is proven. */
  | { readonly type: 'undecided'; readonly key: string }

/** The violation that came first, if there are several. */
export const judgeHistory = (history: readonly Operation[]): Verdict => {
  const keys = Map.groupBy(history, operation => operation.key)
  let culprit: Operation | null = null
  for (const [key, operations] of keys) {
    const found = findOrder(operations)
    if (found.type === 'undecided') return { type: 'undecided', key }
    if (found.type === 'ordered' || (culprit !== null && answerOf(culprit) <= found.stuckAt)) continue
    culprit = operations.find(operation => operation.answeredAt === found.stuckAt) ?? null
  }
  if (culprit === null) return { type: 'linearizable', operationCount: history.length, keyCount: keys.size }
  const before = cutAt(keys.get(culprit.key) ?? [], answerOf(culprit))
  const witness = shrink(before, rest => findOrder(rest).type === 'stuck')
  return { type: 'violated', culprit, witness: witness.toSorted((a, b) => a.calledAt - b.calledAt) }
}

/** What was known at that moment: later answers have not come yet. */
const cutAt = (operations: readonly Operation[], at: number): readonly Operation[] =>
  operations
    .filter(({ calledAt }) => calledAt <= at)
    .map(operation => (answerOf(operation) > at ? { ...operation, answeredAt: null } : operation))
