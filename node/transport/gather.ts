/**
 * Fewer and fuller packets below libp2p's streams. By itself yamux sends a credit for every frame that it receives, and
 * Noise writes a length and its bytes apart: four system calls and four packets where one will do. Here all frames of
 * one turn of the event loop are encrypted and written as one, and credits wait for company.
 */
import type { ConnectionEncrypter, MessageStream, SecuredConnection } from '@libp2p/interface'

type Bytes = Parameters<MessageStream['send']>[0]

/**
 * Credits that are held back in sum. Far below the 256 KiB window that yamux gives every stream, so a sender never
 * waits for them.
 */
export const HELD_CREDIT_BYTES_MAX = 64 * 1024

/** Yamux's frame header: version, type, flags (2), stream (4), length (4). A credit without flags opens and ends nothing. */
const HEADER_BYTES = 12
const WINDOW_UPDATE = [0, 1, 0, 0] as const

const flat = (data: Bytes): Uint8Array => (data instanceof Uint8Array ? data : data.subarray())

/** The bytes that a mere credit grants; null for every other frame. */
const creditOf = (frame: Uint8Array): number | null => {
  if (frame.byteLength !== HEADER_BYTES || WINDOW_UPDATE.some((byte, at) => frame[at] !== byte)) return null
  return new DataView(frame.buffer, frame.byteOffset).getUint32(8)
}

/** Noise's own look at the two bytes that tell how long a record is. */
type LengthDecoder = (data: { readonly length: number }) => number

const LENGTH_BYTES = 2
const NO_LENGTH = new RangeError('the next record has not come')

/**
 * After each packet Noise looks for a further record, and learns by an error that there is none. Making one with its stack
 * takes as long as decrypting a small record; the same one does each time.
 */
const hushed = (secured: MessageStream & { readonly decoder?: { lengthDecoder?: LengthDecoder } }): void => {
  const { decoder } = secured
  const given = decoder?.lengthDecoder
  if (decoder === undefined || given === undefined) return
  decoder.lengthDecoder = data => {
    if (data.length < LENGTH_BYTES) throw NO_LENGTH
    return given(data)
  }
}

/** After all microtasks of this turn, before the next event is looked at. */
const atEndOfTurn = (action: () => void): void => queueMicrotask(() => process.nextTick(action))

/** Replaces `send` of a secured connection over `raw`, in place. `close` of either lets what waits leave first. */
const gather = (secured: MessageStream, raw: MessageStream): void => {
  const sendSecured = secured.send.bind(secured)
  const sendRaw = raw.send.bind(raw)
  const closeRaw = raw.close.bind(raw)
  let waiting: Uint8Array[] = []
  let heldBytes = 0
  let isPlanned = false

  const flush = (): void => {
    isPlanned = false
    const frames = waiting
    waiting = []
    heldBytes = 0
    if (frames.length === 0 || secured.status !== 'open' || raw.status !== 'open') return
    sendSecured(frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames))
  }

  secured.send = data => {
    const frame = flat(data)
    waiting.push(frame)
    const credit = creditOf(frame)
    heldBytes += credit ?? 0
    const mustLeave = credit === null || heldBytes > HELD_CREDIT_BYTES_MAX
    if (mustLeave && !isPlanned) {
      isPlanned = true
      atEndOfTurn(flush)
    }
    return !secured.writableNeedsDrain
  }
  raw.send = data => sendRaw(flat(data))
  raw.close = options => {
    flush()
    return closeRaw(options)
  }
}

/** The same encryption with its writes gathered. */
export const gathering = <Extension>(
  encrypter: ConnectionEncrypter<Extension>,
): ConnectionEncrypter<Extension> => {
  const gathered = (
    secured: SecuredConnection<Extension>,
    raw: MessageStream,
  ): SecuredConnection<Extension> => {
    gather(secured.connection, raw)
    hushed(secured.connection)
    return secured
  }
  return {
    protocol: encrypter.protocol,
    secureInbound: async (raw, options) => gathered(await encrypter.secureInbound(raw, options), raw),
    secureOutbound: async (raw, options) => gathered(await encrypter.secureOutbound(raw, options), raw),
  }
}
