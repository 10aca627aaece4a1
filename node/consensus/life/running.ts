/** One core with everything that lives and dies with it: the raft actor drives it, and starts another one from the disk. */
import { type Epoch, epochOf, Raft } from '../../../raft/index.ts'
import { Applier } from '../applier.ts'
import { FactLog } from '../fact-log.ts'
import { PromiseQueue } from '../promise-queue.ts'
import { ProposalBatch } from '../proposal-batch.ts'
import type { RaftDeps } from '../raft-protocol.ts'
import { SnapshotTraffic } from '../snapshot-traffic.ts'
import type { Startup } from '../startup.ts'
import { Inquiry } from './sole-voter.ts'

export type Running = {
  readonly life: symbol
  readonly core: Raft
  /** Of the configurations in its log: it never changes while one core lives. */
  readonly epoch: Epoch
  readonly promises: PromiseQueue
  readonly batch: ProposalBatch
  readonly applier: Applier
  readonly traffic: SnapshotTraffic
  readonly factLog: FactLog
  readonly inquiry: Inquiry
  isApplyQueued: boolean
  /** The term in which this node leads, as the core says. */
  leaderTerm: number | null
}

export const startRunning = (
  { id, settings, store, snapshotStore }: RaftDeps,
  startup: Startup,
  random: () => number,
): Running => {
  const life = Symbol('life')
  const applier = new Applier(store, settings, startup)
  const core = new Raft(id, startup.saved, settings.core, random)
  return {
    life,
    core,
    epoch: epochOf(startup.saved.snapshot?.configuration),
    promises: new PromiseQueue(),
    batch: new ProposalBatch(settings.core.appendBytesMax),
    applier,
    traffic: new SnapshotTraffic(snapshotStore, applier, life),
    factLog: new FactLog(),
    inquiry: new Inquiry(core),
    isApplyQueued: false,
    leaderTerm: null,
  }
}
