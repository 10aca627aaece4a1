// How a follower answers its leader: append, heartbeat, the order to campaign.
import type { Core } from './core.ts'
import type { Append, Envelope, Heartbeat } from './message.ts'
import { giveWord } from './reads/lease.ts'
import { becomeFollower } from './roles.ts'
import type { Entry } from './saved.ts'

/** Any sign of the leader of this term makes us its follower and puts off our own campaign. */
export const followLeader = (core: Core, leader: string): void => {
  if (core.role !== 'follower' || core.leader !== leader) becomeFollower(core, core.term, leader)
  core.electionTicks = 0
  core.ticksSinceLeader = 0
}

/** Take over what the leader's log has and ours lacks; what contradicts it goes (paper §5.3). */
export const onAppend = (core: Core, envelope: Envelope, message: Append): void => {
  const { prevIndex, prevTerm, entries } = message
  core.hearOfCommit(message.commit, 0)
  if (prevIndex < core.commitIndex && prevIndex + entries.length <= core.commitIndex)
    return answerAppend(core, envelope.from, message, core.commitIndex)
  if (prevIndex >= core.log.firstIndex - 1 && !core.log.has(prevIndex, prevTerm))
    return rejectAppend(core, envelope.from, message)
  if (!adopt(core, entries)) return core.drop(envelope, 'it contradicts what is committed')
  const match = prevIndex + entries.length
  core.commitTo(Math.min(message.commit, match))
  core.hearOfCommit(message.commit, 0)
  answerAppend(core, envelope.from, message, Math.max(match, core.commitIndex))
}

const answerAppend = (core: Core, leader: string, { isNews }: Append, match: number): void => {
  if (isNews !== true) core.promise(leader, { type: 'appended', term: core.term, match })
}

/** Add what the log lacks of entries that follow it, cutting off what contradicts them. False: that would be committed. */
export const adopt = (core: Core, entries: readonly Entry[]): boolean => {
  const known = entries.filter(entry => entry.index < core.log.firstIndex)
  const lastKnown = known.at(-1)
  if (lastKnown && !core.log.has(lastKnown.index, lastKnown.term)) return false
  const fresh = entries.slice(known.length)
  const added = fresh.slice(core.log.firstNew(fresh))
  const first = added[0]
  if (first && first.index <= core.commitIndex) return false
  if (first && first.index <= core.log.lastIndex) truncate(core, first.index)
  add(core, added)
  return true
}

/** The leader lives; it knows how much of the committed log we surely have. */
export const onHeartbeat = (core: Core, from: string, message: Heartbeat): void => {
  core.roundHeard = Math.max(core.roundHeard, message.round)
  core.hearOfCommit(message.commitBeyond ?? message.commit, 0)
  const { lastIndex } = core.log
  if (message.commit <= lastIndex) core.commitTo(message.commit)
  else core.fact({ type: 'promiseLost', promised: message.commit, lastIndex })
  core.send(from, {
    type: 'heartbeatResult',
    term: core.term,
    round: message.round,
    ...(giveWord(core, from) ? { keepsLease: true } : {}),
    ...(core.isReluctant ? { isReluctant: true } : {}),
  })
}

const rejectAppend = (core: Core, leader: string, { prevIndex, prevTerm }: Append): void => {
  // All that is committed here is in the leader's log, so the search need not go below it.
  const hintIndex = Math.max(core.commitIndex, core.log.lastPossibleMatch(prevIndex, prevTerm))
  const hintTerm = core.log.termAt(hintIndex) ?? 0
  core.send(leader, { type: 'appendRejected', term: core.term, prevIndex, hintIndex, hintTerm })
}

const truncate = (core: Core, from: number): void => {
  const before = core.log.configuration
  core.log.truncate(from)
  core.writes.truncated(from)
  core.fact({ type: 'logTruncated', from })
  if (core.log.configuration !== before)
    core.fact({ type: 'configurationRolledBack', ...core.log.configuration })
}

const add = (core: Core, entries: readonly Entry[]): void => {
  core.log.append(entries)
  for (const entry of entries)
    if (entry.type === 'configuration')
      core.fact({ type: 'configurationChanged', index: entry.index, configuration: entry.configuration })
}
