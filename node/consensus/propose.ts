/**
 * The `propose` channel between nodes: a follower asks the leader to append its clients' commands. A leader that
 * accepts says nothing, for the entry shows up in the asker's own log; one that refuses says why. An ask that is lost
 * is asked again by the submit actor, under the same request id. A message each, not a call each: opening a stream costs
 * more than everything else about a write.
 */
import type { ActorRef } from '../actor/actor.ts'
import type { PeerId } from './consensus.ts'
import type { ProposeRefusalReason, ProposeReply, RaftMessage } from './raft-protocol.ts'
import { examineRequest, mayPropose } from './request.ts'
import type { Store } from './store.ts'

/** `requestId` and `attempt` only serve to recognise the answer. */
export type Ask = {
  readonly type: 'ask'
  readonly requestId: string
  readonly attempt: number
  readonly data: Uint8Array
}

export type Refused = {
  readonly type: 'refused'
  readonly requestId: string
  readonly attempt: number
  readonly reason: ProposeRefusalReason
  readonly detail: string
}

const REASONS: ReadonlySet<string> = new Set<ProposeRefusalReason>([
  'notLeader',
  'busy',
  'transferring',
  'tooLarge',
  'notReady',
  'changeInFlight',
  'invalid',
  'forbidden',
])

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** Null for what no member says. */
const parse = (value: unknown): Ask | Refused | null => {
  if (!isRecord(value) || typeof value.requestId !== 'string' || !Number.isSafeInteger(value.attempt))
    return null
  const known = { requestId: value.requestId, attempt: value.attempt as number }
  if (value.type === 'ask' && value.data instanceof Uint8Array)
    return { type: 'ask', ...known, data: value.data }
  if (value.type === 'refused' && typeof value.reason === 'string' && REASONS.has(value.reason)) {
    const reason = value.reason as ProposeRefusalReason
    return { type: 'refused', ...known, reason, detail: String(value.detail ?? '') }
  }
  return null
}

export type ProposeDeps = {
  readonly raft: ActorRef<RaftMessage>
  readonly store: Pick<Store, 'state'>
  readonly entryBytesMax: number
  readonly send: (to: PeerId, message: Refused) => void
  /** The leader refused what this node had asked. */
  readonly onRefused: (refused: Refused) => void
}

/** For `transport.onMessage('propose', …)`: what is no request, too large or not the sender's to say gets nowhere near the log. */
export const proposeHandler =
  ({ raft, store, entryBytesMax, send, onRefused }: ProposeDeps) =>
  (from: PeerId, value: unknown): void => {
    const message = parse(value)
    if (message === null) return
    if (message.type === 'refused') return onRefused(message)
    const { requestId, attempt, data } = message
    const answer = (reply: ProposeReply): void => {
      if (reply.type === 'accepted') return
      send(from, { type: 'refused', requestId, attempt, reason: reply.reason, detail: reply.detail })
    }
    if (data.byteLength > entryBytesMax)
      return answer({ type: 'refused', reason: 'tooLarge', detail: `at most ${entryBytesMax} bytes` })
    const request = examineRequest(data)
    if (request === null)
      return answer({ type: 'refused', reason: 'invalid', detail: 'a proposal is no known command' })
    if (!mayPropose(from, request)) {
      const detail = `${request.command.type} is not this node's to say`
      return answer({ type: 'refused', reason: 'forbidden', detail })
    }
    // Already in the log, so the asker will find it there.
    if (store.state().requests.has(request.requestId)) return
    raft.send({ type: 'raft/Propose', data, replyTo: answer })
  }
