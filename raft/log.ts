// The log in memory: terms, slices, conflicts, truncation, compaction, and the configurations it holds.
import assert from 'node:assert'
import {
  type Configuration,
  type Entry,
  emptyConfiguration,
  type SavedState,
  type SnapshotMetadata,
} from './saved.ts'

/** A configuration and the index from which it is in force. */
export type PlacedConfiguration = { readonly index: number; readonly configuration: Configuration }

/** Bytes an entry counts for in all limits: its payload and a flat sum for the rest. */
export const entryBytes = (entry: Entry): number => {
  switch (entry.type) {
    case 'normal':
      return 16 + entry.data.length
    case 'configuration':
      return 256
    case 'noop':
      return 16
  }
}

/**
 * Entries `firstIndex` to `lastIndex` without gaps, after a base of which only (index, term) are known.
 * Invariants: `snapshot.index >= firstIndex - 1`; `placed` is ascending and never empty, its first element is the
 * configuration at the snapshot (or the empty one).
 */
export class Log {
  snapshot: SnapshotMetadata | null
  private base: { index: number; term: number }
  private entries: Entry[]
  private placed: PlacedConfiguration[]

  constructor(saved: SavedState) {
    const { snapshot, entries } = saved
    const first = entries[0]
    const start = snapshot ?? { index: 0, term: 0, configuration: emptyConfiguration }
    assert(!first || first.index <= start.index + 1, 'the stored log follows the snapshot without a gap')
    assert(!first || first.index >= 1, 'indexes start at 1')
    // With trailing entries kept, the oldest one serves as the base: its own predecessor's term is not known.
    const hasTrailing = first !== undefined && first.index <= start.index
    this.snapshot = snapshot
    this.base = hasTrailing ? first : start
    this.base = { index: this.base.index, term: this.base.term }
    this.entries = []
    this.placed = [{ index: start.index, configuration: start.configuration }]
    this.append(hasTrailing ? entries.slice(1) : entries)
    assert(this.lastIndex >= start.index, 'the stored log reaches the snapshot')
  }

  get firstIndex(): number {
    return this.base.index + 1
  }

  get lastIndex(): number {
    return this.base.index + this.entries.length
  }

  get lastTerm(): number {
    return this.entries.at(-1)?.term ?? this.base.term
  }

  /** The configuration in force: the newest in the log, committed or not. */
  get configuration(): PlacedConfiguration {
    return this.placed.at(-1)!
  }

  /** The configuration in force at `index`. */
  configurationAt(index: number): PlacedConfiguration {
    const placed = this.placed.findLast(candidate => candidate.index <= index)
    assert(placed, 'the configuration at an index of the log is known')
    return placed
  }

  /** Configurations whose entries lie in (`after`, `through`]. */
  configurationsBetween(after: number, through: number): PlacedConfiguration[] {
    return this.placed.filter(({ index }) => index > after && index <= through)
  }

  /** The term at `index`, or null when the log does not reach back or forward so far. */
  termAt(index: number): number | null {
    if (index === this.base.index) return this.base.term
    return this.entries[index - this.firstIndex]?.term ?? null
  }

  has(index: number, term: number): boolean {
    return this.termAt(index) === term
  }

  /** Raft §5.4.1: whether a log ending in (`lastIndex`, `lastTerm`) is at least as up to date as this one. */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex)
  }

  /** Entries from `from` to at most `through`, up to `bytesMax` but at least one if there is one. */
  slice(from: number, through: number, bytesMax: number): Entry[] {
    assert(from >= this.firstIndex, 'a slice starts in the log')
    const slice: Entry[] = []
    let bytes = 0
    for (let index = from; index <= Math.min(through, this.lastIndex); index += 1) {
      const entry = this.entries[index - this.firstIndex]!
      bytes += entryBytes(entry)
      if (slice.length > 0 && bytes > bytesMax) break
      slice.push(entry)
    }
    return slice
  }

  /** Bytes of the entries in (`after`, `through`]. */
  bytesBetween(after: number, through: number): number {
    let bytes = 0
    for (let index = Math.max(after + 1, this.firstIndex); index <= through; index += 1)
      bytes += entryBytes(this.entries[index - this.firstIndex]!)
    return bytes
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      assert(entry.index === this.lastIndex + 1, 'the log has no gaps')
      assert(entry.term >= this.lastTerm, 'terms never fall along the log')
      this.entries.push(entry)
      if (entry.type === 'configuration' && entry.index > this.placed[0]!.index)
        this.placed.push({ index: entry.index, configuration: entry.configuration })
    }
  }

  /** The first of `entries` that this log lacks or contradicts, as a position in `entries`; their length if none. */
  firstNew(entries: readonly Entry[]): number {
    const position = entries.findIndex(entry => !this.has(entry.index, entry.term))
    return position === -1 ? entries.length : position
  }

  /** The greatest index not above `index` whose term is not above `term`: where two logs can agree at best. */
  lastPossibleMatch(index: number, term: number): number {
    let candidate = Math.min(index, this.lastIndex)
    while (candidate > this.base.index && this.termAt(candidate)! > term) candidate -= 1
    return candidate
  }

  /** Remove `from` and everything after it. */
  truncate(from: number): void {
    assert(from >= this.firstIndex, 'a truncation stays in the log')
    this.entries.length = Math.max(0, Math.min(this.entries.length, from - this.firstIndex))
    while (this.placed.length > 1 && this.configuration.index >= from) this.placed.pop()
  }

  /** Note a snapshot at `index` and forget all but `trailing` entries before it. Returns its metadata. */
  compact(index: number, trailing: number): SnapshotMetadata {
    const term = this.termAt(index)
    assert(term !== null, 'a snapshot lies inside the log')
    const snapshot = { index, term, configuration: this.configurationAt(index).configuration }
    const baseIndex = Math.max(this.base.index, index - trailing)
    const baseTerm = this.termAt(baseIndex)!
    this.entries.splice(0, baseIndex - this.base.index)
    this.base = { index: baseIndex, term: baseTerm }
    this.placed = [
      { index, configuration: snapshot.configuration },
      ...this.placed.filter(placed => placed.index > index),
    ]
    this.snapshot = snapshot
    return snapshot
  }

  /** Begin anew after a snapshot that came from elsewhere. */
  reset(snapshot: SnapshotMetadata): void {
    this.snapshot = snapshot
    this.base = { index: snapshot.index, term: snapshot.term }
    this.entries = []
    this.placed = [{ index: snapshot.index, configuration: snapshot.configuration }]
  }
}
