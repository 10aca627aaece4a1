/** The node's HTTP server on the unix socket and, when asked for, on TCP: who may connect, limits, start and stop. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { Failure } from '../errors.ts'
import { createAuthenticator } from './auth.ts'
import { keepCertificate } from './certificates.ts'
import type { ApiDeps, ApiOptions } from './deps.ts'
import { createDispatch } from './dispatch.ts'
import { type Authenticate, createExchanges, type Exchanges } from './exchange.ts'
import { createGateway } from './gateway.ts'
import { nativeDialect } from './native/native.ts'
import { checkNoOrigin, checkOrigin, type OwnNames, ownNames } from './origin.ts'
import { ownHosts } from './own-hosts.ts'
import { createPeerApi, createResponder } from './proxy.ts'
import { errorReply } from './reply.ts'
import type { Caller } from './request.ts'
import { createRouter } from './router.ts'
import { isLoopback, listenOnSocket, listenOnTcp, tcpAddressOf } from './socket.ts'
import { stateDigest } from './state-digest.ts'
import { createSurveyor } from './survey.ts'

/** Of one server. Beyond it, new connections are closed at once. */
const CONNECTIONS_MAX = 512
const HEADERS_MAX = 100
/** How long requests under way may take to finish once the node stops. */
const DRAIN_MS = 1_000

const LIMITS: ServerOptions = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  // Of receiving a request, not of answering it.
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
  // Finds out that the reader of a quiet stream is gone.
  keepAlive: true,
  keepAliveInitialDelay: 15_000,
}

const TLS = {
  minVersion: 'TLSv1.2',
  // Who connects and says nothing holds one of the few connections.
  handshakeTimeout: 10_000,
} as const

const LOCAL: Caller = {
  role: 'admin',
  name: 'local',
  via: null,
  from: null,
  namespace: null,
  grants: [],
}

export type Api = {
  /**
   * Opens the socket and the address, which speaks TLS unless it is a loopback one. Throws E_CONFLICT (another node in
   * this data directory), E_PORT_IN_USE, E_INVALID; nothing stays open then.
   */
  start(): Promise<void>
  /** Ends streams, lets other requests finish for a moment, closes everything; idempotent. */
  stop(): Promise<void>
  /** `http://host:port` or `https://host:port` of the TCP address while it is open, else null. */
  url(): string | null
}

/** Also answers what other nodes pass on, from the moment it is made. */
export const createApi = (options: ApiOptions, deps: ApiDeps): Api => {
  const { clock } = deps
  const exchanges = createExchangesOf(deps)
  const authenticate = createAuthenticator({
    state: deps.consensus.state,
    clock,
    note: deps.note,
  })
  let servers: Server[] = []
  let url: string | null = null
  let certificate: { stop(): void } | null = null

  const authenticateLocal: Authenticate = ({ headers: { host, origin } }) => {
    checkNoOrigin({ host, origin })
    return LOCAL
  }

  const authenticateRemote =
    (own: () => OwnNames): Authenticate =>
    ({ headers: { host, origin, authorization }, socket }) => {
      checkOrigin({ host, origin }, own())
      return authenticate({ authorization, address: addressOf(socket) })
    }

  const openLocal = async (): Promise<void> => {
    const server = equip(createServer(LIMITS), exchanges, authenticateLocal)
    await listenOnSocket(server, options.socketPath)
    servers.push(server)
  }

  const openRemote = async (listen: string): Promise<void> => {
    const wanted = tcpAddressOf(listen)
    const scheme = isLoopback(wanted.host) ? 'http' : 'https'
    const hosts = ownHosts(wanted.host, [deps.node.name, ...options.hostNames])
    let own = ownNames(hosts, { scheme, port: wanted.port })
    const bare = scheme === 'http' ? createServer(LIMITS) : createTlsServer({ ...LIMITS, ...TLS })
    const server = equip(
      bare as Server,
      exchanges,
      authenticateRemote(() => own),
    )
    if (scheme === 'https') certificate = certify(bare as TlsServer, hosts, deps)
    const { host, port } = await listenOnTcp(server, wanted)
    own = ownNames(hosts, { scheme, port })
    servers.push(server)
    url = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
  }

  const stop = async (): Promise<void> => {
    const closing = servers
    servers = []
    url = null
    certificate?.stop()
    exchanges.abortStreams()
    const closed = Promise.all(closing.map(closeServer))
    const cancel = clock.after(DRAIN_MS, () => {
      for (const server of closing) server.closeAllConnections()
    })
    await closed
    cancel()
  }

  return {
    async start() {
      await openLocal()
      try {
        if (options.listen !== null) await openRemote(options.listen)
      } catch (thrown) {
        await stop()
        throw thrown
      }
    },
    stop,
    url: () => url,
  }
}

/** Until the log tells the cluster's key there is no certificate, and no handshake succeeds. */
const certify = (
  server: TlsServer,
  hosts: readonly string[],
  { consensus, clock, log, node }: ApiDeps,
): { stop(): void } =>
  keepCertificate(
    {
      cluster: () => consensus.state().cluster,
      subscribe: listener => consensus.subscribe(() => listener()),
      name: node.name,
      hosts,
      clock,
      log,
    },
    ({ key, cert }) => server.setSecureContext({ ...TLS, key, cert }),
  )

/** As one machine is known under: an IPv4 address that came in over an IPv6 socket is the same one. */
const addressOf = ({ remoteAddress = '' }: Socket): string => remoteAddress.replace(/^::ffff:/, '')

/** Gateway, routes and the door for other nodes: everything behind the sockets. */
const createExchangesOf = (deps: ApiDeps): Exchanges => {
  const { transport, clock, consensus, node, log, localLogs, randomId, note } = deps
  const gateway = createGateway({ consensus, clock })
  const peers = createPeerApi(transport, clock)
  const router = createRouter()
  const survey = createSurveyor({ peers, state: () => gateway.state(), self: node.id, clock })
  nativeDialect({ ...deps, gateway, peers, survey }).mount(router)
  const dispatch = createDispatch({ router, gateway, peers, node, log, note })
  const digest = () => stateDigest(gateway.state())
  transport.onCall('api', createResponder({ dispatch, localLogs, digest, survey, clock }))
  return createExchanges({ dispatch, randomId, log })
}

const equip = (server: Server, exchanges: Exchanges, authenticateRequest: Authenticate): Server => {
  server.maxConnections = CONNECTIONS_MAX
  server.maxHeadersCount = HEADERS_MAX
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void exchanges.serve(request, response, authenticateRequest)
  })
  server.on('clientError', refuseMalformed)
  return server
}

const closeServer = (server: Server): Promise<void> =>
  new Promise(resolve => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })

/** What is no HTTP at all, or too large or too slow a header, gets its status and the connection ends. */
const refuseMalformed = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (!socket.writable) return void socket.destroy()
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ''] ?? 400
  const { body } = errorReply(new Failure('E_INVALID', 'this is not a well-formed HTTP request'))
  const text = body as string
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  )
}
