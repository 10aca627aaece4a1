/**
 * Output of supervised processes: two files per run, written by the process itself, kept below a cap by the node.
 * The files carry no times. A line read from the past is given the time of the file's last change, which it is not
 * younger than; a line that is followed gets the time it was seen at. While the node is down the cap is not held.
 */
import { copyFile, open, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import type { LogLine } from './runtime.ts'

/** Per stream: the current file and one former one of at most this size each. */
export const LOG_BYTES_MAX = 10 * 1_024 * 1_024
/** A longer line is cut into several. */
const LINE_BYTES_MAX = 16 * 1_024
const CHUNK_BYTES = 64 * 1_024
const FOLLOW_INTERVAL_MS = 100

const STREAMS = ['stdout', 'stderr'] as const
type Stream = (typeof STREAMS)[number]

const fileOf = (folder: string, stream: Stream): string => join(folder, `${stream}.log`)
const formerOf = (folder: string, stream: Stream): string => join(folder, `${stream}.log.1`)

/** Moves what is over the cap aside. A few lines written between the copy and the cut may be lost; no writer notices. */
export const rotate = async (folder: string, bytesMax = LOG_BYTES_MAX): Promise<void> => {
  for (const stream of STREAMS) {
    const path = fileOf(folder, stream)
    const size = await sizeOf(path)
    if (size <= bytesMax) continue
    if (size <= 2 * LOG_BYTES_MAX) await copyFile(path, formerOf(folder, stream))
    // Nobody held the cap for a while: only the end is kept.
    else await writeFile(formerOf(folder, stream), await readRange(path, 0, size), { mode: 0o600 })
    await truncate(path, 0)
  }
}

export type ReadOptions = {
  readonly follow: boolean
  readonly tail: number | null
  readonly signal: AbortSignal
  readonly clock: Clock
  /** Asked between reads while following. */
  readonly isRunning: () => boolean
}

export async function* readLogs(folder: string, options: ReadOptions): AsyncIterable<LogLine> {
  const readers = STREAMS.map(stream => new StreamReader(folder, stream))
  const past = (await Promise.all(readers.map(reader => reader.history(options.tail)))).flat()
  past.sort((a, b) => a.atMs - b.atMs)
  const kept = options.tail === null ? past : past.slice(Math.max(0, past.length - options.tail))
  yield* kept
  if (!options.follow) return
  for (;;) {
    // Asked before reading: what was written before the end is still read after it.
    const isLast = !options.isRunning() || options.signal.aborted
    for (const reader of readers) yield* await reader.fresh(options.clock.wallMs(), isLast)
    if (isLast) return
    await pause(FOLLOW_INTERVAL_MS, options)
  }
}

class StreamReader {
  readonly #path: string
  readonly #former: string
  readonly #stream: Stream
  #position = 0
  /** The beginning of a line whose end is not written yet. */
  #open = Buffer.alloc(0)

  constructor(folder: string, stream: Stream) {
    this.#path = fileOf(folder, stream)
    this.#former = formerOf(folder, stream)
    this.#stream = stream
  }

  /** Whole lines written so far, or the last `tail` of them; both files together are bounded by the cap. */
  async history(tail: number | null): Promise<LogLine[]> {
    const info = await stat(this.#path).catch(() => null)
    if (info === null || tail === 0) {
      this.#position = info?.size ?? 0
      return []
    }
    this.#position = info.size
    const current = await readRange(this.#path, await startOfTail(this.#path, info.size, tail), info.size)
    let text = current
    if (tail === null || countLines(current) < tail) {
      const formerSize = await sizeOf(this.#former)
      const from = tail === null ? 0 : await startOfTail(this.#former, formerSize, tail)
      text = Buffer.concat([await readRange(this.#former, from, formerSize), current])
    }
    const lines = this.#split(text, info.mtimeMs, true)
    return tail === null ? lines : lines.slice(-tail)
  }

  async fresh(nowMs: number, isLast: boolean): Promise<LogLine[]> {
    const size = await sizeOf(this.#path)
    const parts: Buffer[] = []
    if (size < this.#position) {
      // Cut by `rotate`: what was not read yet stands in the former file.
      parts.push(await readRange(this.#former, this.#position, await sizeOf(this.#former)))
      this.#position = 0
    }
    parts.push(await readRange(this.#path, this.#position, size))
    this.#position = size
    return this.#split(Buffer.concat(parts), nowMs, isLast)
  }

  #split(bytes: Buffer, atMs: number, isWhole: boolean): LogLine[] {
    const lines: LogLine[] = []
    let rest = Buffer.concat([this.#open, bytes])
    const take = (length: number, skipped: number) => {
      lines.push({ atMs, stream: this.#stream, line: rest.subarray(0, length).toString('utf8') })
      rest = rest.subarray(length + skipped)
    }
    while (rest.length > 0) {
      const end = rest.indexOf(10)
      if (end >= 0 && end <= LINE_BYTES_MAX) take(end, 1)
      else if (rest.length > LINE_BYTES_MAX) take(LINE_BYTES_MAX, 0)
      else break
    }
    if (isWhole && rest.length > 0) take(rest.length, 0)
    this.#open = Buffer.from(rest)
    return lines
  }
}

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => null))?.size ?? 0

const countLines = (bytes: Buffer): number => {
  let count = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++
  return count
}

/** Where the last `tail` lines of the first `size` bytes begin, found from the end in chunks. */
const startOfTail = async (path: string, size: number, tail: number | null): Promise<number> => {
  if (tail === null) return 0
  let newlines = 0
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK_BYTES)
    const chunk = await readRange(path, start, end)
    for (let at = chunk.length - 1; at >= 0; at--) {
      if (chunk[at] !== 10 || start + at === size - 1) continue
      if (++newlines >= tail) return start + at + 1
    }
    end = start
  }
  return 0
}

/** At most the last LOG_BYTES_MAX of what is asked for: a file may have grown far beyond the cap while no node ran. */
const readRange = async (path: string, from: number, end: number): Promise<Buffer> => {
  const start = Math.max(from, end - LOG_BYTES_MAX)
  if (end <= start) return Buffer.alloc(0)
  const file = await open(path, 'r').catch(() => null)
  if (file === null) return Buffer.alloc(0)
  try {
    const buffer = Buffer.alloc(end - start)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

const pause = (delayMs: number, { clock, signal }: Pick<ReadOptions, 'clock' | 'signal'>): Promise<void> =>
  new Promise(done => {
    const finish = () => {
      cancel()
      signal.removeEventListener('abort', finish)
      done()
    }
    const cancel = clock.after(delayMs, finish)
    signal.addEventListener('abort', finish)
    if (signal.aborted) finish()
  })
