/** A hash of the whole state that is quick to take again: rows never change, so each is hashed once. */

import { canonicalText } from '../../scheduler/canonical.ts'
import { hashText } from '../../scheduler/dice.ts'
import type { State } from '../../scheduler/index.ts'

const known = new WeakMap<object, number>()

const hashRow = (row: object): number => {
  const before = known.get(row)
  if (before !== undefined) return before
  const hash = hashText(canonicalText(row), 1)
  known.set(row, hash)
  return hash
}

const inOrder = (rows: Iterable<object>): number => {
  let hash = 7
  for (const row of rows) hash = Math.imul(hash ^ hashRow(row), 0x01000193)
  return hash
}

/** The order of these tables carries no meaning: a restored state may have another. */
const inAnyOrder = (rows: Iterable<object>): number => {
  let hash = 11
  for (const row of rows) hash = (hash + Math.imul(hashRow(row), 0x9e3779b1)) | 0
  return hash
}

/** Everything but the table of requests, whose rows are compared one by one. */
export const fingerprintOf = (state: State): string =>
  [
    state.index,
    state.term,
    state.cluster === null ? 0 : hashRow(state.cluster),
    inAnyOrder(state.nodes.values()),
    inAnyOrder(state.tokens.values()),
    inAnyOrder(state.workloads.values()),
    inOrder(state.pods.values()),
    state.requests.size,
  ].join('.')
