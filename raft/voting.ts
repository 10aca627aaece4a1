// When a vote or a pre-vote is granted: the rules that every role shares.
import type { Core } from './core.ts'
import type { VoteRefusalReason } from './facts.ts'
import type { PreVote, Vote } from './message.ts'
import { isBound } from './reads/lease.ts'
import { becomeFollower } from './roles.ts'
import type { NodeId } from './saved.ts'

/** A request in the present term. Also learners vote when asked: the asker may know a newer configuration. */
export const onVote = (core: Core, from: NodeId, message: Vote): void => {
  const refusal = refusalOfVote(core, from, message)
  if (refusal) {
    core.fact({ type: 'voteRefused', term: core.term, to: from, reason: refusal })
    return core.send(from, { type: 'voteResult', term: core.term, granted: false })
  }
  grantVote(core, from)
}

/** Advice for a term that may never come: binds nobody, changes nothing here. */
export const onPreVote = (core: Core, from: NodeId, message: PreVote): void => {
  const refusal = refusalOfPreVote(core, from, message)
  if (refusal) {
    core.fact({ type: 'preVoteRefused', term: message.term, to: from, reason: refusal })
    return core.send(from, { type: 'preVoteResult', term: core.term, granted: false })
  }
  if (core.role === 'preCandidate' && core.preVoteRepeats === 0) yieldCampaign(core)
  core.fact({ type: 'preVoteGranted', term: message.term, to: from })
  core.send(from, { type: 'preVoteResult', term: message.term, granted: true })
}

const refusalOfVote = (core: Core, from: NodeId, message: Vote): VoteRefusalReason | null => {
  if (core.vote !== null && core.vote !== from) return 'votedForOther'
  if (core.leader !== null && core.leader !== from) return 'leaderAlive'
  if (isBound(core, from) && !message.isTransfer) return 'leaderAlive'
  return core.log.isUpToDate(message.lastIndex, message.lastTerm) ? null : 'logBehind'
}

const refusalOfPreVote = (core: Core, from: NodeId, message: PreVote): VoteRefusalReason | null => {
  if (message.term <= core.term) return 'oldTerm'
  if (core.hasLivingLeader || isBound(core, from)) return 'leaderAlive'
  if (!core.log.isUpToDate(message.lastIndex, message.lastTerm)) return 'logBehind'
  return isOurTurn(core, from, message) ? 'campaigning' : null
}

/** The vote is a promise: it leaves after the disk has it. */
const grantVote = (core: Core, to: NodeId): void => {
  if (core.role === 'preCandidate') becomeFollower(core, core.term, null)
  core.vote = to
  core.restartElectionTimer()
  core.fact({ type: 'voteGranted', term: core.term, to })
  core.promise(to, { type: 'voteResult', term: core.term, granted: true })
}

/**
 * When several nodes see the leader die at the same moment, they would split the vote. So while our own pre-vote
 * is fresh, an equal log goes before us only with a greater name. A pre-vote that had to be repeated claims no
 * precedence: we may be cut off from those who would elect the other. Nor does one that the asker has refused: it saw the
 * leader die after us, and ours has failed already.
 */
const isOurTurn = (core: Core, from: NodeId, message: PreVote): boolean => {
  if (core.role !== 'preCandidate' || core.preVoteRepeats > 0 || core.votes.get(from) === false) return false
  const isEqualLog = message.lastIndex === core.log.lastIndex && message.lastTerm === core.log.lastTerm
  return isEqualLog && from < core.id
}

/** Let the other one try first, and be back soon if nothing comes of it. */
const yieldCampaign = (core: Core): void => {
  becomeFollower(core, core.term, null)
  core.shortenElectionTimer()
}
