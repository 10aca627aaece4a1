/** The core's picture of itself in the words of `ConsensusStatus`: ticks become milliseconds, roles get their product names. Pure. */
import { epochOf, type PeerStatus, type Status } from '../../raft/index.ts'
import { departedOf, type NodeId, type State } from '../../scheduler/index.ts'
import type { ConsensusStatus, Follower, PeerId, Unfit, WriteTimes } from './consensus.ts'

export const roleOf = (status: Status): ConsensusStatus['role'] => {
  if (status.role === 'leader') return 'leader'
  if (status.role === 'candidate' || status.role === 'preCandidate') return 'candidate'
  const { voters, votersOutgoing, learners } = status.configuration
  if (voters.includes(status.id) || votersOutgoing.includes(status.id)) return 'follower'
  return learners.includes(status.id) ? 'learner' : 'none'
}

/** Ticks since the leader, or on the leader a quorum, was heard; null when that says nothing about the age of the state. */
export const contactTicks = (status: Status, isLeading: boolean): number | null => {
  if (status.leader === null) return null
  // A chunk of a snapshot shows that the leader lives, and not how much it has committed meanwhile.
  const ticks = status.role === 'leader' ? status.ticksSinceQuorum : status.ticksSinceCommitHeard
  // Until an entry of its own term is applied, a new leader may lack what others have committed.
  const isSure = status.role !== 'leader' || isLeading
  return isSure && Number.isFinite(ticks) ? ticks : null
}

const isMember = ({ configuration }: Status, id: PeerId): boolean => {
  const { voters, votersOutgoing, learners } = configuration
  return voters.includes(id) || votersOutgoing.includes(id) || learners.includes(id)
}

/**
 * The transport lets only admitted peers through. One that left may still be connected for a moment; strangers to our
 * replica must be heard, for it may lag behind the roster that admitted them.
 */
export const isDeparted = (id: PeerId, state: State, status: Status): boolean =>
  departedOf(state, id as NodeId) !== null && !isMember(status, id)

export const isOnlyVoter = ({ id, configuration }: Status): boolean => {
  const { voters, votersOutgoing } = configuration
  return votersOutgoing.length === 0 && voters.length === 1 && voters[0] === id
}

/** Whether somebody who is fit to lead could take over at once: whose disk, too, has come further than ours, or as far as can be. */
export const hasHeir = (status: Status, electionTicksMin: number): boolean =>
  status.peers.some(
    peer =>
      peer.isVoter &&
      !peer.isReluctant &&
      peer.ticksSinceHeard < electionTicksMin &&
      (peer.match > status.persistedIndex || peer.match === status.lastIndex),
  )

/** The leader, unless it was not heard of for an election timeout: a learner's core never gives up on one. */
export const livingLeader = (status: Status, electionTicksMax: number): PeerId | null =>
  status.ticksSinceLeader <= electionTicksMax ? status.leader : null

const followerOf = (peer: PeerStatus, tickMs: number): Follower => ({
  id: peer.id,
  role: peer.isVoter ? 'voter' : 'learner',
  match: peer.match,
  next: peer.next,
  progress: peer.state,
  lastContactMs: peer.wasHeard ? peer.ticksSinceHeard * tickMs : null,
  isReluctant: peer.isReluctant,
  contactEveryMs: peer.contactTicks * tickMs,
})

export const statusOf = (
  status: Status,
  facts: {
    readonly appliedIndex: number
    readonly tickMs: number
    readonly electionTicksMin: number
    readonly electionTicksMax: number
    /** Milliseconds since the leader (on the leader: a quorum) was last heard, all of which is applied; null: never. */
    readonly contactAgeMs: number | null
    readonly writes: WriteTimes | null
    readonly unfit: Unfit | null
  },
): ConsensusStatus => {
  const isLeader = status.role === 'leader'
  const leader = livingLeader(status, facts.electionTicksMax)
  const hasQuorum = isLeader ? status.ticksSinceQuorum < facts.electionTicksMax : leader !== null
  const { configuration } = status
  // Those who answered so lately help nobody else to be elected yet.
  const isUndisputed =
    isLeader && facts.contactAgeMs !== null && facts.contactAgeMs < facts.electionTicksMin * facts.tickMs
  let followers: readonly Follower[] | null = null
  return {
    id: status.id,
    role: roleOf(status),
    leader,
    term: status.term,
    epoch: epochOf(configuration),
    lastIndex: status.lastIndex,
    lastTerm: status.lastTerm,
    commitIndex: status.commitIndex,
    appliedIndex: facts.appliedIndex,
    snapshotIndex: status.snapshot?.index ?? 0,
    voters: configuration.voters,
    learners: configuration.learners,
    isJoint: configuration.votersOutgoing.length > 0,
    hasQuorum,
    ageMs: isUndisputed ? 0 : facts.contactAgeMs,
    get followers() {
      followers ??= status.peers.map(peer => followerOf(peer, facts.tickMs))
      return followers
    },
    writes: facts.writes,
    unfit: facts.unfit,
    fatal: null,
  }
}

/** Every reply of the API tells how fresh it is, and many are given between two steps of the core: they share a picture. */
export class Picture {
  #status: ConsensusStatus | null = null
  #atMs = 0

  /** Not older than a millisecond, and from after the last change. */
  at(nowMs: number, take: (nowMs: number) => ConsensusStatus): ConsensusStatus {
    if (this.#status !== null && nowMs - this.#atMs < 1) return this.#status
    this.#atMs = nowMs
    this.#status = take(nowMs)
    return this.#status
  }

  /** Something changes or has changed. */
  forget(): void {
    this.#status = null
  }
}

/** Of a node whose core is not running: still loading, or stopped by its disk. */
export const idleStatus = (
  id: PeerId,
  facts: { readonly appliedIndex: number; readonly fatal: string | null },
): ConsensusStatus => ({
  id,
  role: 'none',
  leader: null,
  term: 0,
  epoch: epochOf(undefined),
  lastIndex: facts.appliedIndex,
  lastTerm: 0,
  commitIndex: facts.appliedIndex,
  appliedIndex: facts.appliedIndex,
  snapshotIndex: 0,
  voters: [],
  learners: [],
  isJoint: false,
  hasQuorum: false,
  ageMs: null,
  followers: [],
  writes: null,
  unfit: null,
  fatal: facts.fatal,
})
