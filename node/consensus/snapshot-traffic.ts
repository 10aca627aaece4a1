/**
 * Snapshots on their way: taken of our own state when due, sent to peers that lag, received from the leader. What is sent
 * is read from its file piece by piece; the file stays open, for a newer one may supersede it meanwhile. The raft actor
 * owns one per core.
 */
import assert from 'node:assert'
import type { Input, SnapshotMetadata, SnapshotRead, SnapshotWrite } from '../../raft/index.ts'
import type { State } from '../../scheduler/index.ts'
import type { Context } from '../actor/actor.ts'
import { messageOf } from '../errors.ts'
import type { Applier } from './applier.ts'
import { isFinal } from './disk-failure.ts'
import type { SnapshotBytes, SnapshotReader, SnapshotStore, StoredSnapshot } from './storage.ts'
import { decodeState } from './store.ts'

/** What becomes of work on the disk; `life` names the core that asked. */
export type SnapshotMessage =
  /** An fsync failed: the node must not go on. */
  { readonly type: 'raft/DiskFailed'; readonly life: symbol; readonly thrown: unknown } | SettledMessage

export type SettledMessage =
  | {
      readonly type: 'snapshot/Taken'
      readonly life: symbol
      readonly index: number
      readonly trailing: number
    }
  | { readonly type: 'snapshot/NotTaken'; readonly life: symbol; readonly thrown: unknown }
  | {
      readonly type: 'snapshot/Read'
      readonly life: symbol
      readonly read: SnapshotRead
      readonly bytes: SnapshotBytes | null
    }
  | { readonly type: 'snapshot/Kept'; readonly life: symbol; readonly index: number }
  | {
      readonly type: 'snapshot/Lost'
      readonly life: symbol
      readonly index: number
      readonly thrown: unknown
    }

/** A file that no peer is fed from in this time is closed: only a hopeless link takes longer for one piece. */
const KEEP_MS = 10 * 60_000
/** Pause after a snapshot that could not be written: the disk may be full, and the log goes on without it. */
const RETRY_MS = 30_000
/** A leader that sends more than this is broken; memory is not. */
const RECEIVED_BYTES_MAX = 1024 * 1024 * 1024

type Ctx = Context<SnapshotMessage>

export class SnapshotTraffic {
  readonly #snapshotStore: SnapshotStore
  readonly #applier: Applier
  readonly #life: symbol
  readonly #outgoing = new Map<
    string,
    { readonly reader: Promise<SnapshotReader | null>; usedAtMs: number }
  >()
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
      thrown => ({ type: isFinal(thrown) ? 'raft/DiskFailed' : 'snapshot/NotTaken', life, thrown }),
    )
  }

  /** The core wishes for bytes; `settled` has the answer. */
  read(read: SnapshotRead, ctx: Ctx): void {
    const life = this.#life
    ctx.pipe(
      this.#bytesOf(read, ctx.monotonicMs()),
      bytes => ({ type: 'snapshot/Read', life, read, bytes }),
      thrown => {
        ctx.log.warn('a snapshot could not be read', { reason: messageOf(thrown) })
        return { type: 'snapshot/Read', life, read, bytes: null }
      },
    )
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
    return this.#keep({ meta: snapshot, data: joined(incoming.chunks, incoming.bytes) }, ctx)
  }

  /** The state of the snapshot that the core now installs. */
  takeReceived(index: number): State {
    const received = this.#received
    assert(received?.index === index, 'only a snapshot that was received and kept is installed')
    this.#received = null
    return received.state
  }

  /** Work on the disk has ended: the input that tells the core, if any. */
  settled(message: SettledMessage, ctx: Ctx): Input | null {
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
      case 'snapshot/Read':
        return answerOf(message.read, message.bytes)
      case 'snapshot/Kept':
        return { type: 'snapshotReceived', index: message.index }
      case 'snapshot/Lost':
        this.#received = null
        ctx.log.warn('a received snapshot could not be kept', { reason: messageOf(message.thrown) })
        return { type: 'snapshotReceiveFailed', index: message.index }
    }
  }

  forgetUnused(nowMs: number): void {
    for (const [key, { usedAtMs }] of this.#outgoing) if (nowMs - usedAtMs > KEEP_MS) this.#forget(key)
  }

  /** The core is gone; nobody is fed any more. */
  close(): void {
    for (const key of this.#outgoing.keys()) this.#forget(key)
  }

  #forget(key: string): void {
    const outgoing = this.#outgoing.get(key)
    this.#outgoing.delete(key)
    void outgoing?.reader.then(reader => reader?.close()).catch(() => undefined)
  }

  async #bytesOf({ snapshot, offset, bytesMax }: SnapshotRead, nowMs: number): Promise<SnapshotBytes | null> {
    const key = `${snapshot.term}/${snapshot.index}`
    const outgoing = this.#outgoing.get(key) ?? {
      reader: this.#snapshotStore.open(snapshot),
      usedAtMs: nowMs,
    }
    outgoing.usedAtMs = nowMs
    this.#outgoing.set(key, outgoing)
    try {
      const reader = await outgoing.reader
      if (reader !== null) return await reader.read(offset, bytesMax)
      this.#forget(key)
      return null
    } catch (thrown) {
      this.#forget(key)
      throw thrown
    }
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
      thrown =>
        isFinal(thrown)
          ? { type: 'raft/DiskFailed', life, thrown }
          : { type: 'snapshot/Lost', life, index, thrown },
    )
    return null
  }
}

const answerOf = ({ to, snapshot, offset }: SnapshotRead, bytes: SnapshotBytes | null): Input =>
  bytes === null
    ? { type: 'snapshotReadFailed', to, index: snapshot.index }
    : { type: 'snapshotBytes', to, index: snapshot.index, offset, ...bytes }

/** Lets go of each piece as soon as it has its place in the whole. */
const joined = (chunks: Uint8Array[], bytes: number): Uint8Array => {
  const whole = new Uint8Array(bytes)
  let at = 0
  for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}
