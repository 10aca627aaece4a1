/** The bounded record of how a node was chosen, or why none was. */
import type { Candidate } from '../model/pod.ts'
import type { Check } from './check.ts'
import type { NodeColumns } from './columns.ts'
import { compareRanked, type Ranked } from './scores.ts'
import { count, shortened } from './words.ts'

/** Candidates kept in a decision: it is part of the log and of every snapshot. */
export const CANDIDATES_KEPT_MAX = 8
/** Of these, at most so many that were ruled out, when enough others fit. */
const REFUSED_KEPT_MIN = 3

/** Rows that one check ruled out; each row is in the group of the first check that refused it. */
export type RefusedRows = { readonly check: Check; readonly rows: readonly number[] }

export const candidatesOf = (
  columns: NodeColumns,
  ranked: readonly Ranked[],
  refused: readonly RefusedRows[],
): readonly Candidate[] => {
  const refusedCount = refused.reduce((sum, { rows }) => sum + rows.length, 0)
  const fittingMax = CANDIDATES_KEPT_MAX - Math.min(REFUSED_KEPT_MIN, refusedCount)
  const fitting = firstOf(ranked, fittingMax).map(({ row, total, parts }) => ({
    ...nameOf(columns, row),
    score: rounded(total),
    parts: Object.fromEntries(Object.entries(parts()).map(([name, part]) => [name, rounded(part)])),
    refusal: null,
  }))
  const others = oneOfEach(refused).slice(0, CANDIDATES_KEPT_MAX - fitting.length)
  return [
    ...fitting,
    ...others.map(({ check, row }) => ({
      ...nameOf(columns, row),
      score: null,
      parts: {},
      refusal: shortened(check.phrase([row])[0]),
    })),
  ]
}

const nameOf = (columns: NodeColumns, row: number): Pick<Candidate, 'node' | 'name'> => {
  const { id, name } = columns.nodes[row]!
  return { node: id, name }
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000

/** The best few without sorting all. */
const firstOf = (ranked: readonly Ranked[], max: number): readonly Ranked[] => {
  const best: Ranked[] = []
  for (const next of ranked) {
    if (best.length === max && compareRanked(next, best[max - 1]!) > 0) continue
    const at = best.findIndex(other => compareRanked(next, other) < 0)
    best.splice(at === -1 ? best.length : at, 0, next)
    if (best.length > max) best.pop()
  }
  return best
}

/** Round and round the kinds of refusal, so that every kind is seen before one is repeated. */
const oneOfEach = (refused: readonly RefusedRows[]): readonly { check: Check; row: number }[] => {
  const picked: { check: Check; row: number }[] = []
  for (let round = 0; picked.length < CANDIDATES_KEPT_MAX; round++) {
    const before = picked.length
    for (const { check, rows } of refused) {
      const row = rows[round]
      if (row !== undefined) picked.push({ check, row })
    }
    if (picked.length === before) break
  }
  return picked
}

/** `no node fits: 2 nodes lack label zone=eu, 1 node has 0.5 of 1 CPU free`. */
export const refusalSentence = (refused: readonly RefusedRows[]): string => {
  if (refused.length === 0) return 'no node fits: there is no node'
  const reasons = refused.map(({ check, rows }) => count(rows.length, check.phrase(rows)))
  return shortened(`no node fits: ${reasons.join(', ')}`)
}
