// The door for messages: shape, address, term (paper §5.1), then the role decides.
import { onPreVoteResult, onVoteResult, startElection } from './candidate.ts'
import type { Core } from './core.ts'
import { followLeader, onAppend, onHeartbeat } from './follower.ts'
import { pumpReads, receiveAsLeader } from './leader.ts'
import { isMember, isVoter } from './membership.ts'
import type { Append, AssignUpstreams, Envelope, Heartbeat, InstallSnapshot, Message } from './message.ts'
import { isBound } from './reads/lease.ts'
import { onReadIndex, onReadIndexResult } from './reads/read-index.ts'
import { leaveUpstreams, onAssignUpstreams, onPulled, upstreamFailed } from './relay/pull.ts'
import { onPull } from './relay/serve.ts'
import { becomeFollower } from './roles.ts'
import { onInstallSnapshot } from './snapshot-receive.ts'
import { onPreVote, onVote } from './voting.ts'
import { isMessage } from './well-formed.ts'

type FromLeader = Append | Heartbeat | InstallSnapshot | AssignUpstreams

/** Deal with one message. What makes no sense is dropped with a fact. */
export const receive = (core: Core, envelope: Envelope): void => {
  const { from, to, message } = envelope
  if (!isMessage(message)) {
    core.fact({ type: 'messageDropped', from, message: 'malformed', reason: 'it has no known shape' })
    return
  }
  if (to !== core.id || from === core.id) return core.drop(envelope, 'it is not addressed to this node')
  if (message.term < core.term) return answerOldTerm(core, from, message)
  if (message.term > core.term && !enterTerm(core, envelope)) return
  dispatch(core, envelope)
}

/**
 * Leads, or campaigns with a leader's blessing, and has no vote, though a leader that has one lives. As long as it does, the
 * configuration that we have of it is hardly an old one; should it be, this node hears the new leader once it has missed
 * the former one for a while. (Other campaigns come to nothing while a leader lives, whoever's they are.)
 */
const isUsurper = (core: Core, { from, message }: Envelope): boolean =>
  (LEADERS_ONLY.has(message.type) || (message.type === 'vote' && message.isTransfer)) &&
  core.hasLivingLeader &&
  core.leader !== null &&
  isVoter(core.configuration, core.leader) &&
  !isVoter(core.configuration, from)

const LEADERS_ONLY: ReadonlySet<Message['type']> = new Set<Message['type']>([
  'append',
  'heartbeat',
  'installSnapshot',
  'assignUpstreams',
  'timeoutNow',
])

/** A message of a newer term usually ends ours. Returns whether the message is to be looked at. */
const enterTerm = (core: Core, envelope: Envelope): boolean => {
  const { from, message } = envelope
  if (isUsurper(core, envelope)) {
    core.drop(envelope, 'the sender is no voter')
    return false
  }
  switch (message.type) {
    case 'preVote':
      return true
    case 'preVoteResult':
      // A grant echoes the term we asked for; only a refusal tells the peer's own.
      if (message.granted) return true
      break
    case 'vote':
      if ((core.hasLivingLeader || isBound(core, from)) && !message.isTransfer) {
        core.fact({ type: 'voteRefused', term: message.term, to: from, reason: 'leaderAlive' })
        return false
      }
      break
    case 'append':
    case 'heartbeat':
    case 'installSnapshot':
    case 'assignUpstreams':
    case 'timeoutNow':
      becomeNewerFollower(core, message.term, message.type === 'timeoutNow' ? null : from)
      return true
    default:
      break
  }
  if (message.type !== 'vote' && !isMember(core.configuration, from)) {
    core.drop(envelope, 'a newer term counts only from members')
    return false
  }
  becomeNewerFollower(core, message.term, null)
  return true
}

const becomeNewerFollower = (core: Core, term: number, leader: string | null): void => {
  if (core.role === 'leader') core.fact({ type: 'steppedDown', term: core.term, reason: 'newerTerm' })
  becomeFollower(core, term, leader)
}

/** Whoever leads or campaigns in a term that is over must hear of it, or it would never stop. */
const answerOldTerm = (core: Core, to: string, message: Message): void => {
  const { term } = core
  switch (message.type) {
    case 'append':
    case 'heartbeat':
    case 'installSnapshot':
    case 'assignUpstreams':
      return core.send(to, { type: 'newerTerm', term })
    case 'preVote':
      return core.send(to, { type: 'preVoteResult', term, granted: false })
    case 'vote':
      return core.send(to, { type: 'voteResult', term, granted: false })
    case 'pull':
      return onPull(core, to, message)
    default:
      return
  }
}

const dispatch = (core: Core, envelope: Envelope): void => {
  const { from, message } = envelope
  switch (message.type) {
    case 'preVote':
      return onPreVote(core, from, message)
    case 'vote':
      return onVote(core, from, message)
    case 'preVoteResult':
      return onPreVoteResult(core, envelope, message)
    case 'voteResult':
      return onVoteResult(core, envelope, message)
    case 'append':
    case 'heartbeat':
    case 'installSnapshot':
    case 'assignUpstreams':
      return onLeaderMessage(core, envelope, message)
    case 'appended':
    case 'appendRejected':
    case 'heartbeatResult':
    case 'snapshotProgress':
    case 'report':
      if (core.role === 'leader') receiveAsLeader(core, envelope)
      return
    case 'timeoutNow':
      return onTimeoutNow(core, envelope)
    case 'readIndex':
      if (!isMember(core.configuration, from)) return core.drop(envelope, 'the sender is not a member')
      onReadIndex(core, from, message.id)
      return pumpReads(core)
    case 'readIndexResult':
      return onReadIndexResult(core, message.id, message.index)
    case 'pull':
      return onPull(core, from, message)
    case 'pulled':
      return onPulled(core, envelope, message)
    case 'pullRefused':
      return upstreamFailed(core, from)
    case 'newerTerm':
      return
  }
}

const onLeaderMessage = (core: Core, envelope: Envelope, message: FromLeader): void => {
  const { from } = envelope
  if (core.role === 'leader' || (core.leader !== null && core.leader !== from))
    return core.drop(envelope, 'this term has another leader')
  followLeader(core, from)
  // A new leader begins with feeding everybody itself.
  if (core.feed !== null && core.feed.term < core.term) leaveUpstreams(core)
  switch (message.type) {
    case 'append':
      return onAppend(core, envelope, message)
    case 'heartbeat':
      return onHeartbeat(core, from, message)
    case 'installSnapshot':
      return onInstallSnapshot(core, from, message)
    case 'assignUpstreams':
      return onAssignUpstreams(core, envelope, message)
  }
}

/** Leadership is handed to us. */
const onTimeoutNow = (core: Core, envelope: Envelope): void => {
  if (core.role === 'leader' || (core.leader !== null && core.leader !== envelope.from))
    return core.drop(envelope, 'only the leader hands over')
  if (!core.configuration.voters.includes(core.id)) return core.drop(envelope, 'this node is no voter')
  startElection(core, true)
}
