/** One line of a bench's result. */

export type Row = {
  /** With its unit: `commits/s`, `p99 ms`. */
  readonly name: string
  readonly clients: number
  readonly ours: number
  /** What it is compared with; the bench's header says what that is. */
  readonly peer: number
  readonly ratio: number
}
