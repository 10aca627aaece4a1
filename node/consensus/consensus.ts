/** What the rest of a node sees of agreement: one way in (submit), one way out (state and subscriptions). */
import type { Epoch } from '../../raft/index.ts'
import type { Author, ClusterEvent, Command, Outcome, State } from '../../scheduler/index.ts'

export type PeerId = string

export type SubmitOptions = {
  /** The same on each retry of one logical write: it is applied once. A fresh random id when absent. */
  readonly requestId?: string
  /** Who asks for it, for the audit trail; absent: this node itself. */
  readonly by?: Author
  readonly timeoutMs: number
}

export type Change = {
  readonly state: State
  /** Events of the entries applied since the last call, in order; empty after a snapshot was installed. */
  readonly events: readonly ClusterEvent[]
}

/** The leader's view of one follower. */
export type Follower = {
  readonly id: PeerId
  readonly role: 'voter' | 'learner'
  readonly match: number
  readonly next: number
  /** `relay`: it gets the log through other nodes. */
  readonly progress: 'probe' | 'replicate' | 'snapshot' | 'relay'
  /** Milliseconds since it was last heard of; null: never. */
  readonly lastContactMs: number | null
  /** It would rather not lead: drained, or its disk or process stood still of late. */
  readonly isReluctant: boolean
  /** It is heard of this often when all is well: seldom when it gets the log through other nodes. */
  readonly contactEveryMs: number
}

/** `usualMs` is the median of the last writes, `worstMs` of the last minute. Both grow with the age of one under way. */
export type WriteTimes = { readonly lastMs: number; readonly usualMs: number; readonly worstMs: number }

/** `disk`: a write took, or takes, too long. `loop`: the process stood still for too long. Both stay for a while. */
export type Unfit = 'drained' | 'disk' | 'loop'

export type ConsensusStatus = {
  readonly id: PeerId
  readonly role: 'leader' | 'follower' | 'candidate' | 'learner' | 'none'
  readonly leader: PeerId | null
  readonly term: number
  /** Which founding of the cluster this node's log belongs to: each recovery is another one. */
  readonly epoch: Epoch
  readonly lastIndex: number
  readonly lastTerm: number
  readonly commitIndex: number
  readonly appliedIndex: number
  readonly snapshotIndex: number
  readonly voters: readonly PeerId[]
  readonly learners: readonly PeerId[]
  /** True while a joint change is under way. */
  readonly isJoint: boolean
  /** As leader: a quorum answered within an election timeout. As follower: the leader was heard within one. */
  readonly hasQuorum: boolean
  /**
   * How old the state seems to be: 0 on a leader that a quorum answers, else milliseconds since the leader was last heard
   * and all that it had committed was applied here; null: never. What comes late on the wire does not show in it.
   */
  readonly ageMs: number | null
  /** On the leader only, else empty. Made when it is first looked at: there may be hundreds. */
  readonly followers: readonly Follower[]
  /** What durable writes take, milliseconds; null: nothing was written yet. */
  readonly writes: WriteTimes | null
  /** Why this node would rather not lead; null: it is as good as any. */
  readonly unfit: Unfit | null
  /** Set when the disk failed: the node votes and writes no more. */
  readonly fatal: string | null
}

export type Recovered = {
  /** The last entry that was taken over. */
  readonly index: number
  readonly term: number
  /** Where what was on the disk before was kept; null: nowhere. */
  readonly keptIn: string | null
}

export type Consensus = {
  /**
   * Any node: forwarded to the leader, waited for until applied here or refused. Throws Failure: E_NO_LEADER (nobody
   * to send it to until the deadline), E_NO_QUORUM or E_TIMEOUT (sent, fate unknown: retry with the same requestId), E_BUSY.
   */
  submit(command: Command, options: SubmitOptions): Promise<Outcome>
  /** A linearizable read point: resolves with an index that covers all writes acknowledged before the call, once applied here. */
  barrier(options: { readonly timeoutMs: number }): Promise<number>
  /** The node's own replica. Rows are immutable, tables move on. */
  state(): State
  /** Called after each batch of applied entries; the returned function ends it. */
  subscribe(listener: (change: Change) => void): () => void
  /** Recent events from this index on, oldest first; `truncated` when older ones were already forgotten. */
  eventsFrom(index: number): { readonly events: readonly ClusterEvent[]; readonly truncated: boolean }
  status(): ConsensusStatus
  /** Leader only, one at a time: makes these the voters and learners (joint when needed). Throws E_CONFLICT while another is under way, E_NO_LEADER elsewhere. */
  changeConfiguration(target: {
    readonly voters: readonly PeerId[]
    readonly learners: readonly PeerId[]
  }): Promise<void>
  /**
   * Founds the cluster anew from what this node holds, as its only voter, in a new epoch: for the case that the other
   * voters are gone for ever. Those that come back give up what they hold. Throws E_CONFLICT while a leader is known here.
   */
  recover(): Promise<Recovered>
  /** Hands leadership to `to`, or to the most up-to-date voter. Resolves when this node leads no more; E_TIMEOUT otherwise. */
  transferLeadership(options: { readonly to?: PeerId; readonly timeoutMs: number }): Promise<void>
}
