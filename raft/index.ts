/**
 * AGREE: the Raft consensus algorithm as a value machine. No IO, no clock, no dice: `step(input) → Ready`.
 *
 * ```ts
 * const raft = new Raft(id, saved, defaultOptions(20), random)
 * const ready = raft.step(input)
 * ```
 *
 * Duties of the embedder. Steps are taken one after another; each `Ready` is dealt with in the order in which
 * it came, but the next step need not wait for the disk.
 *
 * 1. **Start** from what the disk holds: `bootstrapState(id)` written once for the first node of a cluster,
 *    `joinerState()` for every other, or the sum of all writes so far. Restore the state machine from
 *    `saved.snapshot` first; the entries after it come again through `apply`. A node that lost its disk may have
 *    voted: it comes back under a new id, or with a snapshot as of after it was taken out of a committed membership. A disk
 *    that went back in time may show by the fact `promiseLost`: such a node must be let in anew, too.
 * 2. **Persist** `ready.persist` durably, atomically, in order, then `step({ type: 'persisted', sequence })`.
 *    Writes may be grouped: acknowledging a sequence number acknowledges all before it. If the disk fails, stop
 *    the process: after a failed fsync nothing is known.
 * 3. **Send** `ready.sendNow` at once, in parallel with the write; send `ready.sendAfterPersist` only when this
 *    Ready's write and all earlier writes are durable (with `persist` null: when the earlier ones are). Messages
 *    may be lost, doubled and reordered. Report `unreachable` for a message dropped on the way out, and
 *    `peerDisconnected` when a connection is reset or refused.
 * 4. **Apply**: install `ready.install` if there is one, then apply `ready.apply` in order, then
 *    `step({ type: 'applied', index })`. More entries are handed out as these are acknowledged. Normal entries
 *    are yours; noop and configuration entries only move the applied index.
 * 5. **Answer**: `ready.proposals` and `ready.reads` settle what was asked under their keys. A proposal succeeded
 *    when its (index, term) is applied. A granted read may be served from the state machine right away.
 * 6. **Snapshots**: now and then take one at the applied index, make its bytes durable, `step({ type: 'compact' })`
 *    and carry out `persist.compact`. Serve `ready.snapshotReads` with `snapshotBytes` (keep the bytes of a
 *    snapshot while a peer is still being fed from it), collect `ready.snapshotWrites`, and say
 *    `snapshotReceived` when the last chunk is there and the whole is sound.
 * 7. **Keep epochs apart.** A recovered cluster has a newer epoch (`epochOf` of its configuration) than those that were
 *    left behind. Every message must carry the sender's, and only those of the own epoch may come in here: one of an
 *    older epoch is answered with ours, and a newer one ends this core: it starts again from `enteringState`. Who starts
 *    as the only voter asks the learners before its first tick: it would lead at once, though it may have been left behind.
 * 8. **Tick** at a steady pace, and on the way in let only authenticated peers of this cluster through: the
 *    core believes `envelope.from`.
 *
 * Peers can send anything without harm to this process: what makes no sense is dropped with a fact. A breach of
 * these duties is a bug of the embedder and fails an assertion.
 */

export type { Fact } from './facts.ts'
export type { Input, RoleChange } from './input.ts'
export { compareEpochs, epochOf, isEpoch } from './membership.ts'
export type { Envelope, Message } from './message.ts'
export { defaultOptions, type Options } from './options.ts'
export { Raft } from './raft.ts'
export type {
  Persist,
  ProposalResult,
  ReadResult,
  Ready,
  SnapshotRead,
  SnapshotWrite,
} from './ready.ts'
export {
  bootstrapState,
  type Configuration,
  type Entry,
  type Epoch,
  emptyConfiguration,
  enteringState,
  type HardState,
  joinerState,
  refoundedState,
  type SavedState,
  type SnapshotMetadata,
} from './saved.ts'
export type { PeerStatus, Status } from './status.ts'
