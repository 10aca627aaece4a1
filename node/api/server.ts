/** The node's HTTP server on the unix socket and, when asked for, on TCP: who may connect, limits, start and stop. */
import { readFile } from 'node:fs/promises'
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { Failure } from '../errors.ts'
import { authenticate } from './auth.ts'
import type { ApiDeps, ApiOptions, TlsFiles } from './deps.ts'
import { createDispatch } from './dispatch.ts'
import { type Authenticate, createExchanges, type Exchanges } from './exchange.ts'
import { createGateway } from './gateway.ts'
import { nativeDialect } from './native/native.ts'
import { checkNoOrigin, checkOrigin, type HostNames, hostNameOf } from './origin.ts'
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

const LOCAL: Caller = { role: 'admin', name: 'local' }

export type Api = {
  /**
   * Opens the socket and the address. Throws E_CONFLICT (another node in this data directory), E_PORT_IN_USE,
   * E_INVALID (an address off loopback without TLS); nothing stays open then.
   */
  start(): Promise<void>
  /** Ends streams, lets other requests finish for a moment, closes everything; idempotent. */
  stop(): Promise<void>
  /** `host:port` of the TCP address while it is open, else null. */
  address(): string | null
}

/** Also answers what other nodes pass on, from the moment it is made. */
export const createApi = (options: ApiOptions, deps: ApiDeps): Api => {
  const { clock, consensus, node } = deps
  const exchanges = createExchangesOf(deps)
  let servers: Server[] = []
  let address: string | null = null

  const authenticateLocal: Authenticate = ({ headers: { host, origin } }) => {
    checkNoOrigin({ host, origin })
    return LOCAL
  }

  const authenticateRemote =
    (scheme: Scheme, names: HostNames): Authenticate =>
    ({ headers: { host, origin, authorization } }) => {
      checkOrigin({ host, origin }, scheme, names)
      return authenticate(authorization, consensus.state(), clock.wallMs())
    }

  const openLocal = async (): Promise<void> => {
    const server = equip(createServer(LIMITS), exchanges, authenticateLocal)
    await listenOnSocket(server, options.socketPath)
    servers.push(server)
  }

  const openRemote = async (listen: string): Promise<void> => {
    const wanted = tcpAddressOf(listen)
    if (options.tls === null && !isLoopback(wanted.host)) throw needsTls(listen)
    const names = new Set(
      [node.name, wanted.host, ...options.hostNames].map(name => hostNameOf(name) ?? name),
    )
    const [scheme, bare] = await bareServer(options.tls)
    const server = equip(bare, exchanges, authenticateRemote(scheme, names))
    const { host, port } = await listenOnTcp(server, wanted)
    servers.push(server)
    address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  }

  const stop = async (): Promise<void> => {
    const closing = servers
    servers = []
    address = null
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
    address: () => address,
  }
}

/** Gateway, routes and the door for other nodes: everything behind the sockets. */
const createExchangesOf = (deps: ApiDeps): Exchanges => {
  const { transport, clock, consensus, node, log, localLogs, randomId } = deps
  const gateway = createGateway({ consensus, clock })
  const peers = createPeerApi(transport, clock)
  const router = createRouter()
  const survey = createSurveyor({ peers, state: () => gateway.state(), self: node.id, clock })
  nativeDialect({ ...deps, gateway, peers, survey }).mount(router)
  const dispatch = createDispatch({ router, gateway, peers, node, log })
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

type Scheme = 'http' | 'https'

const bareServer = async (tls: TlsFiles | null): Promise<[Scheme, Server]> =>
  tls === null
    ? ['http', createServer(LIMITS)]
    : ['https', createTlsServer({ ...LIMITS, ...(await readTls(tls)) }) as Server]

const closeServer = (server: Server): Promise<void> =>
  new Promise(resolve => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })

const needsTls = (listen: string): Failure =>
  new Failure(
    'E_INVALID',
    {
      message: `the API on ${listen} needs TLS`,
      why: 'off loopback, tokens would travel in the clear',
      try: '--api 127.0.0.1:7700, and from elsewhere: ssh -L 7700:127.0.0.1:7700 HOST',
    },
    { facts: { address: listen } },
  )

const readTls = async ({ keyFile, certFile }: TlsFiles) => {
  try {
    const [key, cert] = await Promise.all([readFile(keyFile), readFile(certFile)])
    return { key, cert, minVersion: 'TLSv1.2' as const }
  } catch (cause) {
    throw new Failure(
      'E_INVALID',
      { message: 'the TLS key or certificate cannot be read', why: (cause as Error).message },
      { facts: { keyFile, certFile }, cause },
    )
  }
}

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
