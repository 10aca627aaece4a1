// The state machine of one node: one input in, one Ready out.
import assert from 'node:assert'
import { countOwnVote, startPreVote, tickCandidate } from './candidate.ts'
import { Core } from './core.ts'
import type { Compact, Input } from './input.ts'
import { maybeCommit, pumpReads, tickLeader } from './leader.ts'
import type { Options } from './options.ts'
import { propose, proposeConfiguration } from './proposals.ts'
import { tickLease } from './reads/lease.ts'
import { grantApplied, startRead, tickReads } from './reads/read-index.ts'
import type { Ready } from './ready.ts'
import { receive } from './receive.ts'
import { tickPulling, upstreamFailed } from './relay/pull.ts'
import { serveChildren, tickChildren } from './relay/serve.ts'
import { suspectLoss } from './replication.ts'
import { becomeFollower } from './roles.ts'
import type { NodeId, SavedState } from './saved.ts'
import { onSnapshotReceived, onSnapshotReceiveFailed } from './snapshot-receive.ts'
import { onSnapshotBytes, onSnapshotReadFailed, trailingForTransfers } from './snapshot-send.ts'
import { type Status, statusOf } from './status.ts'
import { startTransferTo } from './transfer.ts'

/** One node of a cluster. The embedder's duties are listed in `index.ts`. */
export class Raft {
  readonly id: NodeId
  private readonly core: Core

  /** `random` returns numbers in [0, 1), as `Math.random` does; it draws the election timeouts. */
  constructor(id: NodeId, saved: SavedState, options: Options, random: () => number) {
    this.id = id
    this.core = new Core(id, saved, options, random)
  }

  /** Synchronous and deterministic. Never throws for what a peer sent; asserts on a breach of the embedder's duties. */
  step(input: Input): Ready {
    take(this.core, input)
    serveChildren(this.core)
    return this.core.takeReady()
  }

  /** A picture of this moment; costs nothing that matters and needs no quorum. */
  status(): Status {
    return statusOf(this.core)
  }
}

const take = (core: Core, input: Input): void => {
  switch (input.type) {
    case 'tick':
      return tick(core, input.now)
    case 'receive':
      return receive(core, input.envelope)
    case 'propose':
      return propose(core, input)
    case 'proposeConfiguration':
      return proposeConfiguration(core, input)
    case 'read':
      startRead(core, input)
      return pumpReads(core)
    case 'persisted':
      return persisted(core, input.sequence)
    case 'applied':
      core.applied(input.index)
      return grantApplied(core)
    case 'transferLeadership':
      return startTransferTo(core, input.to)
    case 'reluctance':
      return core.setReluctance(input.isReluctant)
    case 'compact':
      return compact(core, input)
    case 'snapshotBytes':
      return onSnapshotBytes(core, input)
    case 'snapshotReadFailed':
      return onSnapshotReadFailed(core, input)
    case 'snapshotReceived':
      return onSnapshotReceived(core, input.index)
    case 'snapshotReceiveFailed':
      return onSnapshotReceiveFailed(core, input.index)
    case 'peerDisconnected':
      return peerDisconnected(core, input.peer)
    case 'unreachable':
      return suspectLoss(core, input.peer)
  }
}

const tick = (core: Core, now: number | undefined): void => {
  core.lease.now = now ?? null
  tickLease(core)
  tickReads(core)
  tickChildren(core)
  core.ticksSinceCommitHeard += 1
  if (core.role === 'leader') return tickLeader(core)
  core.ticksSinceLeader += 1
  if (core.role !== 'follower') return tickCandidate(core)
  core.electionTicks += 1
  tickPulling(core)
  if (core.electionTicks >= core.electionTimeout) leaderLost(core, 'timeout')
}

const persisted = (core: Core, sequence: number): void => {
  core.writes.acknowledge(sequence)
  countOwnVote(core, sequence)
  if (core.role === 'leader') maybeCommit(core)
}

/** The process at the other end is gone: nobody needs to wait for a timeout to know it. */
const peerDisconnected = (core: Core, peer: NodeId): void => {
  suspectLoss(core, peer)
  upstreamFailed(core, peer)
  if (core.role === 'follower' && core.leader === peer) leaderLost(core, 'leaderDisconnected')
}

const leaderLost = (core: Core, reason: 'timeout' | 'leaderDisconnected'): void => {
  const isLeftToOthers = core.isReluctant && reason === 'leaderDisconnected'
  if (core.mayCampaign && !isLeftToOthers) return startPreVote(core, reason)
  becomeFollower(core, core.term, null)
  if (isLeftToOthers) core.shortenElectionTimer()
}

const compact = (core: Core, { index, trailing }: Compact): void => {
  assert(index <= core.appliedIndex, 'a snapshot holds only what was applied')
  // A snapshot from the leader may have overtaken the one that was being taken.
  if (index <= (core.log.snapshot?.index ?? 0)) return
  const kept = Math.max(trailing, trailingForTransfers(core, index))
  const snapshot = core.log.compact(index, kept)
  const { firstIndex } = core.log
  // The oldest kept entry on disk is one older than in memory: a restart needs its term.
  core.writes.compacted(snapshot, kept > 0 ? firstIndex - 1 : firstIndex)
  core.fact({ type: 'logCompacted', snapshotIndex: index, firstIndex })
}
