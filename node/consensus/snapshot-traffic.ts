/**
 * Snapshots on their way: taken of our own state when due, sent to peers that lag, received from the leader. Bytes that
 * are being sent are kept in memory; a file may be superseded meanwhile. The raft actor owns one per core.
 */
import assert from 'node:assert'
import type { Input, SnapshotMetadata, SnapshotRead, SnapshotWrite } from '../../raft/index.ts'
import type { State } from '../../scheduler/index.ts'
import type { Context } from '../actor/actor.ts'
import { messageOf } from '../errors.ts'
import type { Applier } from './applier.ts'
import type { SnapshotStore, StoredSnapshot } from './storage.ts'
import { decodeState } from './store.ts'

/** What becomes of work on the disk; `life` names the core that asked. */
export type SnapshotMessage =
  | {
      readonly type: 'snapshot/Taken'
      readonly life: symbol
      readonly index: number
      readonly trailing: number
    }
  | { readonly type: 'snapshot/NotTaken'; readonly life: symbol; readonly thrown: unknown }
  | {
      readonly type: 'snapshot/Found'
      readonly life: symbol
      readonly read: SnapshotRead
      readonly found: readonly StoredSnapshot[]
    }
  | { readonly type: 'snapshot/Kept'; readonly life: symbol; readonly index: number }
  | {
      readonly type: 'snapshot/Lost'
      readonly life: symbol
      readonly index: number
      readonly thrown: unknown
    }

/** Bytes that no peer asked for in this time are forgotten; the file stays. */
const KEEP_MS = 30_000
/** Pause after a snapshot that could not be written: the disk may be full, and the log goes on without it. */
const RETRY_MS = 30_000
/** A leader that sends more than this is broken; memory is not. */
const RECEIVED_BYTES_MAX = 1024 * 1024 * 1024

type Ctx = Context<SnapshotMessage>

export class SnapshotTraffic {
  readonly #snapshotStore: SnapshotStore
  readonly #applier: Applier
  readonly #life: symbol
  readonly #outgoing = new Map<number, { readonly data: Uint8Array; usedAtMs: number }>()
  #incoming: { readonly meta: SnapshotMetadata; readonly chunks: Uint8Array[]; bytes: number } | null = null
  #received: { readonly index: number; readonly state: State } | null = null
  #isTaking = false
  #notBeforeMs = Number.NEGATIVE_INFINITY

  constructor(snapshotStore: SnapshotStore, applier: Applier, life: symbol) {
    this.#snapshotStore = snapshotStore
    this.#applier = applier
    this.#life = life
  }

  takeWhenDue(ctx: Ctx): void {
    if (this.#isTaking || !this.#applier.isSnapshotDue || ctx.monotonicMs() < this.#notBeforeMs) return
    this.#isTaking = true
    const life = this.#life
    const { snapshot, trailing } = this.#applier.snapshot()
    const { index } = snapshot.meta
    ctx.pipe(
      this.#snapshotStore.save(snapshot),
      () => ({ type: 'snapshot/Taken', life, index, trailing }),
      thrown => ({ type: 'snapshot/NotTaken', life, thrown }),
    )
  }

  /** The answer to the core's wish for bytes, or null when they must be read from the disk first. */
  read(read: SnapshotRead, ctx: Ctx): Input | null {
    const { to, snapshot, offset, bytesMax } = read
    const found = this.#outgoing.get(snapshot.index)
    if (found === undefined) {
      this.#find(read, ctx)
      return null
    }
    found.usedAtMs = ctx.monotonicMs()
    const data = found.data.subarray(offset, offset + bytesMax)
    const isLast = offset + data.byteLength >= found.data.byteLength
    return { type: 'snapshotBytes', to, index: snapshot.index, offset, data, isLast }
  }

  /** Collects a chunk; with the last one the whole is checked and kept. Answers at once only when it cannot become whole. */
  write({ snapshot, offset, data, isLast }: SnapshotWrite, ctx: Ctx): Input | null {
    const { index } = snapshot
    if (offset === 0) this.#incoming = { meta: snapshot, chunks: [], bytes: 0 }
    const incoming = this.#incoming
    if (incoming?.bytes !== offset || offset + data.byteLength > RECEIVED_BYTES_MAX) {
      this.#incoming = null
      return { type: 'snapshotReceiveFailed', index }
    }
    incoming.chunks.push(data)
    incoming.bytes += data.byteLength
    if (!isLast) return null
    this.#incoming = null
    return this.#keep({ meta: snapshot, data: Buffer.concat(incoming.chunks) }, ctx)
  }

  /** The state of the snapshot that the core now installs. */
  takeReceived(index: number): State {
    const received = this.#received
    assert(received?.index === index, 'only a snapshot that was received and kept is installed')
    this.#received = null
    return received.state
  }

  /** Work on the disk has ended: the input that tells the core, if any. */
  settled(message: SnapshotMessage, ctx: Ctx): Input | null {
    switch (message.type) {
      case 'snapshot/Taken':
        this.#isTaking = false
        if (!this.#applier.snapshotTaken(message.index)) return null
        return { type: 'compact', index: message.index, trailing: message.trailing }
      case 'snapshot/NotTaken':
        this.#isTaking = false
        this.#notBeforeMs = ctx.monotonicMs() + RETRY_MS
        ctx.log.warn('a snapshot could not be written', { reason: messageOf(message.thrown) })
        return null
      case 'snapshot/Found':
        return this.#found(message.read, message.found, ctx)
      case 'snapshot/Kept':
        return { type: 'snapshotReceived', index: message.index }
      case 'snapshot/Lost':
        this.#received = null
        ctx.log.warn('a received snapshot could not be kept', { reason: messageOf(message.thrown) })
        return { type: 'snapshotReceiveFailed', index: message.index }
    }
  }

  forgetUnused(nowMs: number): void {
    for (const [index, { usedAtMs }] of this.#outgoing)
      if (nowMs - usedAtMs > KEEP_MS) this.#outgoing.delete(index)
  }

  #find(read: SnapshotRead, ctx: Ctx): void {
    const life = this.#life
    ctx.pipe(
      this.#snapshotStore.load(),
      found => ({ type: 'snapshot/Found', life, read, found }),
      thrown => {
        ctx.log.warn('a snapshot could not be read', { reason: messageOf(thrown) })
        return { type: 'snapshot/Found', life, read, found: [] }
      },
    )
  }

  #found(read: SnapshotRead, found: readonly StoredSnapshot[], ctx: Ctx): Input | null {
    const { index, term } = read.snapshot
    const wanted = found.find(({ meta }) => meta.index === index && meta.term === term)
    if (wanted === undefined) return { type: 'snapshotReadFailed', to: read.to, index }
    this.#outgoing.set(index, { data: wanted.data, usedAtMs: ctx.monotonicMs() })
    return this.read(read, ctx)
  }

  #keep(snapshot: StoredSnapshot, ctx: Ctx): Input | null {
    const life = this.#life
    const { index } = snapshot.meta
    try {
      const state = decodeState(snapshot.data)
      assert(state.index === index, 'a snapshot holds the state that its name says')
      this.#received = { index, state }
    } catch (thrown) {
      ctx.log.warn('a received snapshot is damaged', { reason: messageOf(thrown) })
      return { type: 'snapshotReceiveFailed', index }
    }
    ctx.pipe(
      this.#snapshotStore.save(snapshot),
      () => ({ type: 'snapshot/Kept', life, index }),
      thrown => ({ type: 'snapshot/Lost', life, index, thrown }),
    )
    return null
  }
}
