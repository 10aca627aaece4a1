// Reads waiting for an answer, as data. The protocol that answers them is in read-index.ts.
import { type Options, wordTicks } from '../options.ts'
import type { NodeId } from '../saved.ts'

/** Who asked: a key of our own embedder, or a follower with its count. */
export type Asker =
  | { readonly type: 'local'; readonly key: string }
  | { readonly type: 'remote'; readonly from: NodeId; readonly id: number }

/** A read on the leader. `ticks` is its age. */
export type WaitingRead = { readonly asker: Asker; ticks: number }

/** It may be answered with `index` once a quorum has answered `round`. */
export type StartedRead = WaitingRead & { readonly index: number; readonly round: number }

export type Reads = {
  /** The newest round of leadership checks that was sent. Never reset, so that late answers cannot be mistaken. */
  round: number
  /** On the leader: waiting for the next round, or for the first commit of the term. */
  waiting: WaitingRead[]
  /** On the leader: waiting for a quorum's answer to their round; ascending by round. */
  started: StartedRead[]
  /** Our own reads that the leader was asked about, by our count. */
  forwarded: Map<number, { readonly key: string; ticks: number }>
  nextId: number
  /** Confirmed; waiting for the state machine to reach `index`. */
  confirmed: { readonly key: string; readonly index: number }[]
}

/** `firstId` is drawn at random, so that an answer to a read of an earlier life meets no read of this one. */
export const emptyReads = (firstId: number): Reads => ({
  round: 0,
  waiting: [],
  started: [],
  forwarded: new Map(),
  nextId: firstId,
  confirmed: [],
})

export const countReads = ({ waiting, started, forwarded, confirmed }: Reads): number =>
  waiting.length + started.length + forwarded.size + confirmed.length

/** What a node knows of leases; see lease.ts. */
export type Lease = {
  /** The embedder's time, as it last told it. */
  now: number | null
  /** Leader: rounds of heartbeats that wait for a quorum, oldest first, and when each began: never after it was sent. */
  rounds: { readonly round: number; readonly at: number }[]
  /** Leader: the newest round that each peer has answered with its word. */
  readonly answered: Map<NodeId, number>
  /** Leader: when the newest round began that a quorum has answered; null: none since the configuration changed. */
  since: number | null
  /** Leader: another was told to campaign, now or whenever that message arrives: in this term no word binds any more. */
  isGivenUp: boolean
  /** Follower: whom it has given its word (null: it was restarted and cannot know), and for how many ticks yet. */
  holder: NodeId | null
  wordTicks: number
}

/** A node that starts may have given its word a moment ago. */
export const emptyLease = (options: Options): Lease => ({
  now: null,
  rounds: [],
  answered: new Map(),
  since: null,
  isGivenUp: false,
  holder: null,
  wordTicks: wordTicks(options),
})
