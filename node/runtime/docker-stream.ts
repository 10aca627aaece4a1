/** The engine's framed output: eight bytes of header before each piece, and lines that may span pieces. */
import type { Readable } from 'node:stream'
import type { LogLine } from './runtime.ts'

const HEADER_BYTES = 8
/** A longer line is cut: the engine itself cuts at 16 KiB. */
const LINE_CHARACTERS_MAX = 64 * 1_024

export type Frame = { readonly stream: 'stdout' | 'stderr'; readonly payload: Buffer }

/** Frames of a stream as they come; destroys the stream when nobody reads on. */
export async function* framesOf(stream: Readable): AsyncIterable<Frame> {
  let rest: Buffer = Buffer.alloc(0)
  try {
    for await (const chunk of stream) {
      rest = Buffer.concat([rest, chunk as Buffer])
      while (rest.length >= HEADER_BYTES) {
        const end = HEADER_BYTES + rest.readUInt32BE(4)
        if (rest.length < end) break
        yield { stream: rest[0] === 2 ? 'stderr' : 'stdout', payload: rest.subarray(HEADER_BYTES, end) }
        rest = rest.subarray(end)
      }
    }
  } finally {
    stream.destroy()
  }
}

/** Lines with the engine's own time in front of each, as asked for by `timestamps`. */
export async function* linesOf(stream: Readable): AsyncIterable<LogLine> {
  const open = { stdout: '', stderr: '' }
  for await (const { stream: name, payload } of framesOf(stream)) {
    const parts = (open[name] + payload.toString('utf8')).split('\n')
    open[name] = (parts.pop() ?? '').slice(0, LINE_CHARACTERS_MAX)
    for (const part of parts) yield parseLine(name, part)
  }
  for (const name of ['stdout', 'stderr'] as const) if (open[name] !== '') yield parseLine(name, open[name])
}

const parseLine = (stream: LogLine['stream'], text: string): LogLine => {
  const end = text.indexOf(' ')
  const atMs = Date.parse(text.slice(0, end))
  if (end < 0 || Number.isNaN(atMs)) return { atMs: 0, stream, line: text }
  return { atMs, stream, line: text.slice(end + 1) }
}
