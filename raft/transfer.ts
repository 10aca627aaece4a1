// Handing leadership to another voter (thesis §3.10): let it catch up, then have it campaign at once.
import type { Core } from './core.ts'
import type { TransferAbortReason } from './facts.ts'
import { votersOf } from './membership.ts'
import { giveUpLease } from './reads/lease.ts'
import { replicate } from './replication.ts'
import type { NodeId } from './saved.ts'

/** Start a transfer to `wanted`, or to the best voter. It ends when we are deposed, or after an election timeout. */
export const startTransferTo = (core: Core, wanted: NodeId | null): void => {
  if (core.role !== 'leader') return abort(core, wanted, 'notLeader')
  const target = wanted ?? bestSuccessor(core)
  if (target === null) return abort(core, null, 'noTarget')
  if (target === core.id || !core.configuration.voters.includes(target))
    return abort(core, target, 'notVoter')
  if (target === core.transferTarget) return
  core.transferTarget = target
  core.transferTicks = 0
  core.fact({ type: 'transferStarted', to: target })
  const progress = core.peers.get(target)!
  replicate(core, target, progress)
  completeTransfer(core)
}

/** Once the target has everything, tell it to campaign. Called when its match may have moved. */
export const completeTransfer = (core: Core): void => {
  const target = core.transferTarget
  if (target === null || core.peers.get(target)?.match !== core.log.lastIndex) return
  giveUpLease(core)
  core.send(target, { type: 'timeoutNow', term: core.term })
}

/** Proposals are refused meanwhile, so a transfer that does not come off must end. */
export const tickTransfer = (core: Core): void => {
  if (core.transferTarget === null) return
  core.transferTicks += 1
  if (core.transferTicks >= core.options.electionTicksMax) endTransfer(core, 'timedOut')
  else if (core.transferTicks % core.options.heartbeatTicks === 0) completeTransfer(core)
}

/** The target may have left the voters. */
export const recheckTransfer = (core: Core): void => {
  const target = core.transferTarget
  if (target !== null && !core.configuration.voters.includes(target)) endTransfer(core, 'notVoter')
}

/** The voter with the longest log among those heard of lately, reluctant ones last; the first by name among equals. */
export const bestSuccessor = (core: Core): NodeId | null => {
  let best: { id: NodeId; match: number; isReluctant: boolean } | null = null
  for (const id of votersOf(core.configuration)) {
    const progress = core.peers.get(id)
    if (!progress || !core.configuration.voters.includes(id)) continue
    if (progress.ticksSinceHeard >= core.options.electionTicksMin) continue
    const one = { id, match: progress.match, isReluctant: core.reluctantPeers.has(id) }
    if (best === null || isBetter(one, best)) best = one
  }
  return best?.id ?? null
}

const isBetter = (
  one: { readonly match: number; readonly isReluctant: boolean },
  other: { readonly match: number; readonly isReluctant: boolean },
): boolean => (one.isReluctant === other.isReluctant ? one.match > other.match : other.isReluctant)

const endTransfer = (core: Core, reason: TransferAbortReason): void => {
  const target = core.transferTarget
  core.transferTarget = null
  abort(core, target, reason)
}

const abort = (core: Core, to: NodeId | null, reason: TransferAbortReason): void =>
  core.fact({ type: 'transferAborted', to, reason })
