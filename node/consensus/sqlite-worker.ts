/**
 * The worker thread that owns the log's database, so that no fsync ever blocks the node's event loop. It answers one
 * job at a time; sqlite-log.ts is the other end. Nobody else opens the files.
 */
import assert from 'node:assert'
import { parentPort, workerData } from 'node:worker_threads'
import { dropStartGarbage, keepCompiled } from '../footprint.ts'
import { type PackedEntries, unpackEntries } from './disk/packed-entries.ts'
import { type DiskTrouble, troubleOf } from './disk-failure.ts'
import { DiskDamage, type LoadedLog, openLogDatabase } from './log-database.ts'
import type { LogWrite } from './storage.ts'

export type WorkerOptions = { readonly directory: string; readonly bytesMax: number | null }

export type PackedWrite = Omit<LogWrite, 'entries'> & { readonly entries: PackedEntries }

/** `write` commits all its writes in one transaction. */
export type Job =
  | { readonly type: 'load' }
  | { readonly type: 'write'; readonly writes: readonly PackedWrite[] }
  | { readonly type: 'copy'; readonly directory: string }
  | { readonly type: 'close' }

export type JobResult =
  | ({ readonly type: 'done' } & LoadedLog)
  | { readonly type: 'failed'; readonly trouble: DiskTrouble }

/** With nothing written for this long, checkpoint and give space back. */
const IDLE_MS = 200

const port = parentPort
assert(port !== null, 'this file runs as a worker')
const options: WorkerOptions = workerData
const database = openLogDatabase(options)
keepCompiled()
dropStartGarbage()
let idleTimer: NodeJS.Timeout | undefined
let poison: DiskTrouble | null = null

const toTrouble = (thrown: unknown): DiskTrouble =>
  thrown instanceof DiskDamage ? thrown.trouble : troubleOf(database.path, thrown)

const unpacked = (write: PackedWrite): LogWrite => ({ ...write, entries: unpackEntries(write.entries) })

const maintain = (): void => {
  try {
    if (database.maintain()) idleTimer = setTimeout(maintain, 0)
  } catch (thrown) {
    const trouble = toTrouble(thrown)
    // A full disk cannot be tidied; the next write will say so. Anything else must not be forgotten.
    if (trouble.code !== 'E_DISK_FULL') poison = trouble
  }
}

const NOTHING: LoadedLog = { saved: null, notes: [] }

const run = (job: Job): LoadedLog => {
  switch (job.type) {
    case 'load':
      return database.load()
    case 'write':
      database.write(job.writes.map(unpacked))
      idleTimer = setTimeout(maintain, IDLE_MS)
      return NOTHING
    case 'copy':
      database.copyTo(job.directory)
      return NOTHING
    case 'close':
      database.close()
      return NOTHING
  }
}

port.on('message', (job: Job) => {
  clearTimeout(idleTimer)
  const answer = (result: JobResult): void => port.postMessage(result)
  if (poison !== null && job.type !== 'close') return answer({ type: 'failed', trouble: poison })
  try {
    answer({ type: 'done', ...run(job) })
  } catch (thrown) {
    const trouble = toTrouble(thrown)
    if (trouble.code === 'E_DISK_FAILED') poison = trouble
    answer({ type: 'failed', trouble })
  }
  if (job.type === 'close') port.close()
})
