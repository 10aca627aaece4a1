/** Makes a contradiction short enough to be read: leaves out what a history can do without and is still refused. */
import { type Operation, observedBy, writtenBy } from './operation.ts'

/** Each costs a search. A witness that is not the shortest is a witness, too. */
const CHECKS_MAX = 2_000

/**
 * Drops halves, then quarters, down to single operations. Only what proves the same without it is dropped: reads and failed
 * compare-and-sets at will, a write together with all that saw its value, and none while a failed compare-and-set is left,
 * which may need the write that it does not name.
 */
export const shrink = (
  history: readonly Operation[],
  isRefused: (rest: readonly Operation[]) => boolean,
): readonly Operation[] => {
  const plain = history.filter(operation => !hasFailed(operation))
  const mayDropWrites = plain.length === history.length || isRefused(plain)
  let kept = mayDropWrites ? plain : history
  let checks = 0
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = Math.floor(size / 2))
    for (let first = 0; first < kept.length && checks < CHECKS_MAX; ) {
      const dropped = withWitnesses(kept, kept.slice(first, first + size), mayDropWrites)
      const rest = kept.filter(operation => !dropped.has(operation))
      checks++
      if (rest.length < kept.length && isRefused(rest)) kept = rest
      else first += size
    }
  return kept
}

const hasFailed = ({ act }: Operation): boolean => act.type === 'cas' && !act.isDone

/** Those to drop, and with each write whatever saw its value. */
const withWitnesses = (
  history: readonly Operation[],
  chosen: readonly Operation[],
  mayDropWrites: boolean,
): ReadonlySet<Operation> => {
  const dropped = new Set(chosen.filter(operation => mayDropWrites || writtenBy(operation) === undefined))
  for (const operation of dropped) {
    const value = writtenBy(operation)
    if (value === undefined) continue
    // A set goes on to what is added while it is walked.
    for (const other of history) if (observedBy(other) === value) dropped.add(other)
  }
  return dropped
}
