// A learner that the leader does not feed itself pulls the committed log from its upstream, and reports to the leader.
import type { Core } from '../core.ts'
import { adopt, followLeader } from '../follower.ts'
import { isMember } from '../membership.ts'
import type { AssignUpstreams, Envelope, Pulled } from '../message.ts'
import type { NodeId } from '../saved.ts'
import { type Feed, hasNewsFor, startFeed } from './relay.ts'

/** An order of the leader. A voter follows none: nothing but the leader itself may keep it from campaigning. */
export const onAssignUpstreams = (core: Core, envelope: Envelope, message: AssignUpstreams): void => {
  if (message.upstreams.length === 0) return leaveUpstreams(core)
  if (message.upstreams.includes(core.id)) return core.drop(envelope, 'nobody pulls from himself')
  core.feed = null
  if (core.mayCampaign) return report(core)
  const feed = startFeed(message, core.standing)
  core.feed = feed
  core.fact({ type: 'upstreamChanged', upstream: upstreamOf(feed) })
  pull(core, feed)
  report(core)
  // A new leader orders hundreds in one moment: they must not report in one moment ever after.
  feed.ticksSinceReport = core.draw(0, Math.max(0, feed.reportTicks - 1))
}

/** The leader feeds us itself again, or we are no learner any more. */
export const leaveUpstreams = (core: Core): void => {
  if (core.feed === null) return
  core.feed = null
  core.fact({ type: 'upstreamChanged', upstream: null })
}

/**
 * Committed entries and news of the leader. Whoever sends such entries knows them to be committed, so they may take the
 * place of what contradicts them here, whatever the terms; and only a greater round of the leader is a sign of its life.
 */
export const onPulled = (core: Core, envelope: Envelope, message: Pulled): void => {
  const { feed } = core
  if (feed === null || core.mayCampaign || !feed.upstreams.includes(envelope.from))
    return core.drop(envelope, 'this node did not ask for it')
  const { leader } = message
  if (leader === core.id || (leader !== null && core.leader !== null && core.leader !== leader))
    return core.drop(envelope, 'this term has another leader')
  take(core, envelope, message)
  hearOfLeader(core, feed, message)
  if (core.mayCampaign) return leaveUpstreams(core)
  if (hasNewsFor(feed.asked, core.standing)) pull(core, feed)
}

/** It refused, or its process is gone: no need to wait until patience ends. */
export const upstreamFailed = (core: Core, upstream: NodeId): void => {
  if (core.feed !== null && upstreamOf(core.feed) === upstream) tryNext(core, core.feed)
}

export const tickPulling = (core: Core): void => {
  const { feed, options } = core
  if (feed === null) return
  if (core.mayCampaign || !isMember(core.configuration, core.id)) return leaveUpstreams(core)
  feed.ticksSincePull += 1
  feed.ticksSinceReport += 1
  feed.ticksSinceNews += 1
  if (feed.ticksSinceNews >= feed.patienceTicks) tryNext(core, feed)
  // A living upstream has news with every heartbeat of the leader: silence means that something was lost.
  if (feed.ticksSincePull >= 2 * options.heartbeatTicks) pull(core, feed)
  if (feed.ticksSinceReport >= (feed.isStarved ? options.heartbeatTicks : feed.reportTicks)) report(core)
}

const upstreamOf = ({ upstreams, position }: Feed): NodeId => upstreams[position]!

const hearOfLeader = (core: Core, feed: Feed, { leader, round, age, ...heard }: Pulled): void => {
  if (leader === null || round <= core.roundHeard) return
  const ageHere = core.leader === leader ? Math.min(age, core.ticksSinceLeader) : age
  followLeader(core, leader)
  core.hearOfCommit(heard.commit, heard.commitAge ?? Number.POSITIVE_INFINITY)
  core.roundHeard = round
  core.electionTicks = ageHere
  core.ticksSinceLeader = ageHere
  feed.ticksSinceNews = 0
  feed.isStarved = false
}

const take = (core: Core, envelope: Envelope, { prevIndex, prevTerm, entries }: Pulled): void => {
  if (prevIndex > core.commitIndex) return core.drop(envelope, 'it leaves a gap')
  if (prevIndex >= core.log.firstIndex - 1 && !core.log.has(prevIndex, prevTerm))
    return core.drop(envelope, 'it contradicts what is committed')
  if (!adopt(core, entries)) return core.drop(envelope, 'it contradicts what is committed')
  core.commitTo(prevIndex + entries.length)
}

const pull = (core: Core, feed: Feed): void => {
  feed.asked = core.standing
  feed.ticksSincePull = 0
  core.send(upstreamOf(feed), { type: 'pull', ...feed.asked })
}

/** The next one; round the circle no faster than time passes. */
const tryNext = (core: Core, feed: Feed): void => {
  feed.position = (feed.position + 1) % feed.upstreams.length
  feed.ticksSinceNews = 0
  core.fact({ type: 'upstreamChanged', upstream: upstreamOf(feed) })
  if (feed.position === 0) feed.isStarved = true
  else pull(core, feed)
  report(core)
}

/** The leader hears from us ourselves how far we are; what is reported is committed and on our disk already. */
const report = (core: Core): void => {
  const { feed } = core
  if (core.leader === null) return
  if (feed !== null) feed.ticksSinceReport = 0
  core.send(core.leader, {
    type: 'report',
    term: core.term,
    match: Math.min(core.commitIndex, core.writes.persistedIndex),
    upstream: feed === null || feed.isStarved ? null : upstreamOf(feed),
  })
}
