/** A hash of the whole state that is quick to take again: nothing in it ever changes, so each object is hashed once. */

import { hashText } from '../../scheduler/dice.ts'
import { headOf, type State } from '../../scheduler/index.ts'

const known = new WeakMap<object, number>()

/** Of plain data, whatever the order of its keys. What a new row shares with the old one is not read again. */
const hashOf = (value: unknown): number => {
  if (typeof value === 'string') return hashText(value, 1)
  if (typeof value !== 'object' || value === null) return hashText(String(value), 2)
  const before = known.get(value)
  if (before !== undefined) return before
  const hash = Array.isArray(value) ? inOrder(value) : fieldsHash(value)
  known.set(value, hash)
  return hash
}

const fieldsHash = (fields: object): number => {
  let hash = 3
  for (const [name, value] of Object.entries(fields))
    hash = (hash + mixed(hashText(name, 3) ^ Math.imul(hashOf(value), 0x85ebca6b))) | 0
  return hash
}

/** Spreads each bit, so that a sum of such numbers does not tell less than its parts. */
const mixed = (hash: number): number => {
  const once = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return Math.imul(once ^ (once >>> 12), 0x297a2d39)
}

const inOrder = (rows: Iterable<unknown>): number => {
  let hash = 7
  for (const row of rows) hash = Math.imul(hash ^ hashOf(row), 0x01000193)
  return hash
}

/** The order of these tables carries no meaning: a restored state may have another. */
const inAnyOrder = (rows: Iterable<object>): number => {
  let hash = 11
  for (const row of rows) hash = (hash + mixed(hashOf(row))) | 0
  return hash
}

/** Everything but the table of requests, whose rows are compared one by one. */
export const fingerprintOf = (state: State): string =>
  [
    state.index,
    state.term,
    state.cluster === null ? 0 : hashOf(state.cluster),
    inAnyOrder(state.nodes.values()),
    inAnyOrder(state.tokens.values()),
    inAnyOrder(state.workloads.values()),
    inOrder(state.pods.values()),
    state.requests.size,
    headOf(state.audit.done),
    headOf(state.audit.tried),
  ].join('.')
