// The leader feeds a snapshot to a peer, one chunk at a time; what the peer confirms decides how it goes on.
import type { Core } from './core.ts'
import type { SnapshotBytes, SnapshotReadFailed } from './input.ts'
import type { SnapshotProgress } from './message.ts'
import type { Progress } from './progress.ts'
import type { NodeId } from './saved.ts'
import type { SnapshotTransfer } from './snapshot.ts'

/** Begin with the newest snapshot, unless the peer has been silent: bytes for a dead peer are wasted. */
export const startSnapshot = (core: Core, to: NodeId, progress: Progress): void => {
  if (core.log.snapshot === null || progress.ticksSinceHeard >= core.options.electionTicksMax) return
  progress.becomeSnapshot(core.log.snapshot)
  core.fact({ type: 'peerStateChanged', peer: to, state: 'snapshot' })
  core.fact({ type: 'snapshotStarted', to, index: core.log.snapshot.index })
  requestBytes(core, to, progress.transfer!)
}

/** The embedder has read a chunk. Bytes for a transfer that is over are ignored. */
export const onSnapshotBytes = (core: Core, input: SnapshotBytes): void => {
  const transfer = core.peers.get(input.to)?.transfer
  if (transfer?.snapshot.index !== input.index || transfer.waitingFor !== 'bytes') return
  if (transfer.offset !== input.offset) return
  if (input.isLast) transfer.bytesTotal = input.offset + input.data.length
  wait(transfer, 'peer')
  core.send(input.to, {
    type: 'installSnapshot',
    term: core.term,
    snapshot: transfer.snapshot,
    offset: input.offset,
    data: input.data,
    isLast: input.isLast,
  })
}

export const onSnapshotReadFailed = (core: Core, input: SnapshotReadFailed): void => {
  const transfer = core.peers.get(input.to)?.transfer
  if (transfer?.snapshot.index === input.index) wait(transfer, 'retry')
}

/** The peer says how much it has. When it has all, it is installing and will answer `appended`. */
export const onSnapshotProgress = (core: Core, from: NodeId, message: SnapshotProgress): void => {
  const transfer = core.peers.get(from)?.transfer
  if (transfer?.snapshot.index !== message.index || transfer.waitingFor !== 'peer') return
  transfer.offset = message.nextOffset
  if (transfer.offset === transfer.bytesTotal) wait(transfer, 'peer')
  else requestBytes(core, from, transfer)
}

/** Ask a silent peer what it has (an empty chunk), and after a failed read begin again with the newest snapshot. */
export const tickSnapshot = (core: Core, to: NodeId, progress: Progress): void => {
  const { transfer } = progress
  if (!transfer || transfer.waitingFor === 'bytes') return
  transfer.ticksWaiting += 1
  if (transfer.ticksWaiting < core.options.electionTicksMin) return
  if (transfer.waitingFor === 'retry') return abortSnapshot(core, to, progress)
  wait(transfer, 'peer')
  core.send(to, {
    type: 'installSnapshot',
    term: core.term,
    snapshot: transfer.snapshot,
    offset: transfer.offset,
    data: new Uint8Array(),
    isLast: false,
  })
}

/**
 * How many entries before `index` a compaction must leave. Who is being fed a snapshot goes on with the entries after it;
 * were those gone by then it would need the next one, and with many writes the next one again, without end
 * (hashicorp/raft issue 212). Nothing is held back for the silent, nor more than the limit.
 */
export const trailingForTransfers = (core: Core, index: number): number => {
  const starts = [...core.peers.values()].flatMap(({ transfer, ticksSinceHeard }) =>
    transfer !== null && ticksSinceHeard < core.options.electionTicksMax ? [transfer.snapshot.index] : [],
  )
  const first = Math.max(Math.min(index, ...starts), core.log.firstIndex - 1)
  return core.log.bytesBetween(first, index) <= core.options.heldBytesMax ? index - first : 0
}

const abortSnapshot = (core: Core, to: NodeId, progress: Progress): void => {
  core.fact({ type: 'snapshotAborted', to, index: progress.transfer!.snapshot.index })
  progress.becomeProbe()
  core.fact({ type: 'peerStateChanged', peer: to, state: 'probe' })
}

const requestBytes = (core: Core, to: NodeId, transfer: SnapshotTransfer): void => {
  wait(transfer, 'bytes')
  const { snapshot, offset } = transfer
  core.outbox.snapshotReads.push({ to, snapshot, offset, bytesMax: core.options.snapshotChunkBytes })
}

const wait = (transfer: SnapshotTransfer, waitingFor: SnapshotTransfer['waitingFor']): void => {
  transfer.waitingFor = waitingFor
  transfer.ticksWaiting = 0
}
