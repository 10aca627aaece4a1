/**
 * The log on disk: one sqlite file `raft.db` and a witness file `raft.tail` beside it. Synchronous; runs in the worker.
 *
 * Every entry carries a CRC that continues the CRC of the entry before it, and one row describes the whole (hard state,
 * snapshot, first and last index, last CRC), changed in the same transaction. Each transaction is numbered, and the number
 * of the last one is also in the witness: a witness ahead of the database proves that acknowledged writes were lost. The
 * write-ahead log is judged before sqlite opens it (write-ahead.ts). What is cut back is therefore one thing only: a
 * transaction that never was whole, at the very end, of which the witness does not know. Everything else stops the node.
 */
import { closeSync, copyFileSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import type { Configuration, Entry, HardState, SavedState, SnapshotMetadata } from '../../raft/index.ts'
import { decode, encode } from '../codec.ts'
import { openWitness, type Witness } from './disk/witness.ts'
import { endOfWriteAhead } from './disk/write-ahead.ts'
import { type DiskTrouble, damaged } from './disk-failure.ts'
import type { LogWrite } from './storage.ts'

/** Thrown for damage that sqlite itself cannot see. */
export class DiskDamage extends Error {
  readonly trouble: DiskTrouble
  constructor(path: string, what: string) {
    super(what)
    this.trouble = damaged(path, what)
  }
}

/** `notes`: what was found and set right, in words for the log. */
export type LoadedLog = { readonly saved: SavedState | null; readonly notes: readonly string[] }

export type LogDatabase = {
  readonly path: string
  load(): LoadedLog
  /** One transaction and one fsync for all of them. */
  write(writes: readonly LogWrite[]): void
  /** One small step of tidying; true when there is more to do. */
  maintain(): boolean
  /** The files as they are after the last write, durable in a directory that exists. */
  copyTo(directory: string): void
  close(): void
}

const FORMAT = 1
const PAGE_BYTES = 4096
/** Checkpoint in the middle of work beyond this much write-ahead log, so that it cannot grow without end. */
const WAL_BYTES_MAX = 16 * 1024 * 1024
/** Rows per delete and pages per vacuum step: a few milliseconds each, so a write never waits long. */
const SLICE_ROWS = 2_000
const SLICE_PAGES = 512

/** What one row says about all others. */
type Summary = {
  readonly format: number
  readonly sequence: number
  readonly hardState: HardState
  readonly snapshot: SnapshotMetadata | null
  readonly firstIndex: number
  /** CRC of the entry before the first one; the chain starts from it. */
  readonly baseCrc: number
  readonly lastIndex: number
  readonly lastCrc: number
}

const EMPTY: Summary = {
  format: FORMAT,
  sequence: 0,
  hardState: { term: 0, vote: null, commit: 0 },
  snapshot: null,
  firstIndex: 1,
  baseCrc: 0,
  lastIndex: 0,
  lastCrc: 0,
}

const KINDS = ['normal', 'configuration', 'noop'] as const

type Row = { readonly idx: number; readonly term: number; readonly kind: number; readonly data: Uint8Array }

const NO_BYTES = new Uint8Array(0)

const rowOf = (entry: Entry): Row => ({
  idx: entry.index,
  term: entry.term,
  kind: KINDS.indexOf(entry.type),
  data:
    entry.type === 'normal'
      ? entry.data
      : entry.type === 'configuration'
        ? encode(entry.configuration)
        : NO_BYTES,
})

const entryOf = ({ idx: index, term, kind, data }: Row): Entry => {
  const type = KINDS[kind]
  if (type === 'normal') return { type, index, term, data }
  // The CRC was checked: these are the bytes that `rowOf` made.
  if (type === 'configuration') return { type, index, term, configuration: decode(data) as Configuration }
  return { type: 'noop', index, term }
}

const chainedCrc = (row: Row, previous: number): number => {
  const head = Buffer.alloc(17)
  head.writeDoubleBE(row.idx, 0)
  head.writeDoubleBE(row.term, 8)
  head.writeUInt8(row.kind, 16)
  return crc32(row.data, crc32(head, previous))
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entries (
    idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, kind INTEGER NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS summary (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
`

const openFile = (path: string): DatabaseSync => {
  // Created here so that its mode is right from the start; sqlite gives its side files the same mode.
  closeSync(openSync(path, 'a', 0o600))
  const file = new DatabaseSync(path)
  // Exclusive first: from then on sqlite needs no shared-memory file, which it could not make on a full disk.
  file.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL')
  file.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0')
  file.exec('PRAGMA journal_size_limit = 8388608; PRAGMA cell_size_check = ON')
  file.exec(SCHEMA)
  return file
}

const statementsOf = (file: DatabaseSync) => ({
  summary: file.prepare('SELECT body, crc FROM summary'),
  putSummary: file.prepare('INSERT OR REPLACE INTO summary (id, body, crc) VALUES (1, ?, ?)'),
  rows: file.prepare('SELECT idx, term, kind, data, crc FROM entries WHERE idx >= ? ORDER BY idx'),
  crcAt: file.prepare('SELECT crc FROM entries WHERE idx = ?'),
  oldest: file.prepare('SELECT min(idx) AS idx FROM entries'),
  append: file.prepare('INSERT INTO entries (idx, term, kind, data, crc) VALUES (?, ?, ?, ?, ?)'),
  dropFrom: file.prepare('DELETE FROM entries WHERE idx >= ?'),
  dropBelow: file.prepare('DELETE FROM entries WHERE idx < ?'),
})

type Opened = {
  readonly file: DatabaseSync
  readonly run: ReturnType<typeof statementsOf>
  readonly witness: Witness
}

export const openLogDatabase = (options: {
  readonly directory: string
  readonly bytesMax: number | null
}): LogDatabase => {
  const path = join(options.directory, 'raft.db')
  let opened: Opened | null = null
  let summary = EMPTY

  /** What sqlite will drop from the end of the write-ahead log, unless that must not be. */
  let notes: readonly string[] = []

  const open = (): Opened => {
    if (opened !== null) return opened
    mkdirSync(options.directory, { recursive: true, mode: 0o700 })
    notes = judgeFiles(path)
    const file = openFile(path)
    if (options.bytesMax !== null)
      file.exec(`PRAGMA max_page_count = ${Math.max(8, Math.floor(options.bytesMax / PAGE_BYTES))}`)
    opened = { file, run: statementsOf(file), witness: openWitness(join(options.directory, 'raft.tail')) }
    syncPath(options.directory)
    return opened
  }

  const damage = (what: string): DiskDamage => new DiskDamage(path, what)

  const load = (): LoadedLog => {
    const { file, run, witness } = open()
    const check = file.prepare('PRAGMA quick_check(1)').get()?.quick_check
    if (check !== 'ok') throw damage(`its pages are not in order: ${check}`)
    summary = readSummary(run, damage)
    const witnessed = witness.read()
    if (witnessed !== null && witnessed > summary.sequence)
      throw damage(`write ${witnessed} was acknowledged, but only ${summary.sequence} are there`)
    const found = witnessed === null ? [...notes, WITNESS_UNREADABLE] : notes
    notes = []
    if (summary.sequence === 0) return { saved: null, notes: found }
    const { hardState, snapshot } = summary
    return { saved: { hardState, snapshot, entries: readEntries(run, summary, damage) }, notes: found }
  }

  const write = (writes: readonly LogWrite[]): void => {
    const { file, run, witness } = open()
    // Before the transaction: when this fails, nothing of the write has happened.
    if (walBytes(path) > WAL_BYTES_MAX) file.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    const before = summary
    file.exec('BEGIN IMMEDIATE')
    try {
      for (const one of writes) summary = carryOut(run, summary, one)
      summary = { ...summary, sequence: before.sequence + 1 }
      const body = JSON.stringify(summary)
      run.putSummary.run(body, crc32(body))
      file.exec('COMMIT')
    } catch (thrown) {
      summary = before
      // Sqlite rolls back by itself on some errors; then there is nothing left to roll back.
      if (file.isTransaction) file.exec('ROLLBACK')
      throw thrown
    }
    witness.write(summary.sequence)
  }

  const maintain = (): boolean => {
    if (opened === null) return false
    const { file, run, witness } = opened
    const oldest = run.oldest.get()?.idx
    if (typeof oldest === 'number' && oldest < summary.firstIndex) {
      run.dropBelow.run(Math.min(oldest + SLICE_ROWS, summary.firstIndex))
      return true
    }
    const free = file.prepare('PRAGMA freelist_count').get()?.freelist_count
    if (typeof free === 'number' && free > SLICE_PAGES) {
      file.exec(`PRAGMA incremental_vacuum(${SLICE_PAGES})`)
      return true
    }
    if (walBytes(path) > 0) file.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    witness.sync()
    return false
  }

  const copyTo = (directory: string): void => {
    open().file.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    for (const name of ['raft.db', 'raft.tail']) {
      copyFileSync(join(options.directory, name), join(directory, name))
      syncPath(join(directory, name))
    }
    syncPath(directory)
  }

  const close = (): void => {
    if (opened === null) return
    opened.file.close()
    opened.witness.close()
    opened = null
  }

  return { path, load, write, maintain, copyTo, close }
}

const WITNESS_UNREADABLE = 'raft.tail could not be read; the next write makes it anew'

/** Before sqlite opens anything, for it tidies as it opens and would leave nothing to judge. */
const judgeFiles = (path: string): readonly string[] => {
  const wal = `${path}-wal`
  if (walBytes(path) === 0) return []
  if (statSync(path, { throwIfNoEntry: false })?.size === 0)
    throw new DiskDamage(path, 'it is empty, and its write-ahead log is not')
  const end = endOfWriteAhead(readFileSync(wal), PAGE_BYTES)
  switch (end.type) {
    case 'clean':
      return []
    case 'torn':
      return [
        `raft.db-wal ends with a write that was never finished, from byte ${end.atByte}; it was cut back`,
      ]
    case 'damaged': {
      const place = end.frame === 0 ? 'its header' : `frame ${end.frame} of ${end.frames}`
      throw new DiskDamage(wal, `${place} is damaged, and writes that came later follow it`)
    }
  }
}

const readSummary = (run: Opened['run'], damage: (what: string) => DiskDamage): Summary => {
  const row = run.summary.get()
  if (row === undefined) {
    if (run.oldest.get()?.idx !== null) throw damage('entries are there, but not the row that describes them')
    return EMPTY
  }
  const { body, crc } = row
  if (typeof body !== 'string' || crc32(body) !== crc) throw damage('the summary row has a wrong checksum')
  const summary: Summary = JSON.parse(body)
  if (summary.format !== FORMAT)
    throw damage(`it has format ${summary.format}, and this version of Tutti reads format ${FORMAT}`)
  return summary
}

const readEntries = (
  run: Opened['run'],
  summary: Summary,
  damage: (what: string) => DiskDamage,
): readonly Entry[] => {
  const entries: Entry[] = []
  let crc = summary.baseCrc
  for (const found of run.rows.iterate(summary.firstIndex)) {
    const row = found as Row & { readonly crc: number }
    const expected = summary.firstIndex + entries.length
    if (row.idx !== expected) throw damage(`entry ${expected} is missing`)
    crc = chainedCrc(row, crc)
    if (crc !== row.crc) throw damage(`entry ${row.idx} has a wrong checksum`)
    entries.push(entryOf(row))
  }
  if (summary.firstIndex + entries.length - 1 !== summary.lastIndex || crc !== summary.lastCrc)
    throw damage(`the log should end with entry ${summary.lastIndex}`)
  return entries
}

const carryOut = (run: Opened['run'], summary: Summary, write: LogWrite): Summary => {
  let { firstIndex, baseCrc, lastIndex, lastCrc, snapshot } = summary
  const crcAt = (index: number): number => {
    if (index === lastIndex) return lastCrc
    if (index === firstIndex - 1) return baseCrc
    const crc = run.crcAt.get(index)?.crc
    if (typeof crc !== 'number') throw new Error(`there is no entry ${index} to build on`)
    return crc
  }
  if (write.snapshot !== null) {
    run.dropFrom.run(0)
    snapshot = write.snapshot
    firstIndex = snapshot.index + 1
    lastIndex = snapshot.index
    baseCrc = 0
    lastCrc = 0
  }
  if (write.truncateFrom !== null && write.truncateFrom <= lastIndex) {
    lastCrc = crcAt(write.truncateFrom - 1)
    lastIndex = write.truncateFrom - 1
    run.dropFrom.run(write.truncateFrom)
  }
  for (const entry of write.entries) {
    const row = rowOf(entry)
    if (row.idx !== lastIndex + 1) throw new Error(`entry ${row.idx} does not follow entry ${lastIndex}`)
    lastCrc = chainedCrc(row, lastCrc)
    lastIndex = row.idx
    run.append.run(row.idx, row.term, row.kind, row.data, lastCrc)
  }
  if (write.compact !== null) {
    snapshot = write.compact.snapshot
    // The rows themselves go later, in slices: `maintain`.
    if (write.compact.firstIndex > firstIndex) {
      baseCrc = crcAt(write.compact.firstIndex - 1)
      firstIndex = write.compact.firstIndex
    }
  }
  const hardState = write.hardState ?? summary.hardState
  return { ...summary, hardState, snapshot, firstIndex, baseCrc, lastIndex, lastCrc }
}

const walBytes = (path: string): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0

/** A file's content; or a directory, for new files are durable only when theirs is. */
const syncPath = (path: string): void => {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
