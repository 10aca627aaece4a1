// What a leader does: open its term, accept proposals, count what is durable where, commit, and know when to go.
import assert from 'node:assert'
import type { Core } from './core.ts'
import type { StepDownReason } from './facts.ts'
import { entryBytes } from './log.ts'
import { isJoint, isVoter, leaveJoint } from './membership.ts'
import type { Envelope, HeartbeatResult, Message } from './message.ts'
import { isQuorum, quorumIndex } from './quorum.ts'
import { onWord, resetLease, startLeaseRound } from './reads/lease.ts'
import { confirmReads, startRound } from './reads/read-index.ts'
import { feedVoters, onReport, relayWhenDue, tickRelayed } from './relay/assign.ts'
import { onAppended, onAppendRejected, onPeerAlive, replicateToAll } from './replication.ts'
import { becomeFollower, becomeLeader, syncPeers } from './roles.ts'
import type { Configuration, Entry } from './saved.ts'
import { onSnapshotProgress, tickSnapshot } from './snapshot-send.ts'
import { bestSuccessor, completeTransfer, recheckTransfer, tickTransfer } from './transfer.ts'

/** Take office: an empty entry of the new term carries all older ones over the commit line (paper §5.4.2, §8). */
export const startTerm = (core: Core): void => {
  becomeLeader(core)
  resetLease(core, true)
  appendAsLeader(core, { type: 'noop', index: core.log.lastIndex + 1, term: core.term })
  replicateToAll(core)
}

/** Put an entry on the leader's log; the caller replicates. */
export const appendAsLeader = (core: Core, entry: Entry): void => {
  assert(core.role === 'leader', 'only a leader adds to the log')
  core.log.append([entry])
  core.uncommittedBytes += entryBytes(entry)
}

/** Append a configuration, which is in force at once. */
export const appendConfiguration = (core: Core, configuration: Configuration): number => {
  const index = core.log.lastIndex + 1
  appendAsLeader(core, { type: 'configuration', index, term: core.term, configuration })
  core.fact({ type: 'configurationChanged', index, configuration })
  syncPeers(core)
  feedVoters(core)
  resetLease(core, false)
  recheckTransfer(core)
  replicateToAll(core)
  return index
}

export const tickLeader = (core: Core): void => {
  for (const progress of core.peers.values()) progress.tick()
  if (!hearsQuorum(core)) return stepDown(core, 'noQuorum')
  tickTransfer(core)
  leaveJointWhenDue(core)
  tickRelayed(core)
  for (const [peer, progress] of core.fed) tickSnapshot(core, peer, progress)
  core.heartbeatElapsed += 1
  if (core.heartbeatElapsed < core.options.heartbeatTicks) return
  // Also without a read each heartbeat has its own number, so that relays can tell a new one from an old one.
  if (!startRound(core, true)) core.reads.round += 1
  startLeaseRound(core)
  sendHeartbeats(core)
}

/** Reads wait: prove leadership now rather than at the next heartbeat. */
export const pumpReads = (core: Core): void => {
  if (core.role !== 'leader' || !startRound(core, false)) return
  sendHeartbeats(core)
  confirmReads(core)
}

/** A message of the present term for a leader. */
export const receiveAsLeader = (core: Core, envelope: Envelope): void => {
  const { from, message } = envelope
  const progress = core.peers.get(from)
  if (!progress) return core.drop(envelope, 'the sender is not a member')
  if (isImpossible(core, message)) return core.drop(envelope, 'it answers what was never sent')
  progress.ticksSinceHeard = 0
  progress.wasHeard = true
  switch (message.type) {
    case 'appended':
      if (onAppended(core, from, message)) maybeCommit(core)
      if (from === core.transferTarget) completeTransfer(core)
      return relayWhenDue(core, from, progress)
    case 'appendRejected':
      return onAppendRejected(core, from, message)
    case 'heartbeatResult':
      onHeartbeatResult(core, envelope, message)
      return relayWhenDue(core, from, progress)
    case 'snapshotProgress':
      return onSnapshotProgress(core, from, message)
    case 'report':
      return onReport(core, from, message)
    case 'preVoteResult':
    case 'voteResult':
      return
    default:
      return core.drop(envelope, 'a leader of this term has no use for it')
  }
}

/** Commit what a quorum holds durably, of the own term only: counting older entries is unsafe (paper figure 8). */
export const maybeCommit = (core: Core): void => {
  const index = quorumIndex(core.configuration, voter =>
    voter === core.id ? core.writes.persistedIndex : (core.peers.get(voter)?.match ?? 0),
  )
  if (index <= core.commitIndex || core.log.termAt(index) !== core.term) return
  core.uncommittedBytes -= core.log.bytesBetween(core.commitIndex, index)
  core.commitTo(index)
  replicateToAll(core)
  afterCommit(core)
}

/** Leave office; the cluster will find another leader. */
export const stepDown = (core: Core, reason: StepDownReason): void => {
  assert(core.role === 'leader', 'only a leader steps down')
  core.fact({ type: 'steppedDown', term: core.term, reason })
  becomeFollower(core, core.term, null)
}

/** A committed configuration has consequences: the joint phase ends, a leader that is no voter hands over. */
const afterCommit = (core: Core): void => {
  pumpReads(core)
  if (!core.isConfigurationCommitted) return
  const { configuration } = core
  if (isJoint(configuration)) return leaveJointWhenDue(core)
  if (isVoter(configuration, core.id)) return
  const successor = bestSuccessor(core)
  if (successor !== null) core.send(successor, { type: 'timeoutNow', term: core.term })
  stepDown(core, 'removed')
}

/**
 * Not while handing over: the heir would lack the entry, and lose its election. It ends the joint phase itself. And not
 * before something of the own term is committed, as with every change: a new leader may know of the joint configuration
 * that it was committed before.
 */
const leaveJointWhenDue = (core: Core): void => {
  const { configuration } = core
  if (!isJoint(configuration) || !configuration.autoLeave) return
  if (!core.hasCommittedInTerm || !core.isConfigurationCommitted || core.transferTarget !== null) return
  appendConfiguration(core, leaveJoint(configuration))
  maybeCommit(core)
}

const onHeartbeatResult = (core: Core, { from }: Envelope, message: HeartbeatResult): void => {
  const progress = core.peers.get(from)!
  progress.roundAcked = Math.max(progress.roundAcked, message.round)
  onWord(core, from, message)
  if (message.isReluctant === true) core.reluctantPeers.add(from)
  else core.reluctantPeers.delete(from)
  confirmReads(core)
  pumpReads(core)
  onPeerAlive(core, from, progress)
}

/** A follower commits no more than it surely has, and hears how much it lacks. */
const sendHeartbeats = (core: Core): void => {
  core.heartbeatElapsed = 0
  const { term, commitIndex } = core
  const { round } = core.reads
  for (const [peer, { match }] of core.fed)
    core.send(
      peer,
      match < commitIndex
        ? { type: 'heartbeat', term, commit: match, commitBeyond: commitIndex, round }
        : { type: 'heartbeat', term, commit: commitIndex, round },
    )
}

const hearsQuorum = (core: Core): boolean =>
  isQuorum(core.configuration, voter => {
    const progress = core.peers.get(voter)
    return progress === undefined || progress.ticksSinceHeard < core.options.electionTicksMax
  })

/** Whether an answer speaks of entries or rounds that were never sent. */
const isImpossible = (core: Core, message: Message): boolean =>
  ((message.type === 'appended' || message.type === 'report') && message.match > core.log.lastIndex) ||
  (message.type === 'heartbeatResult' && message.round > core.reads.round)
