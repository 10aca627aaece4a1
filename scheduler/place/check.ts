/** What a filter is: the shape that every reason to rule a node out has. */
import type { Ask } from './ask.ts'
import type { NodeColumns } from './columns.ts'
import type { Phrase } from './words.ts'

/** A filter made ready for one ask. */
export type Check = {
  /** True when placing pods cannot change the answer: it is then asked once per row, not once per pod. */
  readonly isLasting: boolean
  fits(row: number): boolean
  /** Of the rows that do not fit; most are worded alike for any number of rows. */
  phrase(rows: readonly number[]): Phrase
  /** A sentence: what would let such nodes fit. */
  readonly remedy: string
}

/** No check when the ask makes the filter moot. */
export type Filter = (ask: Ask, columns: NodeColumns) => readonly Check[]
