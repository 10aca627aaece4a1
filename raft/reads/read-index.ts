// Linearizable reads by read-index (thesis §6.4): note the commit index, prove leadership once, wait for apply.
import type { Core } from '../core.ts'
import type { Read } from '../input.ts'
import { quorumIndex } from '../quorum.ts'
import type { ReadResult } from '../ready.ts'
import type { NodeId } from '../saved.ts'
import { holdsLease } from './lease.ts'
import { type Asker, countReads } from './reads.ts'

type RefusalReason = Extract<ReadResult, { type: 'refused' }>['reason']

/** A read of our own embedder. */
export const startRead = (core: Core, { key, now }: Read): void => {
  if (isFull(core)) return refuse(core, key, 'busy')
  if (holdsLease(core, now)) {
    core.reads.confirmed.push({ key, index: core.commitIndex })
    return grantApplied(core)
  }
  if (core.role === 'leader') {
    core.reads.waiting.push({ asker: { type: 'local', key }, ticks: 0 })
    return
  }
  if (core.leader === null) return refuse(core, key, 'noLeader')
  const id = core.reads.nextId
  core.reads.nextId += 1
  core.reads.forwarded.set(id, { key, ticks: 0 })
  core.send(core.leader, { type: 'readIndex', term: core.term, id })
}

/** A follower's read has reached us. */
export const onReadIndex = (core: Core, from: NodeId, id: number): void => {
  if (core.role !== 'leader' || isFull(core))
    return core.send(from, { type: 'readIndexResult', term: core.term, id, index: null })
  core.reads.waiting.push({ asker: { type: 'remote', from, id }, ticks: 0 })
}

/** The leader has answered one of our reads. */
export const onReadIndexResult = (core: Core, id: number, index: number | null): void => {
  const read = core.reads.forwarded.get(id)
  if (!read) return
  core.reads.forwarded.delete(id)
  if (index === null) return refuse(core, read.key, 'leaderChanged')
  core.reads.confirmed.push({ key: read.key, index })
  grantApplied(core)
}

/**
 * Leader: start a round for the reads that wait, if none is under way or `isDue` (a heartbeat, which also makes up
 * for lost messages). Reads that come during a round share the next. They get the commit index of now, which
 * means something only after a commit in the leader's own term. Returns whether heartbeats must be sent.
 */
export const startRound = (core: Core, isDue: boolean): boolean => {
  const { reads } = core
  if (reads.waiting.length === 0 || !core.hasCommittedInTerm) return false
  if (reads.started.length > 0 && !isDue) return false
  reads.round += 1
  for (const { asker, ticks } of reads.waiting)
    reads.started.push({ asker, ticks, index: core.commitIndex, round: reads.round })
  reads.waiting = []
  return true
}

/** Leader: release every read whose round a quorum has answered. */
export const confirmReads = (core: Core): void => {
  const { reads } = core
  if (reads.started.length === 0) return
  const confirmedRound = quorumIndex(core.configuration, voter =>
    voter === core.id ? reads.round : (core.peers.get(voter)?.roundAcked ?? 0),
  )
  const confirmed = reads.started.filter(read => read.round <= confirmedRound)
  reads.started = reads.started.slice(confirmed.length)
  for (const { asker, index } of confirmed) {
    if (asker.type === 'local') reads.confirmed.push({ key: asker.key, index })
    else core.send(asker.from, { type: 'readIndexResult', term: core.term, id: asker.id, index })
  }
  grantApplied(core)
}

/** Grant what the state machine has caught up with. */
export const grantApplied = (core: Core): void => {
  const { confirmed } = core.reads
  if (confirmed.length === 0) return
  core.reads.confirmed = confirmed.filter(read => read.index > core.appliedIndex)
  for (const { key, index } of confirmed)
    if (index <= core.appliedIndex) core.outbox.reads.push({ type: 'granted', key, index })
}

/** The leader is another now: nobody will confirm what was asked of the old one. */
export const abandonReads = (core: Core, reason: RefusalReason): void => {
  const { waiting, started, forwarded } = core.reads
  core.reads.waiting = []
  core.reads.started = []
  core.reads.forwarded = new Map()
  for (const { asker } of [...started, ...waiting]) abandon(core, asker, reason)
  for (const { key } of forwarded.values()) refuse(core, key, reason)
}

/** Refuse what has waited for an election timeout. */
export const tickReads = (core: Core): void => {
  const { reads } = core
  const isOverdue = (read: { ticks: number }) => read.ticks >= core.options.electionTicksMax
  for (const [id, read] of reads.forwarded) {
    read.ticks += 1
    if (!isOverdue(read)) continue
    reads.forwarded.delete(id)
    refuse(core, read.key, 'timedOut')
  }
  const onLeader = [...reads.started, ...reads.waiting]
  for (const read of onLeader) read.ticks += 1
  if (!onLeader.some(isOverdue)) return
  reads.started = reads.started.filter(read => !isOverdue(read))
  reads.waiting = reads.waiting.filter(read => !isOverdue(read))
  for (const read of onLeader) if (isOverdue(read)) abandon(core, read.asker, 'timedOut')
}

const isFull = (core: Core): boolean => countReads(core.reads) >= core.options.readsPendingMax

const abandon = (core: Core, asker: Asker, reason: RefusalReason): void => {
  if (asker.type === 'local') return refuse(core, asker.key, reason)
  core.send(asker.from, { type: 'readIndexResult', term: core.term, id: asker.id, index: null })
}

const refuse = (core: Core, key: string, reason: RefusalReason): void => {
  core.outbox.reads.push({ type: 'refused', key, reason })
}
