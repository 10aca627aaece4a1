/** The obvious judge of one key's history: tries every order, and every choice of what never took effect. For small histories. */
import { answerOf, effectOf, type Operation, type Value, writtenBy } from '../../harness/operation.ts'

export const hasOrder = (operations: readonly Operation[]): boolean =>
  goesOn(
    operations.filter(operation => operation.answeredAt !== null || writtenBy(operation) !== undefined),
    null,
  )

const goesOn = (left: readonly Operation[], held: Value): boolean =>
  left.every(({ answeredAt }) => answeredAt === null) ||
  left.some(next => {
    if (left.some(other => answerOf(other) < next.calledAt)) return false
    const after = effectOf(next.act, held)
    return (
      after !== undefined &&
      goesOn(
        left.filter(other => other !== next),
        after,
      )
    )
  })
