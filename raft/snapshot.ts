// A snapshot on its way between two nodes, as data: the sender's view and the receiver's.
import type { SnapshotMetadata } from './saved.ts'

/** The leader's view of a snapshot it sends to one peer. */
export type SnapshotTransfer = {
  readonly snapshot: SnapshotMetadata
  /** The peer holds this many bytes. */
  offset: number
  /** Known once the last chunk was sent. */
  bytesTotal: number | null
  /** `bytes`: the embedder reads. `peer`: a chunk or the install is under way. `retry`: reading failed, rest a while. */
  waitingFor: 'bytes' | 'peer' | 'retry'
  ticksWaiting: number
}

/** The follower's view of a snapshot it collects. It restarts when the sender's term or the snapshot changes. */
export type SnapshotReceiver = {
  readonly term: number
  readonly snapshot: SnapshotMetadata
  /** Bytes that were passed to the embedder. */
  offset: number
  isComplete: boolean
}

export const startTransfer = (snapshot: SnapshotMetadata): SnapshotTransfer => ({
  snapshot,
  offset: 0,
  bytesTotal: null,
  waitingFor: 'bytes',
  ticksWaiting: 0,
})

export const startReceiver = (term: number, snapshot: SnapshotMetadata): SnapshotReceiver => ({
  term,
  snapshot,
  offset: 0,
  isComplete: false,
})
