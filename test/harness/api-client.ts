/** A bare HTTP client for tests of the API: it sends what it is told, proper or not, and shows everything that comes back. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { ErrorBody, List } from '../../node/api/native/schema.ts'

export type Door = { readonly socketPath: string } | { readonly host: string; readonly port: number }

export type Sent = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Text goes out as it is, anything else as JSON. */
  readonly body?: unknown
}

export type Answer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** The parsed body; fails the test when it is no JSON. */
  json<T>(): T
  items<T>(): readonly T[]
  error(): ErrorBody['error']
}

const open = (
  door: Door,
  path: string,
  sent: Sent,
): { request: ClientRequest; response: Promise<IncomingMessage> } => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const text =
    sent.body === undefined || typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body)
  // Node's client sends the body of a DELETE without any length unless it is told one.
  const length = text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) }
  const framing = sent.headers?.['transfer-encoding'] === undefined ? length : {}
  const request = httpRequest(
    { ...door, path, method: sent.method ?? 'GET', headers: { ...framing, ...sent.headers }, agent: false },
    resolve,
  )
  request.once('error', reject)
  request.end(text)
  return { request, response: promise }
}

export const ask = async (door: Door, path: string, sent: Sent = {}): Promise<Answer> => {
  const response = await open(door, path, sent).response
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response) text += chunk
  const json = <T>(): T => JSON.parse(text) as T
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text,
    json,
    items: <T>() => json<List<T>>().items,
    error: () => json<ErrorBody>().error,
  }
}

export type Stream = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** The next line; null when the answer has ended properly. Rejects when it was cut off. */
  next<T>(): Promise<T | null>
  /** Hangs up. */
  close(): void
}

export const follow = async (door: Door, path: string, sent: Sent = {}): Promise<Stream> => {
  const { request, response: opening } = open(door, path, sent)
  const response = await opening
  request.on('error', () => undefined)
  const lines = linesOf(response)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    async next<T>() {
      const { value, done } = await lines.next()
      return done === true ? null : (JSON.parse(value) as T)
    },
    close: () => request.destroy(),
  }
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8')
  let rest = ''
  for await (const chunk of response) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines.filter(line => line !== '')
  }
}

/** Sends these very bytes and gives back everything until the other side hangs up. */
export const raw = (door: Door, bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = 'socketPath' in door ? connect({ path: door.socketPath }) : connect(door)
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', chunk => {
      text += chunk
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(text))
    socket.write(bytes)
  })
