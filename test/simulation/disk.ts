/**
 * A virtual disk per machine: what was acknowledged survives every crash, what was waiting survives in part, in
 * order and whole (the log store's contract). It can be slow, and it can be full.
 */

import type { Clock } from '../../node/clock.ts'
import {
  byAge,
  type LogStore,
  type LogWrite,
  SNAPSHOTS_KEPT,
  type SnapshotReader,
  type SnapshotStore,
  type StoredSnapshot,
} from '../../node/consensus/storage.ts'
import { Failure } from '../../node/errors.ts'
import type { Entry, HardState, SavedState, SnapshotMetadata } from '../../raft/index.ts'
import type { Prng } from '../harness/prng.ts'

type Content = {
  readonly hardState: HardState
  readonly snapshot: SnapshotMetadata | null
  readonly entries: readonly Entry[]
}

type Waiting = {
  readonly write: LogWrite
  readonly resolve: () => void
  readonly reject: (thrown: Failure) => void
}

export type DiskCopy = { readonly content: Content | null; readonly snapshots: readonly StoredSnapshot[] }

const EMPTY: Content = { hardState: { term: 0, vote: null, commit: 0 }, snapshot: null, entries: [] }

/** What one write makes of the content, in the order of the parts of `Persist`. */
export const applyWrite = (content: Content, write: LogWrite): Content => {
  let { hardState, snapshot, entries } = content
  if (write.hardState !== null) hardState = write.hardState
  if (write.snapshot !== null) {
    snapshot = write.snapshot
    entries = []
  }
  const cut = write.truncateFrom
  if (cut !== null) entries = entries.filter(entry => entry.index < cut)
  entries = [...entries, ...write.entries]
  const compact = write.compact
  if (compact !== null) {
    snapshot = compact.snapshot
    entries = entries.filter(entry => entry.index >= compact.firstIndex)
  }
  return { hardState, snapshot, entries }
}

export class SimulatedDisk {
  #content: Content | null = null
  #snapshots: readonly StoredSnapshot[] = []
  #waiting: Waiting[] = []
  #isSyncing = false
  #isBroken = false
  #life = 0
  #slownessFactor = 1
  #isFull = false
  readonly #clock: Clock
  readonly #dice: Prng
  readonly #onWriting: (writes: readonly LogWrite[]) => void

  /** `onWriting` hears of each group of writes when its fsync begins. */
  constructor(clock: Clock, dice: Prng, onWriting: (writes: readonly LogWrite[]) => void = () => undefined) {
    this.#clock = clock
    this.#dice = dice
    this.#onWriting = onWriting
  }

  setSlowness(factor: number): void {
    this.#slownessFactor = factor
  }

  setFull(isFull: boolean): void {
    this.#isFull = isFull
  }

  /** The process or the power goes: of the writes that nobody was told about, a prefix may have made it. */
  crash(): void {
    this.#life++
    for (const { write } of this.#waiting) {
      if (!this.#dice.chance(0.5)) break
      this.#content = applyWrite(this.#content ?? EMPTY, write)
    }
    this.#waiting = []
    this.#isSyncing = false
    this.#isBroken = false
  }

  /** The log as a power cut now would leave it at least; for checkers. */
  durable(): SavedState | null {
    return this.#content
  }

  /** Nothing waits: what is durable is all that the program believes to have. For checkers. */
  isIdle(): boolean {
    return this.#waiting.length === 0
  }

  /** The newest snapshot file; for checkers. */
  snapshotIndex(): number {
    return this.#snapshots[0]?.meta.index ?? 0
  }

  /** A backup of everything that is durable now. */
  copy(): DiskCopy {
    return { content: this.#content, snapshots: this.#snapshots }
  }

  /** The disk goes back in time. */
  restore({ content, snapshots }: DiskCopy): void {
    this.#content = content
    this.#snapshots = snapshots
  }

  logStore(): LogStore {
    const life = this.#life
    const isGone = () => life !== this.#life
    return {
      load: async () => {
        await this.#delay(1)
        if (isGone()) return never()
        this.#isBroken = false
        return this.#content === null ? null : { ...this.#content }
      },
      write: write =>
        new Promise((resolve, reject) => {
          if (isGone()) return
          this.#waiting.push({ write, resolve, reject })
          this.#sync()
        }),
      close: async () => {},
    }
  }

  snapshotStore(): SnapshotStore {
    const life = this.#life
    return {
      load: async () => {
        await this.#delay(1)
        return this.#snapshots
      },
      open: async meta => {
        await this.#delay(1)
        if (life !== this.#life) return never()
        const found = this.#snapshots.find(
          kept => kept.meta.index === meta.index && kept.meta.term === meta.term,
        )
        return found === undefined ? null : this.#readerOf(found.data)
      },
      save: async snapshot => {
        await this.#delay(2 + this.#dice.between(0, 6))
        if (life !== this.#life) return never()
        if (this.#isFull) throw diskIsFull()
        const others = this.#snapshots.filter(kept => byAge(kept.meta, snapshot.meta) !== 0)
        this.#snapshots = [...others, { meta: snapshot.meta, data: snapshot.data.slice() }]
          .sort((left, right) => byAge(left.meta, right.meta))
          .slice(0, SNAPSHOTS_KEPT)
      },
    }
  }

  #readerOf(whole: Uint8Array): SnapshotReader {
    return {
      read: async (offset, bytesMax) => {
        await this.#delay(0.2)
        const data = whole.slice(offset, offset + bytesMax)
        return { data, isLast: offset + data.byteLength >= whole.byteLength }
      },
      close: async () => {},
    }
  }

  /** One fsync carries all that waits when it starts. */
  #sync(): void {
    if (this.#isSyncing) return
    this.#isSyncing = true
    const life = this.#life
    const delayMs = (0.2 + this.#dice.random() * 2) * this.#slownessFactor
    const group = this.#waiting.length
    this.#onWriting(this.#waiting.map(({ write }) => write))
    this.#clock.after(delayMs, () => {
      if (life !== this.#life) return
      this.#isSyncing = false
      const done = this.#waiting.splice(0, group)
      if (this.#isFull || this.#isBroken) {
        this.#isBroken = true
        for (const { reject } of done) reject(diskIsFull())
      } else {
        for (const { write } of done) this.#content = applyWrite(this.#content ?? EMPTY, write)
        for (const { resolve } of done) resolve()
      }
      if (this.#waiting.length > 0) this.#sync()
    })
  }

  #delay(ms: number): Promise<void> {
    return new Promise(resolve => this.#clock.after(ms * this.#slownessFactor, resolve))
  }
}

/** What a process that is gone waits for. */
const never = (): Promise<never> => new Promise(() => undefined)

const diskIsFull = (): Failure =>
  new Failure('E_DISK_FULL', {
    message: 'the disk is full',
    why: 'the simulation filled it',
    try: 'make room',
  })
