// Passing the log on: whoever is fed, by the leader or by another relay, answers those who pull from it.
import type { Core } from '../core.ts'
import type { PullRefusalReason } from '../facts.ts'
import { isMember } from '../membership.ts'
import type { Pull } from '../message.ts'
import type { NodeId } from '../saved.ts'
import { type Child, hasNewsFor, type Standing, startChild } from './relay.ts'

/** A pull waits here until there are news, and is answered once. */
export const onPull = (core: Core, from: NodeId, message: Pull): void => {
  const refusal = refusalOf(core, from)
  if (refusal !== null) return refuse(core, from, refusal)
  core.children.set(from, startChild(message, core.children.get(from)?.ticksSinceAnswer))
}

/** Answer every pull for which there are news. Called at the end of each step. */
export const serveChildren = (core: Core): void => {
  if (core.children.size === 0) return
  const { standing } = core
  for (const [id, child] of core.children)
    if (!child.isAnswered && isWorthAnAnswer(core, child, standing)) serve(core, id, child)
}

/** Whoever pulls no more is forgotten. */
export const tickChildren = (core: Core): void => {
  for (const [id, child] of core.children) {
    child.ticks += 1
    child.ticksSinceAnswer += 1
    if (child.ticks >= core.options.electionTicksMax) core.children.delete(id)
  }
}

/** A commit moves on at once. Signs of life may come in thousands, when many reads are asked of the leader. */
const isWorthAnAnswer = (
  { options }: Core,
  { asked, ticksSinceAnswer }: Child,
  standing: Standing,
): boolean => {
  if (!hasNewsFor(asked, standing)) return false
  const isLifeOnly = standing.term === asked.term && standing.commit <= asked.commit
  return !isLifeOnly || ticksSinceAnswer >= options.heartbeatTicks / 2
}

/** Only what is known to be committed is passed on: whoever receives it may apply it. */
const serve = (core: Core, to: NodeId, child: Child): void => {
  const prevIndex = Math.min(child.asked.commit, core.commitIndex)
  const prevTerm = core.log.termAt(prevIndex)
  if (prevTerm === null) return refuse(core, to, 'compacted')
  child.isAnswered = true
  child.ticksSinceAnswer = 0
  core.send(to, {
    type: 'pulled',
    term: core.term,
    leader: core.leader,
    round: core.roundHeard,
    age: core.ticksSinceLeader,
    commit: Math.max(core.commitHeard, core.commitIndex),
    commitAge: Number.isFinite(core.ticksSinceCommitHeard) ? core.ticksSinceCommitHeard : null,
    prevIndex,
    prevTerm,
    entries: core.log.slice(prevIndex + 1, core.commitIndex, core.options.appendBytesMax),
  })
}

const refusalOf = (core: Core, from: NodeId): PullRefusalReason | null => {
  if (core.role === 'leader') return 'leading'
  if (!isMember(core.configuration, from)) return 'stranger'
  // Twice as many as the leader sends: there must be room for the children of a relay that died.
  const isFull = core.children.size >= 2 * core.options.relayFanOut
  return isFull && !core.children.has(from) ? 'full' : null
}

const refuse = (core: Core, to: NodeId, reason: PullRefusalReason): void => {
  core.children.delete(to)
  core.fact({ type: 'pullRefused', to, reason })
  core.send(to, { type: 'pullRefused', term: core.term })
}
