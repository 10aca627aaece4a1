/** Gossipsub for small, rare rumours: signed by the author, relayed by members, and only of admitted authors. */
import {
  type GossipSub,
  type GossipSubComponents,
  gossipsub,
  type Message,
  StrictSign,
  TopicValidatorResult,
} from '@libp2p/gossipsub'
import { decode, encode } from '../codec.ts'
import type { Log } from '../log.ts'
import type { PeerId, Topic } from './transport.ts'

/** A rumour is a few hundred bytes; what is larger belongs on a stream. */
export const RUMOR_BYTES_MAX = 64 * 1024
const OUTBOUND_BYTES_MAX = 4 * 1024 * 1024

const TOPICS: readonly Topic[] = ['rumors']
const wireTopic = (topic: Topic): string => `/tutti/${topic}/1`

/**
 * Peer scoring is off: whoever may speak at all is a member. Its default punishes more than ten peers on one address
 * so hard that twenty nodes on one machine lose every subscription without an error.
 */
export const gossipService = (): ((components: GossipSubComponents) => GossipSub) =>
  gossipsub({
    globalSignaturePolicy: StrictSign,
    scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyWeight: 0 },
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    fallbackToFloodsub: false,
    emitSelf: false,
    allowedTopics: TOPICS.map(wireTopic),
    maxInboundDataLength: 1024 * 1024,
    maxOutboundBufferSize: OUTBOUND_BYTES_MAX,
    maxInboundStreams: 4,
    maxOutboundStreams: 4,
  })

export type PubsubOptions = {
  readonly isAdmitted: (peer: PeerId) => boolean
  /** False: the author says more than it may. */
  readonly maySay: (author: PeerId, topic: Topic, bytes: number) => boolean
  readonly handlers: ReadonlyMap<Topic, (from: PeerId, message: unknown) => void>
  readonly onMalformed: (from: PeerId, reason: string) => void
  readonly log: Log
}

/** Subscribes to every topic that has a handler; the service must be started. Returns how to publish. */
export const wirePubsub = (
  service: GossipSub,
  { isAdmitted, maySay, handlers, onMalformed, log }: PubsubOptions,
): ((topic: Topic, message: unknown) => void) => {
  const authorOf = (message: Message): PeerId | null =>
    message.type === 'signed' ? message.from.toString() : null

  for (const topic of TOPICS) {
    service.topicValidators.set(wireTopic(topic), (_relay, message) => {
      const author = authorOf(message)
      const bytes = message.data.byteLength
      if (author === null || !isAdmitted(author) || bytes > RUMOR_BYTES_MAX)
        return TopicValidatorResult.Reject
      // Whoever relays it is not to blame.
      return maySay(author, topic, bytes) ? TopicValidatorResult.Accept : TopicValidatorResult.Ignore
    })
    service.subscribe(wireTopic(topic))
  }

  service.addEventListener('message', event => {
    const author = authorOf(event.detail)
    const topic = TOPICS.find(known => wireTopic(known) === event.detail.topic)
    const handler = topic === undefined ? undefined : handlers.get(topic)
    if (author === null || handler === undefined) return
    let message: unknown
    try {
      message = decode(event.detail.data)
    } catch {
      return onMalformed(author, 'a rumour is no message')
    }
    handler(author, message)
  })

  return (topic, message) => {
    const bytes = encode(message)
    if (bytes.byteLength > RUMOR_BYTES_MAX) {
      log.warn('a rumour is too large and was not published', { topic, bytes: bytes.byteLength })
      return
    }
    service
      .publish(wireTopic(topic), bytes)
      .catch((error: Error) => log.debug('a rumour was not published', { topic, error: error.message }))
  }
}
