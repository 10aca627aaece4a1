/**
 * One-way messages to one peer on one channel: frames queued in one round of the event loop leave in one write, over one
 * long-lived stream that is opened when first needed. What does not fit is dropped: Raft and SWIM send again.
 */
import type { Clock } from '../clock.ts'

/** Waiting for one peer on one channel. Writes of libp2p are unbounded, so the bound is here. */
export const QUEUE_BYTES_MAX = 8 * 1024 * 1024
/** One write; a larger frame travels alone. */
const BATCH_BYTES_MAX = 256 * 1024
/** After a stream failed or was refused: not again before this, so that a stranger's refusals cost little. */
const REOPEN_DELAY_MS = 100

/** The writing half of a stream. */
export type Writable = {
  /** False: full until the `onDrain` given at opening. Throws when closed. */
  write(bytes: Uint8Array): boolean
  close(): void
}

export type OpenWritable = (on: { onDrain(): void; onClose(): void }) => Promise<Writable>

export class Outbox {
  readonly #open: OpenWritable
  readonly #clock: Clock
  #frames: Uint8Array[] = []
  #queuedBytes = 0
  #stream: Writable | null = null
  #isOpening = false
  #isFull = false
  #isFlushPlanned = false
  #openNotBeforeMs = 0
  /** Raised by every reset, so that what an older stream still says is ignored. */
  #generation = 0

  constructor(open: OpenWritable, clock: Clock) {
    this.#open = open
    this.#clock = clock
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Queues without opening anything: for frames that wait for a connection. False: dropped. */
  hold(frame: Uint8Array): boolean {
    const isFull = this.#frames.length > 0 && this.#queuedBytes + frame.byteLength > QUEUE_BYTES_MAX
    if (isFull) return false
    this.#frames.push(frame)
    this.#queuedBytes += frame.byteLength
    return true
  }

  /** Queues and writes at the end of this round of the event loop. False: dropped. */
  send(frame: Uint8Array): boolean {
    const mustWait = this.#stream === null && !this.#isOpening
    if (mustWait && this.#clock.monotonicMs() < this.#openNotBeforeMs) return false
    if (!this.hold(frame)) return false
    this.flushSoon()
    return true
  }

  /** Once all that came in this round has had its say: what a hundred clients ask for at once is one packet, not a hundred. */
  flushSoon(): void {
    if (this.#isFlushPlanned) return
    this.#isFlushPlanned = true
    setImmediate(() => {
      this.#isFlushPlanned = false
      this.#flush()
    })
  }

  /** The connection is gone: what was queued is stale. */
  reset(): void {
    this.#generation += 1
    this.#frames = []
    this.#queuedBytes = 0
    this.#isFull = false
    this.#isOpening = false
    this.#openNotBeforeMs = 0
    const stream = this.#stream
    this.#stream = null
    stream?.close()
  }

  #flush(): void {
    if (this.#frames.length === 0 || this.#isOpening || this.#isFull) return
    if (this.#stream === null) return this.#begin()
    try {
      while (this.#frames.length > 0 && !this.#isFull) this.#isFull = !this.#stream.write(this.#nextBatch())
    } catch {
      this.#failed(this.#generation)
    }
  }

  #nextBatch(): Uint8Array {
    let count = 0
    let bytes = 0
    for (const frame of this.#frames) {
      if (count > 0 && bytes + frame.byteLength > BATCH_BYTES_MAX) break
      count += 1
      bytes += frame.byteLength
    }
    const batch = this.#frames.splice(0, count)
    this.#queuedBytes -= bytes
    return count === 1 ? (batch[0] as Uint8Array) : Buffer.concat(batch, bytes)
  }

  #begin(): void {
    this.#isOpening = true
    const generation = this.#generation
    const isCurrent = () => generation === this.#generation
    const opening = this.#open({
      onDrain: () => {
        if (!isCurrent()) return
        this.#isFull = false
        this.#flush()
      },
      onClose: () => this.#failed(generation),
    })
    opening.then(
      stream => {
        if (!isCurrent()) return stream.close()
        this.#isOpening = false
        this.#stream = stream
        this.#flush()
      },
      () => this.#failed(generation),
    )
  }

  #failed(generation: number): void {
    if (generation !== this.#generation) return
    this.reset()
    this.#openNotBeforeMs = this.#clock.monotonicMs() + REOPEN_DELAY_MS
  }
}
