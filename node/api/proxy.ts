/** Answers by another node: passing a request on, reading a peer's logs, clock, digest and view of the others, and the responder at the other end. */
import type { PodId } from '../../scheduler/index.ts'
import type { Clock } from '../clock.ts'
import { Failure, failureOf } from '../errors.ts'
import type { Call, PeerId, Responder, Transport } from '../transport/transport.ts'
import type { LocalLogLine, LocalLogs, LogOptions } from './deps.ts'
import { answerOf, callOf, type PeerAnswer, type PeerCall } from './peer-message.ts'
import type { Reply } from './reply.ts'
import type { ApiRequest } from './request.ts'
import type { StateDigest } from './state-digest.ts'
import { withBeats, withDeadline } from './stream.ts'
import type { Survey } from './survey-message.ts'

/** To reach the node at all. */
const REACH_TIMEOUT_MS = 5_000
/** A node that answers over time says so this often … */
const BEAT_MS = 5_000
/** … and is given up after this silence: two beats may be late. */
const SILENCE_MS_MAX = 15_000
/** Far below a frame's limit, whatever the text encodes to. */
const CHUNK_CHARACTERS_MAX = 256 * 1024

export type Peer = { readonly id: PeerId; readonly name: string }

/** All throw E_UNREACHABLE naming the node when it does not answer, or stops answering. */
export type PeerApi = {
  /** The peer's whole answer, errors included. Resolves with the head; the body follows. */
  forward(peer: Peer, request: ApiRequest): Promise<Reply>
  /** The log lines of one of the peer's pods. */
  logs(peer: Peer, pod: string, container: string | null, options: LogOptions): AsyncIterable<LocalLogLine>
  /** The peer's wall clock, milliseconds since the epoch. */
  wallMs(peer: Peer, signal: AbortSignal): Promise<number>
  /** The digest of the peer's state. */
  digest(peer: Peer, signal: AbortSignal): Promise<StateDigest>
  /** What the peer was sent, as it came back. */
  echo(peer: Peer, text: string, signal: AbortSignal): Promise<string>
  /** What the peer sees of the other nodes. */
  survey(peer: Peer, signal: AbortSignal): Promise<Survey>
}

export const createPeerApi = (transport: Pick<Transport, 'call'>, clock: Clock): PeerApi => {
  async function* ask(peer: Peer, call: PeerCall, signal: AbortSignal): AsyncGenerator<PeerAnswer> {
    const answers = transport.call(peer.id, 'api', call, { timeoutMs: REACH_TIMEOUT_MS, signal })
    try {
      for await (const value of withDeadline(answers, SILENCE_MS_MAX, clock, () => silent(peer))) {
        const answer = answerOf(value)
        if (answer.type !== 'open' && answer.type !== 'beat') yield answer
      }
    } catch (thrown) {
      throw naming(peer, failureOf(thrown))
    }
  }

  return {
    async forward(peer, request) {
      const body = await request.body()
      const { node: _answeredThere, ...query } = request.query
      const { method, path, requestId, caller } = request
      const call: PeerCall = {
        type: 'request',
        method,
        path,
        query,
        body: body ?? null,
        hasBody: body !== undefined,
        requestId,
        caller,
      }
      const answers = ask(peer, call, request.signal)
      const { value: head } = await answers.next()
      if (head?.type !== 'head') throw cutShort(peer)
      return { status: head.status, headers: head.headers, body: textsOf(answers) }
    },
    async *logs(peer, pod, container, { follow, tail, signal }) {
      for await (const answer of ask(peer, { type: 'logs', pod, container, follow, tail }, signal))
        if (answer.type === 'line') yield answer.line
    },
    async wallMs(peer, signal) {
      for await (const answer of ask(peer, { type: 'clock' }, signal))
        if (answer.type === 'time') return answer.wallMs
      throw cutShort(peer)
    },
    async digest(peer, signal) {
      for await (const answer of ask(peer, { type: 'digest' }, signal))
        if (answer.type === 'digest') return answer
      throw cutShort(peer)
    },
    async echo(peer, text, signal) {
      for await (const answer of ask(peer, { type: 'echo', text }, signal))
        if (answer.type === 'echo') return answer.text
      throw cutShort(peer)
    },
    async survey(peer, signal) {
      for await (const answer of ask(peer, { type: 'survey' }, signal))
        if (answer.type === 'survey') return { mtu: answer.mtu, sights: answer.sights }
      throw cutShort(peer)
    },
  }
}

async function* textsOf(answers: AsyncIterable<PeerAnswer>): AsyncGenerator<string> {
  for await (const answer of answers) if (answer.type === 'chunk') yield answer.text
}

const silent = (peer: Peer): Failure => new Failure('E_TIMEOUT', `${peer.name} fell silent`)

const cutShort = (peer: Peer): Failure =>
  naming(peer, new Failure('E_UNREACHABLE', `${peer.name} ended its answer too early`))

/** Failures to reach become E_UNREACHABLE with the node's name; what the node itself refused stays as it is. */
const naming = (peer: Peer, failure: Failure): Failure => {
  if (failure.code !== 'E_UNREACHABLE' && failure.code !== 'E_TIMEOUT') return failure
  return new Failure(
    'E_UNREACHABLE',
    { message: `node ${peer.name} does not answer`, why: failure.message, try: 'tutti nodes' },
    { facts: { node: peer.name }, cause: failure },
  )
}

export type ResponderDeps = {
  /** Answers a request as if a client had sent it here; never throws. */
  dispatch(request: ApiRequest): Promise<Reply>
  readonly localLogs: LocalLogs
  digest(): StateDigest
  survey(): Promise<Survey>
  readonly clock: Clock
}

/** The answering end, for `transport.onCall('api', …)`. Only admitted members reach it. */
export const createResponder =
  (deps: ResponderDeps): Responder =>
  call =>
    answering(deps, call)

async function* answering(deps: ResponderDeps, { from, request, signal }: Call): AsyncGenerator<PeerAnswer> {
  yield { type: 'open' }
  const asked = callOf(request)
  yield* withBeats(answersTo(deps, asked, { from, signal }), { type: 'beat' }, BEAT_MS, deps.clock)
}

async function* answersTo(
  { dispatch, localLogs, digest, survey, clock }: ResponderDeps,
  asked: PeerCall,
  { from, signal }: Pick<Call, 'from' | 'signal'>,
): AsyncGenerator<PeerAnswer> {
  switch (asked.type) {
    case 'request':
      yield* answersOf(await dispatch(forwardedRequest(asked, from, signal)))
      return
    case 'logs': {
      const { container, follow, tail } = asked
      for await (const line of localLogs(asked.pod as PodId, container, { follow, tail, signal }))
        yield { type: 'line', line }
      return
    }
    case 'clock':
      yield { type: 'time', wallMs: clock.wallMs() }
      return
    case 'digest':
      yield { type: 'digest', ...digest() }
      return
    case 'echo':
      yield { type: 'echo', text: asked.text }
      return
    case 'survey':
      yield { type: 'survey', ...(await survey()) }
  }
}

const forwardedRequest = (
  call: Extract<PeerCall, { type: 'request' }>,
  from: PeerId,
  signal: AbortSignal,
): ApiRequest => ({
  method: call.method,
  path: call.path,
  query: call.query,
  // Its own word about itself does not count: the connection has proven who it is.
  caller: { ...call.caller, via: from },
  requestId: call.requestId,
  isForwarded: true,
  signal,
  body: async () => (call.hasBody ? call.body : undefined),
})

async function* answersOf(reply: Reply): AsyncGenerator<PeerAnswer> {
  yield { type: 'head', status: reply.status, headers: reply.headers }
  if (typeof reply.body === 'string') yield* chunksOf(reply.body)
  else for await (const text of reply.body) yield* chunksOf(text)
}

function* chunksOf(text: string): Generator<PeerAnswer> {
  for (let start = 0; start < text.length; ) {
    const end = start + CHUNK_CHARACTERS_MAX
    // A character outside the basic plane is two units; cut in half it would not survive UTF-8.
    const isInsidePair = (text.charCodeAt(end) & 0xfc00) === 0xdc00
    const cut = isInsidePair ? end - 1 : end
    yield { type: 'chunk', text: text.slice(start, cut) }
    start = cut
  }
}
