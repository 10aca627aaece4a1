/** The `propose` protocol between nodes: what a leader accepts from another node, and the shapes on the wire. */
import type { ActorRef } from '../actor/actor.ts'
import { Failure } from '../errors.ts'
import type { Responder } from '../transport/transport.ts'
import type { PeerId } from './consensus.ts'
import type { ProposeRefusalReason, ProposeReply, RaftMessage } from './raft-protocol.ts'
import { mayPropose, parseRequest } from './request.ts'
import type { Store } from './store.ts'

const REASONS: ReadonlySet<string> = new Set<ProposeRefusalReason>([
  'notLeader',
  'busy',
  'transferring',
  'tooLarge',
  'notReady',
  'changeInFlight',
  'invalid',
])

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** Throws E_INTERNAL for what no leader says. */
export const parseProposeReply = (value: unknown): ProposeReply => {
  if (isRecord(value) && value.type === 'accepted' && isCount(value.index) && isCount(value.term))
    return { type: 'accepted', index: value.index, term: value.term }
  if (
    isRecord(value) &&
    value.type === 'refused' &&
    typeof value.reason === 'string' &&
    REASONS.has(value.reason)
  )
    return {
      type: 'refused',
      reason: value.reason as ProposeRefusalReason,
      detail: String(value.detail ?? ''),
    }
  return { type: 'refused', reason: 'notLeader', detail: 'the leader gave no answer' }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value)

/**
 * Answers other nodes' proposals. Refuses what is no request (E_INVALID), too large (E_TOO_LARGE), or not the
 * sender's to say (E_FORBIDDEN) before it gets near the log.
 */
export const proposeResponder = (deps: {
  readonly raft: ActorRef<RaftMessage>
  readonly store: Pick<Store, 'state'>
  readonly entryBytesMax: number
}): Responder =>
  async function* ({ from, request }) {
    const data = dataOf(request, deps.entryBytesMax)
    const requestId = checked(from, data)
    const known = deps.store.state().requests.get(requestId)
    if (known !== undefined) {
      yield { type: 'accepted', index: known.index, term: deps.store.state().term }
      return
    }
    yield await new Promise<ProposeReply>(replyTo => deps.raft.send({ type: 'raft/Propose', data, replyTo }))
  }

const dataOf = (request: unknown, bytesMax: number): Uint8Array => {
  const data = isRecord(request) ? request.data : undefined
  if (!(data instanceof Uint8Array)) throw new Failure('E_INVALID', 'a proposal carries bytes')
  if (data.byteLength > bytesMax)
    throw new Failure('E_TOO_LARGE', `a proposal has ${data.byteLength} bytes and may have ${bytesMax}`)
  return data
}

const checked = (from: PeerId, data: Uint8Array): string => {
  const request = parseRequest(data)
  if (request === null) throw new Failure('E_INVALID', 'a proposal is no known command')
  if (!mayPropose(from, request.command))
    throw new Failure('E_FORBIDDEN', `${request.command.type} is not this node's to say`)
  return request.requestId
}
