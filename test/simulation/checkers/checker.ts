/** What a checker is: it watches the whole world and says when a global property does not hold. */
import type { LogWrite } from '../../../node/consensus/storage.ts'
import type { Entry, Message } from '../../../raft/index.ts'
import type { Command, Outcome, State } from '../../../scheduler/index.ts'
import type { Operation } from '../../harness/operation.ts'
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
  /** Who said so, and how far its own state was. */
  readonly machine: Machine
  readonly stateIndex: number
  readonly requestId: string
  readonly command: Command
  readonly outcome: Outcome
  readonly atMs: number
}

/** A message of Raft on its way out. */
export type Sent = {
  readonly machine: Machine
  readonly to: string
  readonly message: Message
  readonly atMs: number
}

/** What a core says that happened to it. */
export type Noted = {
  readonly machine: Machine
  readonly type: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A read point was granted. */
export type ReadPoint = {
  readonly machine: Machine
  readonly index: number
  /** Of the last write that was acknowledged before the read was asked for. */
  readonly coveredIndex: number
  /** How far the machine's own state is. */
  readonly stateIndex: number
}

export type Checker = {
  readonly name: string
  /** Before anything happens. */
  begin?(world: View): void
  sent?(sent: Sent): void
  noted?(noted: Noted): void
  /** A disk begins to carry out these, in this order. */
  writing?(group: { readonly machine: Machine; readonly writes: readonly LogWrite[] }): void
  /** Its program begins a new life. */
  restarted?(machine: Machine): void
  elected?(machine: Machine, term: number): void
  voted?(promised: Promised): void
  /** A node tells a leader that it has all entries up to `match`. */
  received?(receipt: { readonly machine: Machine; readonly match: number }): void
  /** Each entry of the one history, once, in order. */
  committed?(committed: Committed): void
  applied?(replica: Replica): void
  acknowledged?(write: Acknowledged): void
  read?(read: ReadPoint): void
  /** A client of the registers is done with one operation, or has given it up. */
  operated?(operation: Operation): void
  /** An actor of a node program failed. */
  crashed?(machine: Machine, what: string): void
  /** Everything has been quiet for a while and the cluster should be as asked. */
  atEnd?(world: View): void
}

/** `fail` ends the run; only the first failure counts. */
export type Check = (fail: (what: string) => void) => Checker
