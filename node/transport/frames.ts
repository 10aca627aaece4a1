/** Cuts a byte stream into frames: four bytes of length, big-endian, then that many bytes. Pure; knows no socket. */

const HEADER_BYTES = 4

/** The frame as it travels. */
export const frameOf = (payload: Uint8Array): Uint8Array => {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.byteLength)
  frame.writeUInt32BE(payload.byteLength, 0)
  frame.set(payload, HEADER_BYTES)
  return frame
}

/**
 * Collects chunks of any size. Memory grows only with bytes that really came, never with what a header announces,
 * and stays below `bytesMax` plus one chunk.
 */
export class FrameReader {
  readonly #onFrame: (payload: Uint8Array) => void
  readonly #bytesMax: number
  #chunks: Uint8Array[] = []
  #haveBytes = 0
  /** Bytes that must be there before the next look: a header, or a whole frame. */
  #needBytes = HEADER_BYTES
  #isStopped = false

  constructor(onFrame: (payload: Uint8Array) => void, bytesMax: number) {
    this.#onFrame = onFrame
    this.#bytesMax = bytesMax
  }

  /** False when a header announces more than `bytesMax`: the stream is beyond repair. */
  feed(chunk: Uint8Array): boolean {
    if (this.#isStopped) return true
    this.#chunks.push(chunk)
    this.#haveBytes += chunk.byteLength
    if (this.#haveBytes < this.#needBytes) return true
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let at = 0
    this.#needBytes = HEADER_BYTES
    while (bytes.byteLength - at >= HEADER_BYTES) {
      const length = view.getUint32(at)
      if (length > this.#bytesMax) return false
      if (bytes.byteLength - at - HEADER_BYTES < length) {
        this.#needBytes = HEADER_BYTES + length
        break
      }
      this.#onFrame(bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length))
      if (this.#isStopped) return true
      at += HEADER_BYTES + length
    }
    this.#chunks = at < bytes.byteLength ? [bytes.subarray(at)] : []
    this.#haveBytes = bytes.byteLength - at
    return true
  }

  /** Forgets what came and ignores what comes: its owner has given the stream up. */
  stop(): void {
    this.#isStopped = true
    this.#chunks = []
    this.#haveBytes = 0
  }
}
