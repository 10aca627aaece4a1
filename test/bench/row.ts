/** What a bench hands back. */

/** One line of a result. */
export type Row = {
  /** With its unit: `commits/s`, `p99 ms`. */
  readonly name: string
  readonly clients: number
  readonly ours: number
  /** What it is compared with; the result's head says what that is. */
  readonly peer: number
  readonly ratio: number
}

export type Result = {
  /** What was measured and against what, a line each. */
  readonly head: readonly string[]
  readonly rows: readonly Row[]
}

export type BenchOptions = {
  /** Of one turn at one number of clients. */
  readonly seconds: number
  readonly clients: readonly number[]
  /** Fail-overs, deaths of each kind, or seeds; null: as many as the bench finds right. */
  readonly trials: number | null
  /** Sizes of the clusters; null: those that something is promised for. */
  readonly nodes: readonly number[] | null
  /** Sizes of simulated clusters. */
  readonly members: readonly number[]
  /** Simulated days, summed over all members. */
  readonly days: number
}

export const rowOf = (name: string, clients: number, ours: number, peer: number): Row => ({
  name,
  clients,
  ours,
  peer,
  ratio: ours / peer,
})
