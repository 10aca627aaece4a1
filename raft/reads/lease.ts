// Reads without a round trip, opt-in: for a while after a quorum has answered nobody else can have been elected
// (thesis §6.4.1). Whoever answers a heartbeat gives his word to help nobody else for that long, and keeps it whatever
// he hears meanwhile: that the connection is gone, that there is a newer term, or that he was restarted.
import type { Core } from '../core.ts'
import type { HeartbeatResult } from '../message.ts'
import { wordTicks } from '../options.ts'
import { quorumIndex } from '../quorum.ts'
import type { NodeId } from '../saved.ts'

/** Beyond it the oldest is forgotten, which makes the lease shorter. */
const ROUNDS_MAX = 64

/** Whether this node may not help `candidate` (perhaps itself) to be elected. */
export const isBound = ({ lease }: Core, candidate: NodeId): boolean =>
  lease.wordTicks > 0 && lease.holder !== candidate

/** Follower: the leader's heartbeat is answered. Returns whether with our word. */
export const giveWord = (core: Core, leader: NodeId): boolean => {
  if (core.options.leaseTicks === 0) return false
  core.lease.holder = leader
  core.lease.wordTicks = wordTicks(core.options)
  return true
}

export const tickLease = ({ lease }: Core): void => {
  if (lease.wordTicks > 0) lease.wordTicks -= 1
}

/** Leader: a new term, or a new configuration, whose quorum has not answered yet. */
export const resetLease = (core: Core, isNewTerm: boolean): void => {
  const { lease } = core
  lease.since = null
  lease.rounds = []
  if (!isNewTerm) return
  lease.answered.clear()
  lease.isGivenUp = false
}

/** Leader: the round that is about to be sent counts towards the lease. */
export const startLeaseRound = (core: Core): void => {
  const { lease, reads } = core
  if (core.options.leaseTicks === 0 || lease.now === null) return
  lease.rounds.push({ round: reads.round, at: lease.now })
  if (lease.rounds.length > ROUNDS_MAX) lease.rounds.shift()
  confirmLease(core)
}

/** Leader: a peer has answered. */
export const onWord = (core: Core, from: NodeId, { round, keepsLease }: HeartbeatResult): void => {
  if (keepsLease !== true) return
  core.lease.answered.set(from, Math.max(core.lease.answered.get(from) ?? 0, round))
  confirmLease(core)
}

/** Leader: another node may be elected with its own blessing. */
export const giveUpLease = ({ lease }: Core): void => {
  lease.isGivenUp = true
}

/** Leader: nobody else can have been elected by `now`, so what is committed here is all there is. */
export const holdsLease = (core: Core, now: number | undefined): boolean => {
  const { since, isGivenUp } = core.lease
  if (now === undefined || since === null || core.role !== 'leader' || !core.hasCommittedInTerm) return false
  return !isGivenUp && now >= since && now - since < core.options.leaseTicks
}

const confirmLease = (core: Core): void => {
  const { lease } = core
  const confirmedRound = quorumIndex(core.configuration, voter =>
    voter === core.id ? core.reads.round : (lease.answered.get(voter) ?? 0),
  )
  const count = lease.rounds.findLastIndex(({ round }) => round <= confirmedRound) + 1
  const last = lease.rounds.splice(0, count).at(-1)
  if (last !== undefined) lease.since = last.at
}
