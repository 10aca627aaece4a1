/**
 * libp2p put together for this project: which parts, which limits, and what of its defaults is unsafe here. Imported
 * lazily, since it costs a quarter of a second.
 */
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import type { GossipSub } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { Connection, ConnectionGater, StreamHandler, StreamHandlerOptions } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { gathering } from './gather.ts'
import { noiseCrypto } from './noise-crypto.ts'
import { gossipService } from './pubsub.ts'

export { multiaddr }

export const peerIdOf = (privateKey: Uint8Array): string =>
  peerIdFromPrivateKey(privateKeyFromProtobuf(privateKey)).toString()

/** A leader has one to every node; libp2p would prune at 300. */
const CONNECTIONS_MAX = 4_096
/** The default of 5 per second and host makes nodes behind one address lose each other. */
const INBOUND_PER_SECOND_AND_HOST = 10_000
const PENDING_INBOUND_MAX = 1_000
const UPGRADE_MS_MAX = 5_000
const STREAMS_PER_CONNECTION_MAX = 512
/** Opened by the other side before this one is done with the handshake: all that was opened in one turn comes at once. */
const EARLY_STREAMS_MAX = 64
/** A paused reader holds at most one window; the reader's own limit must be above it, or the stream is reset. */
const WINDOW_BYTES_MAX = 1024 * 1024
const READ_BUFFER_BYTES_MAX = 8 * 1024 * 1024
export const DIAL_MS_MAX = 4_000

type Registrar = {
  handle(protocol: string, handler: StreamHandler, options?: StreamHandlerOptions): Promise<void>
}

/**
 * The same components, whose registrar lets only members' streams reach a service. Middleware (`node.use`) would be
 * the place, but libp2p appends every stream's handler to it and so calls old handlers with new streams.
 */
const forMembersOnly = <Components extends { registrar: Registrar }>(
  components: Components,
  isMember: (connection: Connection) => boolean,
): Components => {
  const registrar: Registrar = components.registrar
  const handle: Registrar['handle'] = (protocol, handler, options) =>
    registrar.handle(
      protocol,
      (stream, connection) => {
        if (isMember(connection)) return handler(stream, connection)
        stream.abort(new Error('only for members'))
      },
      options,
    )
  return Object.create(components, {
    registrar: { value: Object.create(registrar, { handle: { value: handle } }) },
  }) as Components
}

export type NodeOptions = {
  readonly privateKey: Uint8Array
  /** A multiaddr to listen on. */
  readonly listen: string
  readonly gater: ConnectionGater
  readonly isMember: (connection: Connection) => boolean
}

/** Not started. */
export const createNode = async ({ privateKey, listen, gater, isMember }: NodeOptions) =>
  createLibp2p<{ identify: Identify; gossip: GossipSub }>({
    start: false,
    privateKey: privateKeyFromProtobuf(privateKey),
    addresses: { listen: [listen] },
    transports: [tcp()],
    connectionEncrypters: [components => gathering(noise({ crypto: noiseCrypto })(components))],
    streamMuxers: [
      yamux({
        maxInboundStreams: STREAMS_PER_CONNECTION_MAX,
        maxOutboundStreams: STREAMS_PER_CONNECTION_MAX,
        maxEarlyStreams: EARLY_STREAMS_MAX,
        streamOptions: {
          maxStreamWindowSize: WINDOW_BYTES_MAX,
          maxReadBufferLength: READ_BUFFER_BYTES_MAX,
        },
      }),
    ],
    connectionGater: gater,
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      inboundConnectionThreshold: INBOUND_PER_SECOND_AND_HOST,
      maxIncomingPendingConnections: PENDING_INBOUND_MAX,
      dialTimeout: DIAL_MS_MAX,
      addressDialTimeout: DIAL_MS_MAX,
      reconnectRetries: 0,
      inboundUpgradeTimeout: UPGRADE_MS_MAX,
    },
    // It would ask each connection every few seconds; `silence.ts` asks those that owe an answer.
    connectionMonitor: { enabled: false },
    services: {
      // Asked by hand on members' connections: the answer proves that the other side has admitted us.
      identify: components => identify({ runOnConnectionOpen: false })(forMembersOnly(components, isMember)),
      gossip: components => gossipService()(forMembersOnly(components, isMember)),
    },
  })

export type Node = Awaited<ReturnType<typeof createNode>>
