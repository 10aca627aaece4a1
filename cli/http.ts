/** One request to one node, over its unix socket or TCP: tries the addresses in order, and says what it tried. */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { ERRORS, type ErrorCode, Failure } from '../node/errors.ts'
import { usage } from './usage.ts'

export type Address =
  | { readonly type: 'unix'; readonly path: string }
  | { readonly type: 'http' | 'https'; readonly host: string; readonly port: number }

export type Target = {
  readonly addresses: readonly string[]
  readonly token: string | null
  /** The certificate (PEM) that TLS servers are checked against; null: that of the cluster which the token pins. */
  readonly authority?: string | null
}

export type HttpRequest = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With its query. */
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

const CONNECT_TIMEOUT_MS = 3000
const BODY_BYTES_MAX = 64 * 1024 * 1024
const LINE_LENGTH_MAX = 4 * 1024 * 1024

const NOT_OURS = 'its certificate is not of the cluster that was logged in to'

/** `unix:/path`, `/path`, `http://host:port`, `https://…` or `host:port`. Throws E_USAGE for anything else. */
export const parseAddress = (text: string): Address => {
  if (text.startsWith('unix:'))
    return { type: 'unix', path: text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '') }
  if (text.startsWith('/')) return { type: 'unix', path: text }
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`)
  if (url === null || url.hostname === '' || url.pathname !== '/') {
    throw usage(`"${text}" is not the address of a node`, {
      why: 'it must be unix:PATH or http(s)://HOST:PORT',
      try: 'TUTTI_CONNECT=http://127.0.0.1:7700 tutti status',
    })
  }
  const type = url.protocol === 'https:' ? 'https' : 'http'
  const port = url.port === '' ? 7700 : Number(url.port)
  return { type, host: url.hostname.replace(/^\[|\]$/g, ''), port }
}

/** The response of the first node that takes the connection. Throws Failure: E_UNREACHABLE, or what the node answered. */
export const send = async (target: Target, request: HttpRequest): Promise<IncomingMessage> => {
  const tried: string[] = []
  for (const text of target.addresses) {
    try {
      const response = await attempt(parseAddress(text), target, request)
      if ((response.statusCode ?? 500) < 400) return response
      throw await failureOfResponse(response)
    } catch (thrown) {
      if (thrown instanceof Failure || request.signal.aborted) throw thrown
      tried.push(`${text}: ${reasonOf(thrown)}`)
    }
  }
  throw new Failure('E_UNREACHABLE', {
    message: 'no node answers',
    why: `tried ${tried.join(', then ')}`,
    try: 'tutti start    or name a running node: TUTTI_CONNECT=http://HOST:7700',
  })
}

const attempt = async (
  address: Address,
  { token, authority = null }: Target,
  request: HttpRequest,
): Promise<IncomingMessage> => {
  if (address.type === 'http' && token !== null && !isLoopback(address.host)) throw inTheClear(address)
  const trust = address.type === 'https' ? await trustIn(address, { token, authority }, request.signal) : {}
  const body = request.body === undefined ? null : JSON.stringify(request.body)
  const options: RequestOptions = {
    method: request.method,
    path: request.path,
    agent: false,
    signal: request.signal,
    ...trust,
    headers: {
      ...(body === null
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...(token === null || address.type === 'unix' ? {} : { authorization: `Bearer ${token}` }),
      ...request.headers,
    },
    ...(address.type === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port }),
  }
  const open = address.type === 'https' ? (await import('node:https')).request : httpRequest
  return new Promise((resolve, reject) => {
    const outgoing = open(options, resolve)
    const timer = setTimeout(
      () => outgoing.destroy(new Error('did not take the connection')),
      CONNECT_TIMEOUT_MS,
    )
    outgoing.once('socket', socket => {
      if (!socket.connecting) clearTimeout(timer)
      else socket.once('connect', () => clearTimeout(timer))
    })
    outgoing.once('close', () => clearTimeout(timer))
    outgoing.once('error', reject)
    outgoing.end(body ?? undefined)
  })
}

/** Where nothing leaves this machine, or goes through a tunnel that begins on it. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)

const inTheClear = ({ host, port }: { readonly host: string; readonly port: number }): Failure =>
  usage(`http://${host}:${port} would carry the token in the clear`, {
    why: 'only loopback addresses are spoken to without TLS',
    try: `https://${host}:${port}`,
  })

/** Authorities that were fetched: one look serves all requests of a command. */
const fetched = new Map<string, Promise<string>>()

/** Throws E_AUTH when nothing says whose server it must be, E_JOIN_WRONG_CLUSTER when it is another’s. */
const trustIn = async (
  { host, port }: { readonly host: string; readonly port: number },
  { token, authority }: { readonly token: string | null; readonly authority: string | null },
  signal: AbortSignal,
): Promise<{ readonly ca: string; readonly checkServerIdentity: () => undefined }> => {
  // Only members hold the authority's key, and all are as good: which of them it is, under which name, does not matter.
  const checkServerIdentity = (): undefined => undefined
  if (authority !== null) return { ca: authority, checkServerIdentity }
  if (token === null)
    throw new Failure('E_AUTH', {
      message: `https://${host}:${port} takes requests with a token only`,
      why: 'a token also says which cluster must answer',
      try: `tutti login https://${host}:${port}`,
    })
  const { parseToken } = await import('../node/membership/token.ts')
  const { fetchAuthority } = await import('./trust.ts')
  const { pin } = parseToken(token)
  const key = `${host} ${port} ${pin}`
  const known = fetched.get(key) ?? fetchAuthority({ host, port }, pin, signal)
  fetched.set(key, known)
  known.catch(() => fetched.delete(key))
  return { ca: await known, checkServerIdentity }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such socket',
  ECONNREFUSED: 'nobody listens there',
  EACCES: 'not allowed to open it (whose node is it?)',
  ENOTFOUND: 'no such host',
  EHOSTUNREACH: 'host unreachable',
  ECONNRESET: 'the connection was cut',
  EPROTO: 'it does not speak TLS',
  CERT_HAS_EXPIRED: 'its certificate has expired, or a clock is wrong',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet, or a clock is wrong',
  CERT_SIGNATURE_FAILURE: NOT_OURS,
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_OURS,
  SELF_SIGNED_CERT_IN_CHAIN: NOT_OURS,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_OURS,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_OURS,
}

const reasonOf = (thrown: unknown): string => {
  const { code, message } = thrown as NodeJS.ErrnoException
  return (code === undefined ? undefined : REASONS[code]) ?? message
}

/** The whole body as JSON. Throws E_INTERNAL when it is none, E_TOO_LARGE when there is no end to it. */
export const readJson = async (response: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    size += (chunk as Buffer).length
    if (size > BODY_BYTES_MAX) throw new Failure('E_TOO_LARGE', 'the answer is too large')
    chunks.push(chunk as Buffer)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  try {
    return JSON.parse(text)
  } catch {
    throw new Failure('E_INTERNAL', {
      message: `the node answered with something that is not JSON (HTTP ${response.statusCode})`,
      why: 'another program may be listening on that address',
    })
  }
}

/** The values of a body of JSON lines, as they come. */
export async function* readLines(response: IncomingMessage): AsyncGenerator<unknown> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > LINE_LENGTH_MAX) throw new Failure('E_TOO_LARGE', 'a line of the answer is too long')
    for (const line of lines) if (line !== '') yield JSON.parse(line)
  }
  if (rest !== '') yield JSON.parse(rest)
}

const failureOfResponse = async (response: IncomingMessage): Promise<Failure> => {
  const body = (await readJson(response)) as { error?: Record<string, unknown> } | null
  const error = body?.error
  const status = response.statusCode ?? 500
  const code = String(error?.code ?? '')
  const known = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : codeOfStatus(status)
  return new Failure(
    known,
    {
      message:
        typeof error?.message === 'string' ? error.message : `the node refused the request (HTTP ${status})`,
      ...(typeof error?.why === 'string' ? { why: error.why } : {}),
      ...(typeof error?.try === 'string' ? { try: error.try } : {}),
    },
    { facts: (error?.facts ?? {}) as Failure['facts'] },
  )
}

const codeOfStatus = (status: number): ErrorCode => {
  const found = Object.entries(ERRORS).find(([, meaning]) => meaning.status === status)
  return (found?.[0] ?? 'E_INTERNAL') as ErrorCode
}
