/** What a checker is: it watches the whole world and says when a global property does not hold. */
import type { Entry } from '../../../raft/index.ts'
import type { Command, Outcome, State } from '../../../scheduler/index.ts'
import type { Committed } from '../history.ts'
import type { Machine } from '../machine.ts'
import type { View } from './view.ts'

/** One machine's replica after a batch of entries, or as its program found it on the disk. */
export type Replica = {
  readonly machine: Machine
  readonly life: number
  readonly state: State
  /** Those entries of the batch that its disk holds: all, unless a snapshot has overtaken them. */
  readonly entries: readonly Entry[]
}

/** A message that binds its sender for ever has left. */
export type Promised = {
  readonly machine: Machine
  readonly to: string
  readonly term: number
}

export type Acknowledged = {
  readonly requestId: string
  readonly command: Command
  readonly outcome: Outcome
  readonly atMs: number
}

export type Checker = {
  readonly name: string
  elected?(machine: Machine, term: number): void
  voted?(promised: Promised): void
  /** A node tells a leader that it has all entries up to `match`. */
  received?(receipt: { readonly machine: Machine; readonly match: number }): void
  /** Each entry of the one history, once, in order. */
  committed?(committed: Committed): void
  applied?(replica: Replica): void
  acknowledged?(write: Acknowledged): void
  /** A read point was granted; `coveredIndex` is that of the last write acknowledged before it was asked for. */
  read?(read: { readonly machine: Machine; readonly index: number; readonly coveredIndex: number }): void
  /** An actor of a node program failed. */
  crashed?(machine: Machine, what: string): void
  /** Everything has been quiet for a while and the cluster should be as asked. */
  atEnd?(world: View): void
}

/** `fail` ends the run; only the first failure counts. */
export type Check = (fail: (what: string) => void) => Checker
