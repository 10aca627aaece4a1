/**
 * `LogStore` over the sqlite worker: queues calls, and lets all writes that wait share the next transaction (group
 * commit), so that many proposals cost one fsync.
 */
import { Worker } from 'node:worker_threads'
import type { SavedState } from '../../raft/index.ts'
import { type ErrorText, Failure, messageOf } from '../errors.ts'
import { workerEnvironment } from '../footprint.ts'
import type { Log } from '../log.ts'
import { buffersOf, packEntries } from './disk/packed-entries.ts'
import { failureOfTrouble } from './disk-failure.ts'
import type { Job, JobResult, PackedWrite, WorkerOptions } from './sqlite-worker.ts'
import type { LogStore, LogWrite } from './storage.ts'

/** Writes in one transaction at most: bounds how long the first of them waits for the last. */
const GROUP_WRITES_MAX = 512
/** The worker keeps nothing but what it writes; V8 would let it have 48 MB for that. */
const YOUNG_MB_MAX = 4

type Waiting = {
  readonly job: Job
  resolve(saved: SavedState | null): void
  reject(failure: Failure): void
}

export type SqliteLog = LogStore & {
  /** Copies the files, waiting writes included, into a directory that exists; durable when it resolves. */
  copyTo(directory: string): Promise<void>
}

/** The log lives in `directory` (made when missing). `bytesMax` bounds the database file; null: the disk does. */
export const openSqliteLog = (options: {
  readonly directory: string
  readonly bytesMax?: number | null
  readonly log: Log
}): SqliteLog => {
  const workerData: WorkerOptions = { directory: options.directory, bytesMax: options.bytesMax ?? null }
  const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), {
    workerData,
    name: 'raft-log',
    env: workerEnvironment(),
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB_MAX },
  })
  const queue: Waiting[] = []
  let running: readonly Waiting[] = []
  /** Why writes are refused until the next load; a write after a lost one would leave a hole. */
  let broken: Failure | null = new Failure('E_DISK_FAILED', 'the log was not loaded yet')
  let closing: Promise<void> | null = null
  let hasEnded = false

  const next = (): readonly Waiting[] => {
    const isWrite = (waiting: Waiting | undefined): boolean => waiting?.job.type === 'write'
    let count = 1
    if (isWrite(queue[0])) while (count < GROUP_WRITES_MAX && isWrite(queue[count])) count += 1
    return queue.splice(0, count)
  }

  const pump = (): void => {
    while (running.length === 0 && queue.length > 0) {
      const group = next()
      const first = group[0]!.job
      if (first.type === 'write' && broken !== null) {
        for (const waiting of group) waiting.reject(broken)
        continue
      }
      running = group
      const job = first.type === 'write' ? merge(group) : first
      worker.postMessage(job, handedOver(job))
    }
  }

  worker.on('message', (result: JobResult) => {
    const group = running
    running = []
    const first = group[0]?.job
    if (result.type === 'failed') {
      const failure = failureOfTrouble(result.trouble)
      broken = failure
      options.log.error('disk', { code: failure.code, message: failure.message })
      for (const waiting of group) waiting.reject(failure)
    } else {
      if (first?.type === 'load') broken = null
      for (const note of result.notes) options.log.info('disk', { note })
      for (const waiting of group) waiting.resolve(result.saved)
    }
    pump()
  })

  const end = (cause: string): void => {
    hasEnded = true
    const failure = new Failure('E_DISK_FAILED', `the disk worker ended: ${cause}`)
    for (const waiting of [...running, ...queue.splice(0)]) {
      if (waiting.job.type === 'close') waiting.resolve(null)
      else waiting.reject(failure)
    }
    running = []
  }
  worker.on('error', thrown => end(messageOf(thrown)))
  worker.on('exit', code => end(`exit ${code}`))

  const ask = (job: Job): Promise<SavedState | null> =>
    new Promise((resolve, reject) => {
      if (hasEnded) return reject(new Failure('E_DISK_FAILED', CLOSED))
      queue.push({ job, resolve, reject })
      pump()
    })

  return {
    load: () =>
      closing === null ? ask({ type: 'load' }) : Promise.reject(new Failure('E_DISK_FAILED', CLOSED)),
    async write(write) {
      if (closing !== null) throw new Failure('E_DISK_FAILED', CLOSED)
      await ask({ type: 'write', writes: [packed(write)] })
    },
    async copyTo(directory) {
      if (closing !== null) throw new Failure('E_DISK_FAILED', CLOSED)
      await ask({ type: 'copy', directory })
    },
    close() {
      closing ??= hasEnded ? Promise.resolve() : ask({ type: 'close' }).then(() => exited(worker))
      return closing
    },
  }
}

const CLOSED: ErrorText = { message: 'the log is closed', why: 'the node is stopping' }

const merge = (group: readonly Waiting[]): Job => ({
  type: 'write',
  writes: group.flatMap(({ job }) => (job.type === 'write' ? job.writes : [])),
})

const exited = async (worker: Worker): Promise<void> => {
  await worker.terminate()
}

const packed = (write: LogWrite): PackedWrite => ({ ...write, entries: packEntries(write.entries) })

const handedOver = (job: Job): ArrayBuffer[] =>
  job.type === 'write' ? job.writes.flatMap(({ entries }) => buffersOf(entries)) : []
