// A picture of one node for status pages and tests, readable at any time and without a quorum.
import type { Core } from './core.ts'
import type { Role } from './facts.ts'
import { isVoter } from './membership.ts'
import type { Progress, ProgressState } from './progress.ts'
import { quorumIndex } from './quorum.ts'
import type { Configuration, NodeId, SnapshotMetadata } from './saved.ts'

/** The leader's view of one peer. `0 <= match < next`. Ages are in ticks. */
export type PeerStatus = {
  readonly id: NodeId
  readonly state: ProgressState
  /** The peer's disk holds our log up to here. */
  readonly match: number
  /** The next entry to send. */
  readonly next: number
  readonly isVoter: boolean
  /** It would rather not lead. */
  readonly isReluctant: boolean
  /** Since it was last heard, or since this leader began to count on it. */
  readonly ticksSinceHeard: number
  readonly wasHeard: boolean
  /** It is heard of this often when all is well; seldom when it gets the log through relays. */
  readonly contactTicks: number
  readonly inflightMessages: number
  /** Bytes of the snapshot the peer has confirmed, or null when none is under way. */
  readonly snapshotOffset: number | null
}

export type Status = {
  readonly id: NodeId
  readonly role: Role
  readonly term: number
  readonly vote: NodeId | null
  readonly leader: NodeId | null
  /** Since the leader was last heard; 0 on the leader itself. */
  readonly ticksSinceLeader: number
  readonly commitIndex: number
  /** As far as was heard the log is committed up to here; a node that is behind has less. */
  readonly commitHeard: number
  /** Since a leader said so that could know all that was committed by then; infinite while none ever did. */
  readonly ticksSinceCommitHeard: number
  /** As acknowledged by `applied`. */
  readonly appliedIndex: number
  /** Our own disk holds the log up to here. */
  readonly persistedIndex: number
  readonly firstIndex: number
  readonly lastIndex: number
  readonly lastTerm: number
  readonly snapshot: SnapshotMetadata | null
  /** The configuration in force, committed or not, and the index of its entry (or of the snapshot that held it). */
  readonly configuration: Configuration
  readonly configurationIndex: number
  readonly isConfigurationCommitted: boolean
  readonly uncommittedBytes: number
  readonly transferTarget: NodeId | null
  /** On the leader: since a quorum was last heard of; 0 elsewhere. */
  readonly ticksSinceQuorum: number
  /** On the leader, one per member but itself; empty elsewhere. Made when it is first looked at: there may be hundreds. */
  readonly peers: readonly PeerStatus[]
}

export const statusOf = (core: Core): Status => {
  let peers: readonly PeerStatus[] | null = null
  return {
    id: core.id,
    role: core.role,
    term: core.term,
    vote: core.vote,
    leader: core.leader,
    ticksSinceLeader: core.role === 'leader' ? 0 : core.ticksSinceLeader,
    commitIndex: core.commitIndex,
    commitHeard: Math.max(core.commitHeard, core.commitIndex),
    ticksSinceCommitHeard: core.ticksSinceCommitHeard,
    appliedIndex: core.appliedIndex,
    persistedIndex: core.writes.persistedIndex,
    firstIndex: core.log.firstIndex,
    lastIndex: core.log.lastIndex,
    lastTerm: core.log.lastTerm,
    snapshot: core.log.snapshot,
    configuration: core.configuration,
    configurationIndex: core.log.configuration.index,
    isConfigurationCommitted: core.isConfigurationCommitted,
    uncommittedBytes: core.role === 'leader' ? core.uncommittedBytes : 0,
    transferTarget: core.transferTarget,
    ticksSinceQuorum: core.role === 'leader' ? ticksSinceQuorum(core) : 0,
    get peers() {
      peers ??= [...core.peers].map(([id, progress]) => peerStatusOf(core, id, progress))
      return peers
    },
  }
}

const peerStatusOf = (core: Core, id: NodeId, progress: Progress): PeerStatus => ({
  id,
  state: progress.state,
  match: progress.match,
  next: progress.next,
  isVoter: isVoter(core.configuration, id),
  isReluctant: core.reluctantPeers.has(id),
  ticksSinceHeard: progress.ticksSinceHeard,
  wasHeard: progress.wasHeard,
  contactTicks: progress.state === 'relay' ? progress.reportTicks : core.options.heartbeatTicks,
  inflightMessages: progress.inflightMessages,
  snapshotOffset: progress.transfer?.offset ?? null,
})

/** The age that the youngest half and one more of the voters do not exceed; during a joint change, of both halves. */
const ticksSinceQuorum = ({ id, configuration, peers }: Core): number => {
  const youth = quorumIndex(configuration, voter =>
    voter === id ? 0 : -(peers.get(voter)?.ticksSinceHeard ?? Number.POSITIVE_INFINITY),
  )
  return 0 - youth
}
