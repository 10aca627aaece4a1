// Becoming leader: ask without obligation (pre-vote), then ask in earnest (vote), count, win or lose.
import type { Core } from './core.ts'
import type { CampaignReason } from './facts.ts'
import { startTerm } from './leader.ts'
import { votersOf } from './membership.ts'
import type { Envelope, PreVoteResult, VoteResult } from './message.ts'
import { quorumVote } from './quorum.ts'
import { isBound } from './reads/lease.ts'
import { becomeCandidate, becomeFollower, becomePreCandidate } from './roles.ts'

/** Nobody leads, as far as we can see: find out whether we would be elected. */
export const startPreVote = (core: Core, reason: CampaignReason): void => {
  becomePreCandidate(core, reason)
  core.votes.set(core.id, true)
  askPreVotes(core)
  countPreVotes(core)
}

/** Campaign for real in a new term. `isTransfer`: on behalf of the leader, past its lease. */
export const startElection = (core: Core, isTransfer: boolean): void => {
  becomeCandidate(core, isTransfer)
  const { lastIndex, lastTerm } = core.log
  // Our term and vote for ourselves must outlive a crash before anybody can act on them: an answer to this very
  // request must never meet a later self that has forgotten it, and part of its log.
  for (const voter of votersOf(core.configuration))
    if (voter !== core.id)
      core.promise(voter, { type: 'vote', term: core.term, lastIndex, lastTerm, isTransfer })
}

/** Time passes for a (pre-)candidate: ask again soon for pre-votes, give up a vote after an election timeout. */
export const tickCandidate = (core: Core): void => {
  core.electionTicks += 1
  if (core.electionTicks < core.electionTimeout) return
  if (!core.mayCampaign) return becomeFollower(core, core.term, null)
  if (core.role === 'candidate') return startPreVote(core, 'timeout')
  core.preVoteRepeats += 1
  core.shortenElectionTimer()
  askPreVotes(core)
  countPreVotes(core)
}

export const onPreVoteResult = (core: Core, envelope: Envelope, message: PreVoteResult): void => {
  // A grant echoes the term that was asked for; anything else answers an older question.
  if (core.role !== 'preCandidate' || (message.granted && message.term !== core.term + 1)) return
  core.votes.set(envelope.from, message.granted)
  countPreVotes(core)
}

export const onVoteResult = (core: Core, envelope: Envelope, message: VoteResult): void => {
  if (core.role !== 'candidate') return
  core.votes.set(envelope.from, message.granted)
  countVotes(core)
}

/** Our own vote counts from the moment it is on our disk. */
export const countOwnVote = (core: Core, persistedSequence: number): void => {
  if (core.role !== 'candidate' || persistedSequence < core.ownVoteSequence) return
  core.votes.set(core.id, true)
  countVotes(core)
}

/** A refused pre-vote costs nothing: the question is asked again after a heartbeat or two. So is one while our word binds us. */
const countPreVotes = (core: Core): void => {
  if (isBound(core, core.id)) return
  if (quorumVote(core.configuration, voter => core.votes.get(voter)) === 'won') startElection(core, false)
}

/** A lost vote frees us to try again soon, at a time drawn anew, instead of sitting out the timeout. */
const countVotes = (core: Core): void => {
  const outcome = quorumVote(core.configuration, voter => core.votes.get(voter))
  if (outcome === 'won') return startTerm(core)
  if (outcome === 'pending') return
  becomeFollower(core, core.term, null)
  core.shortenElectionTimer()
}

const askPreVotes = (core: Core): void => {
  const { lastIndex, lastTerm } = core.log
  for (const voter of votersOf(core.configuration))
    if (voter !== core.id) core.send(voter, { type: 'preVote', term: core.term + 1, lastIndex, lastTerm })
}
