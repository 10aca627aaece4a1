/**
 * Joining, on the side of the stranger. Two calls over connections that prove both peers' keys: first the member proves
 * that it belongs to the cluster that the token pins, and only then does the joiner prove that it holds the token's
 * secret, which it shows to nobody (join-proof.ts). join-service.ts answers.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import type { NodeFacts } from '../../scheduler/index.ts'
import { type ErrorCode, Failure } from '../errors.ts'
import type { Transport } from '../transport/transport.ts'
import { isSignedBy } from './cluster-proof.ts'
import { type AdmitReply, parseAdmitReply, parseHelloReply } from './join-messages.ts'
import { proofOf } from './join-proof.ts'
import { type ParsedToken, parseToken, pinOf } from './token.ts'

export type Joined = AdmitReply

const HELLO_TIMEOUT_MS = 5_000
/** The member waits for the log, which may have to elect a leader first. */
const ADMIT_TIMEOUT_MS = 20_000
const NONCE_BYTES = 32

/** Refusals that another seed would only repeat. */
const FINAL: readonly ErrorCode[] = [
  'E_JOIN_TOKEN_UNKNOWN',
  'E_JOIN_TOKEN_EXPIRED',
  'E_JOIN_TOKEN_SPENT',
  'E_JOIN_TOKEN_REVOKED',
  'E_NAME_TAKEN',
  'E_VERSION',
  'E_NODE_LEFT',
  'E_LOG_LOST',
  'E_INVALID',
]

export type JoinOptions = {
  readonly transport: Pick<Transport, 'callAddress' | 'self'>
  /** `host:port` of members, tried in this order. */
  readonly seeds: readonly string[]
  readonly token: string
  /** What this node will be known as. */
  readonly facts: NodeFacts
}

/** Resolves once the log has this node. Throws Failure: E_JOIN_…, E_NAME_TAKEN, E_NODE_LEFT, E_LOG_LOST, E_UNREACHABLE with what was tried. */
export const joinCluster = async ({ transport, seeds, token: text, facts }: JoinOptions): Promise<Joined> => {
  const token = parseToken(text)
  const requestId = randomUUID()
  const failures: Failure[] = []
  for (const seed of seeds) {
    try {
      const member = await checkMember(transport, seed, token)
      return await askIn(transport, { seed, member, token, facts, requestId })
    } catch (thrown) {
      if (!(thrown instanceof Failure) || FINAL.includes(thrown.code)) throw thrown
      failures.push(thrown)
    }
  }
  const [first] = failures
  if (first !== undefined && (seeds.length === 1 || first.code === 'E_JOIN_WRONG_CLUSTER')) throw first
  throw new Failure('E_UNREACHABLE', {
    message: 'no member could be reached to join through',
    why: failures.map((failure, position) => `${seeds[position]}: ${failure.message}`).join('; then '),
    try: 'check the addresses and that a node runs there: tutti status',
  })
}

export type ProvenCaller = Pick<Transport, 'callAddress' | 'self'>

/** A member that has shown that it holds the pinned cluster's key, and what is needed to answer it. */
export type CheckedMember = {
  readonly id: string
  readonly clusterPublicKey: string
  readonly joinerNonce: string
  /** Null: it runs the version before, which asks for the secret itself. */
  readonly memberNonce: string | null
}

export const freshNonce = (): string => randomBytes(NONCE_BYTES).toString('base64')

/** Throws E_JOIN_WRONG_CLUSTER for whoever answers at the address and cannot prove the pinned key. */
export const checkMember = async (
  transport: ProvenCaller,
  seed: string,
  token: ParsedToken,
): Promise<CheckedMember> => {
  const nonce = freshNonce()
  const { member, answer } = await askAt(transport, seed, { type: 'hello', nonce }, HELLO_TIMEOUT_MS)
  const reply = parseHelloReply(answer)
  if (reply !== null && pinOf(reply.clusterPublicKey) === token.pin) {
    const { clusterPublicKey, signature, nonce: memberNonce } = reply
    const statement = { says: 'join', nonce, asker: transport.self, member } as const
    if (isSignedBy(clusterPublicKey, statement, signature))
      return { id: member, clusterPublicKey, joinerNonce: nonce, memberNonce }
  }
  throw new Failure('E_JOIN_WRONG_CLUSTER', {
    message: `${seed} is not a member of the cluster that the token belongs to`,
    why: 'it could not prove that it holds the pinned cluster key, so the token was not shown to it',
    try: 'check the address, or create a token on that very cluster: tutti token create',
  })
}

const askIn = async (
  transport: ProvenCaller,
  asked: {
    readonly seed: string
    readonly member: CheckedMember
    readonly token: ParsedToken
    readonly facts: NodeFacts
    readonly requestId: string
  },
): Promise<Joined> => {
  const { seed, member, token, facts, requestId } = asked
  const { id, clusterPublicKey, joinerNonce, memberNonce } = member
  if (memberNonce === null) throw isOlder(seed)
  const proof = proofOf(token.secret, {
    clusterPublicKey,
    tokenId: token.id,
    member: id,
    joiner: transport.self,
    memberNonce,
    joinerNonce,
  })
  const request = { type: 'admit', tokenId: token.id, proof, facts, requestId }
  const { answer } = await askAt(transport, seed, request, ADMIT_TIMEOUT_MS, id)
  const reply = parseAdmitReply(answer)
  if (reply === null)
    throw new Failure('E_UNREACHABLE', { message: `${seed} answered what this version does not understand` })
  return reply
}

/** It would take the secret. A joiner that gave in could be talked into showing it. */
const isOlder = (seed: string): Failure =>
  new Failure('E_UNREACHABLE', {
    message: `${seed} runs an older version, to which the secret would have to be shown`,
    try: 'join through a member that is upgraded already',
  })

/** The request leaves only after the connection has proven its peer, and only when that is `expected`, if one is named. */
export const askAt = async (
  transport: ProvenCaller,
  address: string,
  request: unknown,
  timeoutMs: number,
  expected: string | null = null,
): Promise<{ readonly member: string; readonly answer: unknown }> => {
  let member: string | null = null
  for await (const value of transport.callAddress(address, 'join', request, { timeoutMs })) {
    if (member !== null) return { member, answer: value }
    member = String(value)
    if (expected !== null && member !== expected)
      throw new Failure('E_UNREACHABLE', `${address} is answered by another node than a moment ago`)
  }
  throw new Failure('E_UNREACHABLE', `${address} closed the connection without an answer`)
}
