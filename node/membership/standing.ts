/**
 * A node that nobody lets in asks whether it is a member still. One that was removed while it was cut off would never
 * hear of it otherwise: the entry that says so does not reach it, and to the others it is a stranger. Only the cluster's
 * own signature makes it believe that, for then it gives up its work for good.
 */
import type { State } from '../../scheduler/index.ts'
import type { Clock } from '../clock.ts'
import type { Consensus } from '../consensus/consensus.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { isSignedBy } from './cluster-proof.ts'
import { askAt, freshNonce, type ProvenCaller } from './join.ts'
import { parseStandingReply } from './join-messages.ts'
import type { Peers } from './roster.ts'

/** Elections and restarts take less; a node that follows a leader has no reason to ask. */
const LONELY_MS = 3_000
const ASK_EVERY_MS = 2_000
const ASK_TIMEOUT_MS = 3_000

export type Standing = 'left' | 'unsaid'

/** Throws E_UNREACHABLE and E_TIMEOUT. Whoever answers without the key of this cluster has said nothing. */
export const askStanding = async (
  transport: ProvenCaller,
  address: string,
  clusterPublicKey: string,
): Promise<Standing> => {
  const nonce = freshNonce()
  const { member, answer } = await askAt(transport, address, { type: 'standing', nonce }, ASK_TIMEOUT_MS)
  const reply = parseStandingReply(answer)
  const statement = { says: 'left', nonce, asker: transport.self, member } as const
  return reply?.isLeft === true && isSignedBy(clusterPublicKey, statement, reply.signature)
    ? 'left'
    : 'unsaid'
}

export type StandingWatch = { stop(): void }

/** Asks one peer after the other for as long as no leader is known here; `onLeft` is called at most once. */
export const watchStanding = (options: {
  readonly transport: ProvenCaller
  readonly consensus: Pick<Consensus, 'state' | 'status'>
  /** Where peers may be. */
  readonly peers: () => Peers
  readonly clock: Clock
  readonly log: Log
  readonly onLeft: () => void
}): StandingWatch => {
  const { transport, consensus, clock, log } = options
  let isStopped = false
  let aloneSinceMs = clock.monotonicMs()
  let turn = 0
  let cancel = () => {}

  const look = async (): Promise<void> => {
    const nowMs = clock.monotonicMs()
    if (consensus.status().leader !== null) aloneSinceMs = nowMs
    if (nowMs - aloneSinceMs < LONELY_MS) return
    const key = clusterKeyOf(consensus.state())
    const addresses = [...options.peers().values()].flatMap(list => list.slice(0, 1))
    const address = addresses[turn++ % Math.max(1, addresses.length)]
    if (key === null || address === undefined) return
    const standing = await askStanding(transport, address, key).catch((thrown: unknown) => {
      log.debug('a peer did not say whether this node is a member', { address, error: messageOf(thrown) })
      return 'unsaid'
    })
    if (standing !== 'left' || isStopped) return
    isStopped = true
    log.error('this node was removed from its cluster while it was away', { told: address })
    options.onLeft()
  }

  const again = (): void => {
    if (isStopped) return
    cancel = clock.after(ASK_EVERY_MS, () => void look().then(again))
  }
  again()
  return {
    stop() {
      isStopped = true
      cancel()
    },
  }
}

/** Null: this node's log never told, so nobody could be believed. */
const clusterKeyOf = ({ cluster }: State): string | null => cluster?.publicKey ?? null
