/**
 * libp2p streams as framed pipes and writables. Back-pressure goes by the `drain` event only (`onDrain()` works once
 * per stream), reading by `message` events (iterating buffers without bound).
 */
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { FrameReader, frameOf } from './frames.ts'
import type { Writable } from './outbox.ts'
import type { Pipe, PipeSink } from './pipe.ts'

/** A stream whose other side does not finish its half is cut off after this. */
const CLOSE_MS_MAX = 10_000

const closeSoftly = (stream: Stream): void => {
  stream.close({ signal: AbortSignal.timeout(CLOSE_MS_MAX) }).catch((error: Error) => stream.abort(error))
}

export type FrameSink = {
  onFrame(payload: Uint8Array): void
  /** The peer broke the framing; the stream was aborted. */
  onMalformed(reason: string): void
}

/** Reads frames until the stream ends; a frame beyond `bytesMax` aborts it. The returned function stops reading. */
export const readFrames = (stream: Stream, bytesMax: number, sink: FrameSink): (() => void) => {
  const reader = new FrameReader(payload => sink.onFrame(payload), bytesMax)
  stream.addEventListener('message', (event: StreamMessageEvent) => {
    const chunks = event.data instanceof Uint8Array ? [event.data] : event.data
    for (const chunk of chunks) {
      if (reader.feed(chunk)) continue
      reader.stop()
      sink.onMalformed(`a frame is larger than ${bytesMax} bytes`)
      stream.abort(new Error('frame too large'))
      return
    }
  })
  return () => reader.stop()
}

/** For one-way streams: the other side never writes, and its close is ours. */
export const writableOf = (stream: Stream, on: { onDrain(): void; onClose(): void }): Writable => {
  stream.addEventListener('drain', on.onDrain)
  stream.addEventListener('close', on.onClose)
  stream.addEventListener('remoteCloseWrite', () => closeSoftly(stream))
  return {
    write: bytes => stream.send(bytes),
    close: () => {
      stream.removeEventListener('drain', on.onDrain)
      stream.removeEventListener('close', on.onClose)
      closeSoftly(stream)
    },
  }
}

export const pipeOf = (stream: Stream, bytesMax: number, onMalformed: (reason: string) => void): Pipe => {
  let sink: PipeSink | null = null
  let isClosed = false
  const close = () => {
    if (isClosed) return
    isClosed = true
    sink?.onClose()
  }
  return {
    send(payload) {
      if (isClosed || stream.writeStatus !== 'writable') return true
      try {
        return stream.send(frameOf(payload))
      } catch {
        // The stream closed under our hands; its close event tells the sink.
        return true
      }
    },
    end: () => closeSoftly(stream),
    abort: () => {
      stream.abort(new Error('the call was given up'))
    },
    pause: () => {
      if (stream.readStatus === 'readable') stream.pause()
    },
    resume: () => {
      if (stream.readStatus === 'paused') stream.resume()
    },
    attach(given) {
      sink = given
      readFrames(stream, bytesMax, { onFrame: payload => given.onFrame(payload), onMalformed })
      stream.addEventListener('drain', () => given.onDrain())
      stream.addEventListener('end', close)
      stream.addEventListener('close', close)
      if (stream.readableEnded || stream.status !== 'open') close()
    },
  }
}
