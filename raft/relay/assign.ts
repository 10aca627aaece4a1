// The leader decides who gets the log through whom. It feeds all voters and a few learners itself; these pass it on.
import type { Core } from '../core.ts'
import { isVoter, votersOf } from '../membership.ts'
import type { Report } from '../message.ts'
import type { Progress } from '../progress.ts'
import { endOrder, takeBack } from '../replication.ts'
import type { NodeId } from '../saved.ts'
import { placeInTree, type TreeNode } from './tree.ts'

/** The leader hears no more reports than this per heartbeat interval, however many learners there are. */
const REPORTS_PER_HEARTBEAT = 100

/** Called when a peer has answered: a learner that has caught up and is one too many is left to the relays. */
export const relayWhenDue = (core: Core, peer: NodeId, progress: Progress): void => {
  if (!hasLearnersToSpare(core) || !hasCaughtUp(core, peer, progress)) return
  const roots = rootsOf(core)
  if (roots.has(peer)) return
  const { relayFanOut, electionTicksMin } = core.options
  const place = placeInTree(treeOf(core, roots), peer, relayFanOut)
  if (place === null) return
  const [upstream] = place.upstreams
  progress.becomeRelay(upstream!, reportTicksOf(core))
  core.fed.delete(peer)
  core.fact({ type: 'peerStateChanged', peer, state: 'relay' })
  core.send(peer, {
    type: 'assignUpstreams',
    term: core.term,
    upstreams: place.upstreams,
    reportTicks: progress.reportTicks,
    // When a relay dies, those right below it turn elsewhere before those further down lose patience.
    patienceTicks: (place.depth - 1) * electionTicksMin,
  })
}

/** How far a learner is that gets the log through relays, and whether it does. */
export const onReport = (core: Core, from: NodeId, message: Report): void => {
  const progress = core.peers.get(from)!
  progress.advance(message.match)
  // It has not heard yet that we feed it ourselves.
  if (progress.state !== 'relay') return endOrder(core, from)
  if (message.upstream === null) return takeBack(core, from, progress)
  progress.upstream = message.upstream
}

/** Whoever does not report is looked after by the leader itself: the order, or its receiver, may be lost. */
export const tickRelayed = (core: Core): void => {
  if (core.fed.size === core.peers.size) return
  for (const [peer, progress] of core.peers)
    if (progress.state === 'relay' && isSilent(core, progress)) takeBack(core, peer, progress)
}

/** Voters hear the leader itself, from the moment at which they are voters. */
export const feedVoters = (core: Core): void => {
  for (const voter of votersOf(core.configuration)) {
    const progress = core.peers.get(voter)
    if (progress?.state === 'relay') takeBack(core, voter, progress)
  }
}

/** More are fed than the voters and the learners that remain. */
const hasLearnersToSpare = ({ fed, configuration, options }: Core): boolean =>
  fed.size >= configuration.voters.length + options.directLearnersMax

/** It is a learner, knows it, has been sent all that is committed, and was not taken back a moment ago. */
const hasCaughtUp = (core: Core, peer: NodeId, progress: Progress): boolean =>
  isFit(core, progress) &&
  progress.next > core.commitIndex &&
  core.isConfigurationCommitted &&
  progress.match >= core.log.configuration.index &&
  !isVoter(core.configuration, peer) &&
  progress.ticksSinceTakenBack >= core.options.electionTicksMin

/** Those who pass the log on first: the voters, and the learners that are fed longest. */
const rootsOf = (core: Core): ReadonlySet<NodeId> => {
  const fit = [...core.fed].filter(([, progress]) => isFit(core, progress)).map(([id]) => id)
  const voters = fit.filter(id => isVoter(core.configuration, id))
  const learners = fit.filter(id => !isVoter(core.configuration, id))
  return new Set([...voters, ...learners.slice(0, core.options.directLearnersMax)])
}

const treeOf = (core: Core, roots: ReadonlySet<NodeId>): TreeNode[] =>
  [...core.peers].map(([id, progress]) => ({
    id,
    upstream: progress.upstream,
    isFit: progress.state === 'relay' ? !isSilent(core, progress) : roots.has(id),
  }))

const isFit = (core: Core, { state, ticksSinceHeard }: Progress): boolean =>
  state === 'replicate' && ticksSinceHeard < core.options.electionTicksMin

const isSilent = ({ options }: Core, { ticksSinceHeard, reportTicks }: Progress): boolean =>
  ticksSinceHeard >= options.electionTicksMax + 2 * reportTicks

const reportTicksOf = (core: Core): number =>
  core.options.heartbeatTicks * Math.ceil(core.configuration.learners.length / REPORTS_PER_HEARTBEAT)
