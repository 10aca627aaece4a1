/** Who did what, as replicated state: two chains of records, each of which fixes all that came before it. */

/** Who asked for a write, as proven to the node that took it in. That node is taken at its word. */
export type Actor = {
  /** `local`: the unix socket of the node; `token/b7k`: the bearer of that token. */
  readonly who: string
  /** The address that the request came from; null: the node's own machine, over the unix socket. */
  readonly from: string | null
  /** The id of the node that took it in. */
  readonly node: string
}

/** An actor, before the node that takes the request in has put its own id to it. */
export type Author = Omit<Actor, 'node'>

/**
 * `done`: what somebody with a right did, whatever came of it. `tried`: what strangers were refused. They are apart so that
 * no stranger can push out what was done by knocking often enough.
 */
export type TrailName = 'done' | 'tried'

/** What leaves no other entry in the log: reads of secrets, sessions, refusals at the door. */
export type Note = {
  readonly trail: TrailName
  /** When it happened, by the clock of the node that saw it. */
  readonly seenAtMs: number
  readonly who: string
  readonly from: string | null
  /** `backup`, `login`, … */
  readonly action: string
  /** `cluster`, `node/ash`, …; empty when there is none. */
  readonly target: string
  /** A phrase or empty. */
  readonly detail: string
  /** `ok`, or the code of the refusal. */
  readonly outcome: string
}

/** What a record says; its text in the chain is the JSON of exactly these fields, in this order. */
export type AuditRecord = {
  /** Counts the records of its trail from 1. */
  readonly number: number
  /** The entry of the log that brought it. */
  readonly index: number
  readonly atMs: number
  readonly who: string
  /** The name of the token, if it has one. */
  readonly name: string | null
  readonly from: string | null
  /** The name of the node that took it in, or its id when it is no member any more. */
  readonly node: string
  /** `workload/Apply`: the type of the command. */
  readonly action: string
  readonly target: string
  readonly detail: string
  readonly outcome: string
  readonly requestId: string
}

/** A record with its place in the chain: `sha256(hash of the record before + "\n" + text)`, a space, and the text. */
export type AuditRow = string

export type Trail = {
  /** The hash of the last record that was forgotten; CHAIN_START before any was. */
  readonly anchor: string
  /** The number of the next record. */
  readonly next: number
  /** By number, oldest first, without a gap; at most AUDIT_KEPT_MAX. */
  readonly rows: ReadonlyMap<number, AuditRow>
}

export type AuditTrails = { readonly [Name in TrailName]: Trail }
