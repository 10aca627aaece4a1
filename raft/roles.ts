// The four changes of role. Nothing else sets `role`, and nothing here sends a message.
import assert from 'node:assert'
import type { Core } from './core.ts'
import type { CampaignReason } from './facts.ts'
import { membersOf } from './membership.ts'
import { Progress } from './progress.ts'
import { abandonReads } from './reads/read-index.ts'
import type { NodeId } from './saved.ts'

/** Follow `leader` (null: whoever turns up) in `term`, which is never older than the present one. */
export const becomeFollower = (core: Core, term: number, leader: NodeId | null): void => {
  assert(term >= core.term, 'terms never fall')
  const isNews = core.role !== 'follower' || core.term !== term
  if (core.role === 'leader') leaveLeadership(core)
  if (core.leader !== leader || core.term !== term) abandonReads(core, 'leaderChanged')
  if (term > core.term) {
    core.term = term
    core.vote = null
    core.roundHeard = 0
  }
  core.role = 'follower'
  core.votes.clear()
  core.receiving = core.receiving?.term === term ? core.receiving : null
  core.restartElectionTimer()
  core.ticksSinceLeader = 0
  if (isNews) core.fact({ type: 'becameFollower', term, leader })
  core.setLeader(leader)
}

/** Ask around before disturbing anybody: the term stays (thesis §9.6). */
export const becomePreCandidate = (core: Core, reason: CampaignReason): void => {
  assert(core.role !== 'leader', 'a leader does not campaign')
  core.role = 'preCandidate'
  core.votes.clear()
  core.preVoteRepeats = 0
  core.shortenElectionTimer()
  core.fact({ type: 'becamePreCandidate', term: core.term, reason })
  abandonReads(core, 'leaderChanged')
  core.setLeader(null)
}

/** Open a new term and vote for ourselves; that vote counts once it is durable. */
export const becomeCandidate = (core: Core, isTransfer: boolean): void => {
  assert(core.role !== 'leader', 'a leader does not campaign')
  core.term += 1
  core.vote = core.id
  core.roundHeard = 0
  core.role = 'candidate'
  core.votes.clear()
  core.isTransferCampaign = isTransfer
  core.ownVoteSequence = core.writes.nextSequence
  core.receiving = null
  core.restartElectionTimer()
  core.fact({ type: 'becameCandidate', term: core.term, isTransfer })
  abandonReads(core, 'leaderChanged')
  core.setLeader(null)
}

export const becomeLeader = (core: Core): void => {
  assert(core.role === 'candidate', 'only a candidate is elected')
  assert(core.vote === core.id, 'a leader voted for itself')
  core.role = 'leader'
  core.votes.clear()
  core.heartbeatElapsed = 0
  core.uncommittedBytes = core.log.bytesBetween(core.commitIndex, core.log.lastIndex)
  core.transferTarget = null
  core.feed = null
  core.children.clear()
  core.peers.clear()
  core.fed.clear()
  core.reluctantPeers.clear()
  syncPeers(core)
  core.fact({ type: 'becameLeader', term: core.term })
  core.setLeader(core.id)
}

/** Follow the configuration: a progress for each new member, none for those who left. */
export const syncPeers = (core: Core): void => {
  const members = membersOf(core.configuration).filter(member => member !== core.id)
  const present = new Set(members)
  for (const peer of [...core.peers.keys()]) {
    if (present.has(peer)) continue
    core.peers.delete(peer)
    core.fed.delete(peer)
  }
  for (const member of members) {
    if (core.peers.has(member)) continue
    const progress = new Progress(core.log.lastIndex + 1, core.options)
    core.peers.set(member, progress)
    core.fed.set(member, progress)
  }
}

const leaveLeadership = (core: Core): void => {
  if (core.transferTarget !== null) core.fact({ type: 'transferEnded', to: core.transferTarget })
  core.transferTarget = null
  core.peers.clear()
  core.fed.clear()
}
