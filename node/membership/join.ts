/**
 * Joining: a stranger asks a member to let it in. Two calls over connections that prove both peers' keys. First the
 * member proves that it belongs to the cluster that the token pins; only then does the joiner show its secret.
 */
import { createPrivateKey, createPublicKey, randomBytes, randomUUID, sign, verify } from 'node:crypto'
import {
  type Cluster,
  type Command,
  departedOf,
  judgeJoinToken,
  judgeProtocol,
  type NodeFacts,
  type Refusal,
  type State,
} from '../../scheduler/index.ts'
import type { Clock } from '../clock.ts'
import type { Consensus } from '../consensus/consensus.ts'
import { type ErrorCode, Failure } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Transport } from '../transport/transport.ts'
import { type AdmitReply, parseAdmitReply, parseHelloReply, parseJoinRequest } from './join-messages.ts'
import { hashSecret, type ParsedToken, parseToken, pinOf } from './token.ts'

export type Joined = AdmitReply

const HELLO_TIMEOUT_MS = 5_000
/** The member waits for the log, which may have to elect a leader first. */
const ADMIT_TIMEOUT_MS = 20_000
const SUBMIT_TIMEOUT_MS = 15_000
const NONCE_BYTES = 32
/** Raw Ed25519 keys are wrapped in this to become SPKI (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

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

type ProvenCaller = Pick<Transport, 'callAddress' | 'self'>

/** The peer id of the member behind the address, once it has shown that it holds the pinned cluster's key. */
export const checkMember = async (
  transport: ProvenCaller,
  seed: string,
  token: ParsedToken,
): Promise<string> => {
  const nonce = randomBytes(NONCE_BYTES).toString('base64')
  const { member, answer } = await ask(transport, seed, { type: 'hello', nonce }, HELLO_TIMEOUT_MS)
  const reply = parseHelloReply(answer)
  if (reply !== null && pinOf(reply.clusterPublicKey) === token.pin) {
    const signed = challenge({ nonce, joiner: transport.self, member })
    if (isSignedBy(reply.clusterPublicKey, signed, reply.signature)) return member
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
    readonly member: string
    readonly token: ParsedToken
    readonly facts: NodeFacts
    readonly requestId: string
  },
): Promise<Joined> => {
  const { seed, token, facts, requestId } = asked
  const request = { type: 'admit', tokenId: token.id, secret: token.secret, facts, requestId }
  const { answer } = await ask(transport, seed, request, ADMIT_TIMEOUT_MS, asked.member)
  const reply = parseAdmitReply(answer)
  if (reply === null)
    throw new Failure('E_UNREACHABLE', { message: `${seed} answered what this version does not understand` })
  return reply
}

/** The request leaves only after the connection has proven its peer, and only when that is `expected`, if one is named. */
const ask = async (
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

/** Binds the proof to this joiner and this member, so that it cannot be relayed. */
const challenge = (parts: {
  readonly nonce: string
  readonly joiner: string
  readonly member: string
}): Buffer => Buffer.from(['tutti join 1', parts.nonce, parts.joiner, parts.member].join('\n'))

const isSignedBy = (publicKey: string, message: Buffer, signature: string): boolean => {
  const raw = Buffer.from(publicKey, 'base64')
  if (raw.length !== 32) return false
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' })
  return verify(null, message, key, Buffer.from(signature, 'base64'))
}

const signAs = (cluster: Cluster, message: Buffer): string => {
  const key = createPrivateKey({
    key: Buffer.from(cluster.privateKey, 'base64'),
    format: 'der',
    type: 'pkcs8',
  })
  return sign(null, message, key).toString('base64')
}

export type JoinService = {
  readonly transport: Pick<Transport, 'onCall' | 'self'>
  readonly consensus: Pick<Consensus, 'state' | 'submit' | 'barrier'>
  readonly clock: Clock
  readonly log: Log
}

/** Any member answers joiners. What a stranger sends is checked in shape before anything else; floods are the transport's matter. */
export const serveJoins = ({ transport, consensus, clock, log }: JoinService): void => {
  transport.onCall('join', async function* ({ from, request }) {
    const asked = parseJoinRequest(request)
    if (asked === null) throw new Failure('E_INVALID', 'that is not a request to join')
    const cluster = clusterOf(consensus.state())
    if (asked.type === 'hello') {
      const message = challenge({ nonce: asked.nonce, joiner: from, member: transport.self })
      yield { clusterPublicKey: cluster.publicKey, signature: signAs(cluster, message) }
      return
    }
    if (asked.facts.id !== from) throw new Failure('E_INVALID', 'a node can only ask for itself')
    const command = {
      type: 'node/Join',
      atMs: clock.wallMs(),
      node: asked.facts,
      tokenId: asked.tokenId,
      secretHash: hashSecret(asked.secret),
    } as const
    const refuse = (refusal: Refusal): never => {
      log.warn('a node was refused', { peer: from, token: asked.tokenId, code: refusal.code })
      throw refusalOf(refusal.code, refusal.message)
    }
    // A stranger writes nothing to the log; our replica may be behind the token, so it is judged by a fresh one.
    if (judgeStranger(consensus.state(), command) !== null)
      await consensus.barrier({ timeoutMs: SUBMIT_TIMEOUT_MS })
    const stranger = judgeStranger(consensus.state(), command)
    if (stranger !== null) refuse(stranger)
    const outcome = await consensus.submit(command, {
      // Its own words alone could name another request, whose outcome it would be given.
      requestId: `join ${from} ${asked.requestId}`,
      timeoutMs: SUBMIT_TIMEOUT_MS,
    })
    if (!outcome.ok) refuse(outcome.refusal)
    log.info('a node was admitted', { peer: from, name: asked.facts.name })
    yield {
      clusterId: cluster.id,
      clusterName: cluster.name,
      members: membersOf(consensus.state(), from),
    } satisfies AdmitReply
  })
}

type Join = Extract<Command, { type: 'node/Join' }>

/** Why this state would not even look at the request: it comes from nobody that a valid token was given to. */
const judgeStranger = (state: State, { node, tokenId, secretHash, atMs }: Join): Refusal | null => {
  const departed = departedOf(state, node.id)
  if (departed !== null)
    return { code: 'E_NODE_LEFT', message: `node ${departed.name} has left the cluster`, facts: {} }
  if (state.nodes.has(node.id)) return null
  return judgeJoinToken(state.tokens.get(tokenId), secretHash, atMs) ?? judgeProtocol(state, node)
}

const clusterOf = (state: State): Cluster => {
  if (state.cluster !== null) return state.cluster
  throw new Failure('E_NO_LEADER', {
    message: 'this node does not know its own cluster yet',
    try: 'ask again in a moment, or another member',
  })
}

const membersOf = (state: State, joiner: string): AdmitReply['members'] =>
  [...state.nodes.values()]
    .filter(node => node.id !== joiner && node.state !== 'left')
    .map(node => ({ id: node.id, addresses: [node.peerAddress] }))

const refusalOf = (code: ErrorCode, message: string): Failure =>
  new Failure(code, {
    message: `the cluster refused the join: ${message}`,
    ...(code.startsWith('E_JOIN_TOKEN') ? { try: 'on any member: tutti token create' } : {}),
    ...(code === 'E_NAME_TAKEN' ? { try: 'tutti start --name ANOTHER …' } : {}),
    ...(code === 'E_VERSION' ? { try: 'who runs what: tutti nodes -o wide' } : {}),
    ...(code === 'E_NODE_LEFT' ? { try: 'move the data directory away, then join again' } : {}),
    ...(code === 'E_LOG_LOST' ? LOG_LOST : {}),
  })

const LOG_LOST = {
  why: 'a node that forgot what it promised to the others must not vote again under the same key',
  try: 'tutti repair --join HOST:PORT --token TOKEN with the same --data, which fetches its state from that member',
}
