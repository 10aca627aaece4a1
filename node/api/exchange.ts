/** One HTTP request and its reply: proves the caller, dispatches, and writes no faster than the client reads. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Failure, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { readJson } from './body.ts'
import type { Dispatch } from './dispatch.ts'
import { errorReply, isStream, type Reply } from './reply.ts'
import type { ApiRequest, Caller } from './request.ts'

/** Replies that come over time, open at once on one node: each holds a connection and work behind it. */
export const STREAMS_MAX = 128
const REQUEST_ID = /^[\w.:-]{1,128}$/

/** Proves who sent a request by what its socket and headers show. Throws E_AUTH, E_FORBIDDEN. */
export type Authenticate = (request: IncomingMessage) => Caller

export type ExchangeDeps = {
  readonly dispatch: Dispatch
  randomId(): string
  readonly log: Log
}

export type Exchanges = {
  /** Serves one request to its end; never throws. */
  serve(request: IncomingMessage, response: ServerResponse, authenticate: Authenticate): Promise<void>
  /** Ends all replies that come over time; other requests finish. */
  abortStreams(): void
}

/** A request under way. Few of them ever look at their signal, so it is made for those who do. */
class Open {
  isStream = false
  #controller: AbortController | null = null
  #isAborted = false

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#isAborted) this.#controller.abort()
    return this.#controller.signal
  }

  abort(): void {
    this.#isAborted = true
    this.#controller?.abort()
  }
}

export const createExchanges = ({ dispatch, randomId, log }: ExchangeDeps): Exchanges => {
  const open = new Set<Open>()
  const streamCount = (): number => [...open].filter(exchange => exchange.isStream).length

  const reply = async (request: IncomingMessage, caller: Caller, exchange: Open): Promise<Reply> => {
    const answer = await dispatch(requestOf(request, caller, exchange, randomId))
    if (!isStream(answer)) return answer
    if (streamCount() >= STREAMS_MAX) {
      exchange.abort()
      return errorReply(tooManyStreams())
    }
    exchange.isStream = true
    return answer
  }

  return {
    async serve(request, response, authenticate) {
      const exchange = new Open()
      open.add(exchange)
      // Closed before it is finished: the client went away, and so does the work for it.
      response.once('close', () => response.writableFinished || exchange.abort())
      try {
        const answer = await attempt(() => reply(request, authenticate(request), exchange))
        await write(response, answer, { isBodyRead: request.complete })
      } catch (thrown) {
        log.debug('reply broke off', { url: request.url, error: messageOf(thrown) })
        response.destroy()
      } finally {
        open.delete(exchange)
      }
    },
    abortStreams() {
      for (const exchange of open) if (exchange.isStream) exchange.abort()
    },
  }
}

/** Refusals before the dispatcher: no standing headers, for they would tell a stranger about the cluster. */
const attempt = async (answer: () => Promise<Reply>): Promise<Reply> => {
  try {
    return await answer()
  } catch (thrown) {
    const isUnknown = thrown instanceof Failure && thrown.code === 'E_AUTH'
    return errorReply(thrown, isUnknown ? { headers: { 'www-authenticate': 'Bearer realm="tutti"' } } : {})
  }
}

const tooManyStreams = (): Failure =>
  new Failure('E_BUSY', {
    message: 'this node has too many open streams',
    why: `at most ${STREAMS_MAX} logs and events may be followed at once`,
    try: 'ask another node with --connect, or end some of them',
  })

const requestOf = (
  request: IncomingMessage,
  caller: Caller,
  exchange: Open,
  randomId: () => string,
): ApiRequest => {
  const { path, query } = targetOf(request.url ?? '/')
  let body: Promise<unknown> | null = null
  return {
    method: request.method ?? 'GET',
    path,
    query,
    caller,
    requestId: requestIdOf(request, randomId),
    isForwarded: false,
    get signal() {
      return exchange.signal
    },
    body: () => (body ??= readJson(request)),
  }
}

/** Splits by hand: the URL parser would rewrite `..` and accept another authority. */
const targetOf = (
  url: string,
): { readonly path: string; readonly query: Readonly<Record<string, string>> } => {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  if (!path.startsWith('/')) throw new Failure('E_INVALID', 'the request target must be a path')
  return { path, query: mark < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(mark + 1))) }
}

const requestIdOf = (request: IncomingMessage, randomId: () => string): string => {
  const given = request.headers['tutti-request-id']
  if (given === undefined) return randomId()
  if (typeof given === 'string' && REQUEST_ID.test(given)) return given
  throw new Failure('E_INVALID', 'tutti-request-id must be 1 to 128 letters, digits or . _ : -')
}

/** Waits for the client whenever the socket's buffer is full: nothing piles up behind a slow reader. */
const write = async (
  response: ServerResponse,
  { status, headers, body }: Reply,
  { isBodyRead }: { readonly isBodyRead: boolean },
): Promise<void> => {
  if (response.destroyed) return
  // With an unread rest the connection cannot carry another request.
  const ending = isBodyRead ? {} : { connection: 'close' }
  if (typeof body === 'string') {
    // With its length told, head and body leave as one; without it, in chunks.
    response.writeHead(status, { ...headers, ...ending, 'content-length': Buffer.byteLength(body) })
    return void response.end(body)
  }
  response.writeHead(status, { ...headers, ...ending })
  response.flushHeaders()
  for await (const text of body) {
    if (response.destroyed) return
    if (text !== '' && !response.write(text)) await drained(response)
  }
  response.end()
}

const drained = (response: ServerResponse): Promise<void> =>
  new Promise(resolve => {
    const settle = (): void => {
      response.off('drain', settle)
      response.off('close', settle)
      resolve()
    }
    response.once('drain', settle)
    response.once('close', settle)
  })
