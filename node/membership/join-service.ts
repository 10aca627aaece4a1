/**
 * Joining, on the side of the members: any of them answers strangers, in the one protocol that strangers may speak.
 * What they send is checked in shape before anything else, and writes nothing to the log before a valid secret is proven.
 */
import {
  type Cluster,
  type Command,
  departedOf,
  judgeJoinToken,
  judgeProtocol,
  type NodeId,
  type Refusal,
  type State,
} from '../../scheduler/index.ts'
import type { Clock } from '../clock.ts'
import type { Consensus } from '../consensus/consensus.ts'
import { type ErrorCode, Failure } from '../errors.ts'
import { HostCounts } from '../host-counts.ts'
import type { Log } from '../log.ts'
import type { Call, PeerId, Transport } from '../transport/transport.ts'
import { signAs } from './cluster-proof.ts'
import { freshNonce } from './join.ts'
import {
  type AdmitReply,
  type AdmitRequest,
  type HelloReply,
  parseJoinRequest,
  type StandingReply,
} from './join-messages.ts'
import { isProof, joinHashOf } from './join-proof.ts'
import { hashSecret } from './token.ts'

const SUBMIT_TIMEOUT_MS = 15_000
/** Proofs of no valid secret, per address and minute: a person who mistypes needs a few, who guesses needs 2^159. */
export const WRONG_PROOFS_PER_MINUTE = 10
/** Strangers that were greeted and have not asked yet; with more, the oldest has to begin anew. */
const GREETED_MAX = 1_024

export type JoinService = {
  readonly transport: Pick<Transport, 'onCall' | 'self'>
  readonly consensus: Pick<Consensus, 'state' | 'submit' | 'barrier'>
  readonly clock: Clock
  readonly log: Log
  /** Told of each refusal, for the audit trail. `token` is the id of one that there is, else null. */
  readonly onRefused?: (refused: RefusedJoin) => void
}

export type RefusedJoin = {
  readonly peer: PeerId
  readonly host: string
  readonly token: string | null
  readonly code: ErrorCode
}

type Nonces = { readonly joinerNonce: string; readonly memberNonce: string }

export const serveJoins = (service: JoinService): void => {
  const { transport, consensus, clock } = service
  const greeted = new Map<PeerId, Nonces>()
  const wrongProofs = new HostCounts(clock)

  const greet = (from: PeerId, joinerNonce: string): HelloReply => {
    const cluster = clusterOf(consensus.state())
    const memberNonce = freshNonce()
    greeted.delete(from)
    greeted.set(from, { joinerNonce, memberNonce })
    const [oldest] = greeted.keys()
    if (greeted.size > GREETED_MAX && oldest !== undefined) greeted.delete(oldest)
    const statement = { says: 'join', nonce: joinerNonce, asker: from, member: transport.self } as const
    return { clusterPublicKey: cluster.publicKey, signature: signAs(cluster, statement), nonce: memberNonce }
  }

  transport.onCall('join', async function* ({ from, host, request }) {
    const asked = parseJoinRequest(request)
    if (asked === null) throw new Failure('E_INVALID', 'that is not a request to join')
    switch (asked.type) {
      case 'hello':
        yield greet(from, asked.nonce)
        return
      case 'standing':
        yield standingOf(consensus.state(), { nonce: asked.nonce, asker: from, member: transport.self })
        return
      case 'admit': {
        const nonces = greeted.get(from)
        // Each nonce serves once, whatever becomes of the attempt.
        greeted.delete(from)
        if (wrongProofs.of(host) >= WRONG_PROOFS_PER_MINUTE) throw tooMany()
        const tell = () => wrongProofs.add(host)
        yield await admit(service, asked, { from, host, nonces, onWrongProof: tell })
      }
    }
  })
}

/** A farewell is signed by the cluster, so that nobody else can make a node give up its work. */
const standingOf = (
  state: State,
  parts: { readonly nonce: string; readonly asker: PeerId; readonly member: PeerId },
): StandingReply => {
  const isLeft = departedOf(state, parts.asker as NodeId) !== null
  return { isLeft, signature: isLeft ? signAs(clusterOf(state), { says: 'left', ...parts }) : '' }
}

type Attempt = Pick<Call, 'from' | 'host'> & {
  readonly nonces: Nonces | undefined
  readonly onWrongProof: () => void
}

const admit = async (
  { transport, consensus, clock, log, onRefused }: JoinService,
  asked: AdmitRequest,
  { from, host, nonces, onWrongProof }: Attempt,
): Promise<AdmitReply> => {
  const { facts, tokenId, requestId } = asked
  const cluster = clusterOf(consensus.state())
  if (facts.id !== from) throw new Failure('E_INVALID', 'a node can only ask for itself')
  if (asked.shown.type === 'proof' && nonces === undefined)
    throw new Failure('E_INVALID', 'a proof answers to a nonce, and none is open for this node')
  const commandNow = (): Join => ({
    type: 'node/Join',
    atMs: clock.wallMs(),
    node: facts,
    tokenId,
    secretHash: shownHash(consensus.state().tokens.get(tokenId)?.secretHash, asked, {
      clusterPublicKey: cluster.publicKey,
      member: transport.self,
      joiner: from,
      nonces,
    }),
  })
  const refuse = ({ code, message }: Refusal): never => {
    if (code === 'E_JOIN_TOKEN_UNKNOWN') onWrongProof()
    log.warn('a node was refused', { peer: from, host, token: tokenId, code })
    onRefused?.({ peer: from, host, token: consensus.state().tokens.get(tokenId)?.id ?? null, code })
    throw refusalOf(code, message)
  }
  // A stranger writes nothing to the log; our replica may be behind the token, so it is judged by a fresh one.
  if (judgeStranger(consensus.state(), commandNow()) !== null)
    await consensus.barrier({ timeoutMs: SUBMIT_TIMEOUT_MS })
  const command = commandNow()
  const stranger = judgeStranger(consensus.state(), command)
  if (stranger !== null) refuse(stranger)
  const outcome = await consensus.submit(command, {
    // Its own words alone could name another request, whose outcome it would be given.
    requestId: `join ${from} ${requestId}`,
    timeoutMs: SUBMIT_TIMEOUT_MS,
  })
  if (!outcome.ok) refuse(outcome.refusal)
  log.info('a node was admitted', { peer: from, host, name: facts.name, token: tokenId })
  return {
    clusterId: cluster.id,
    clusterName: cluster.name,
    members: membersOf(consensus.state(), from),
  }
}

/** The hash that the log keeps of the token, when the joiner has proven to hold its secret; else one that no token has. */
const shownHash = (
  keptHash: string | undefined,
  { tokenId, shown }: AdmitRequest,
  {
    nonces,
    ...parts
  }: {
    readonly clusterPublicKey: string
    readonly member: PeerId
    readonly joiner: PeerId
    readonly nonces: Nonces | undefined
  },
): string => {
  if (shown.type === 'secret')
    // Tokens that the version before has made are kept under the other hash.
    return [joinHashOf(shown.text), hashSecret(shown.text)].find(hash => hash === keptHash) ?? ''
  const isProven = nonces !== undefined && isProof(keptHash, shown.text, { ...parts, ...nonces, tokenId })
  return isProven && keptHash !== undefined ? keptHash : ''
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

const tooMany = (): Failure =>
  new Failure('E_BUSY', {
    message: 'too many wrong tokens came from this address',
    why: 'whoever guesses is slowed down',
    try: 'wait a minute, then use a fresh one: on any member, tutti token create',
  })

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
