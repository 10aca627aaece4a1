/** One-way messages over libp2p: an outbox per peer and channel outward, decoded frames to one handler inward. */
import type { Stream } from '@libp2p/interface'
import type { Clock } from '../clock.ts'
import { decode, encode, FRAME_BYTES_MAX } from '../codec.ts'
import { Failure, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { frameOf } from './frames.ts'
import type { Link } from './links.ts'
import { Outbox } from './outbox.ts'
import { readFrames, writableOf } from './streams.ts'
import type { Channel, PeerId } from './transport.ts'

export const CHANNELS: readonly Channel[] = ['raft', 'swim', 'propose']
const STREAM_OPEN_MS_MAX = 5_000

const wireChannel = (channel: Channel): string => `/tutti/${channel}/1`

export type MailOptions = {
  readonly clock: Clock
  readonly log: Log
  /** The confirmed connection to a member. */
  readonly linkTo: (peer: PeerId) => Link | null
  /** Something left for the peer, or came from it. */
  readonly onSent: (to: PeerId) => void
  readonly onHeard: (from: PeerId) => void
  /** False: the peer says more than it may, and its connection ends. */
  readonly maySay: (from: PeerId, channel: Channel, bytes: number) => boolean
  readonly onMalformed: (from: PeerId, reason: string) => void
  readonly onDropped: (to: PeerId, channel: Channel) => void
}

export class Mail {
  readonly #options: MailOptions
  readonly #outboxes = new Map<PeerId, Map<Channel, Outbox>>()
  readonly #handlers = new Map<Channel, (from: PeerId, message: unknown) => void>()

  constructor(options: MailOptions) {
    this.#options = options
  }

  onMessage(channel: Channel, handler: (from: PeerId, message: unknown) => void): void {
    this.#handlers.set(channel, handler)
  }

  /** `hold` keeps the message until the connection stands. False: dropped. */
  send(to: PeerId, channel: Channel, message: unknown, how: 'now' | 'hold'): boolean {
    const payload = encode(message)
    if (payload.byteLength > FRAME_BYTES_MAX) {
      this.#options.log.error('a message is larger than a frame and was dropped', {
        to,
        channel,
        bytes: payload.byteLength,
      })
      return this.#dropped(to, channel)
    }
    const outbox = this.#outbox(to, channel)
    const frame = frameOf(payload)
    const isQueued = how === 'now' ? outbox.send(frame) : outbox.hold(frame)
    if (how === 'now' && isQueued) this.#options.onSent(to)
    return isQueued || this.#dropped(to, channel)
  }

  #dropped(to: PeerId, channel: Channel): false {
    this.#options.onDropped(to, channel)
    return false
  }

  /** The connection stands: what was held may go. */
  flush(peer: PeerId): void {
    for (const outbox of this.#outboxes.get(peer)?.values() ?? []) outbox.flushSoon()
  }

  /** The connection is gone, and with it the streams and what was queued. */
  reset(peer: PeerId): void {
    for (const outbox of this.#outboxes.get(peer)?.values() ?? []) outbox.reset()
    this.#outboxes.delete(peer)
  }

  queuedBytes(): number {
    let bytes = 0
    for (const outboxes of this.#outboxes.values())
      for (const outbox of outboxes.values()) bytes += outbox.queuedBytes
    return bytes
  }

  #outbox(peer: PeerId, channel: Channel): Outbox {
    const ofPeer = this.#outboxes.get(peer) ?? new Map<Channel, Outbox>()
    this.#outboxes.set(peer, ofPeer)
    const known = ofPeer.get(channel)
    if (known !== undefined) return known
    const outbox = new Outbox(async on => {
      const link = this.#options.linkTo(peer)
      if (link === null) throw new Failure('E_UNREACHABLE', `there is no connection to ${peer}`)
      const signal = AbortSignal.timeout(STREAM_OPEN_MS_MAX)
      return writableOf(await link.connection.newStream(wireChannel(channel), { signal }), on)
    }, this.#options.clock)
    ofPeer.set(channel, outbox)
    return outbox
  }

  /** libp2p's handlers, one per channel, for streams that members opened. */
  *inbound(): Iterable<{ readonly name: string; readonly handle: (stream: Stream, from: PeerId) => void }> {
    for (const channel of CHANNELS) {
      yield { name: wireChannel(channel), handle: (stream, from) => this.#receive(channel, stream, from) }
    }
  }

  #receive(channel: Channel, stream: Stream, from: PeerId): void {
    const { log, onHeard, maySay, onMalformed } = this.#options
    const stop = readFrames(stream, FRAME_BYTES_MAX, {
      onMalformed: reason => onMalformed(from, reason),
      onFrame: payload => {
        if (!maySay(from, channel, payload.byteLength)) return stop()
        onHeard(from)
        try {
          // An entry that lives on in the log keeps those that came in its message, and must not keep the whole packet.
          this.#handlers.get(channel)?.(from, decode(new Uint8Array(payload)))
        } catch (thrown) {
          if (!(thrown instanceof Failure)) {
            log.error('a message handler failed', { from, channel, error: messageOf(thrown) })
            return
          }
          stop()
          onMalformed(from, thrown.message)
          stream.abort(thrown)
        }
      },
    })
    stream.addEventListener('remoteCloseWrite', () => {
      stream.close().catch((error: Error) => stream.abort(error))
    })
  }
}
