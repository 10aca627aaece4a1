/** A starting node tells the cluster that it is here, and as what; once that is in the log, its replica is fresh enough to act on. */
import type { Cluster, Command, NodeFacts, Refusal } from '../scheduler/index.ts'
import type { Clock } from './clock.ts'
import type { Consensus } from './consensus/consensus.ts'
import { Failure } from './errors.ts'
import type { Log } from './log.ts'
import type { NodeRecord } from './record.ts'

export type Announcement = {
  readonly consensus: Pick<Consensus, 'state' | 'submit'>
  readonly facts: NodeFacts
  /** The founder's cluster, to be brought into being; null on every other node. */
  readonly founded: Cluster | null
  /** Of a node that was restored from a backup which does not know it. */
  readonly admission: NodeRecord['admission'] | null
  readonly clock: Clock
  readonly log: Log
  /** The node stops: give up. */
  readonly isOver: () => boolean
}

/** `left`: the log says that this node is no member any more, and never will be. A refusal: it would be the same each time. */
export type Welcome = 'known' | 'left' | 'over' | Refusal

const SUBMIT_TIMEOUT_MS = 10_000
const RETRY_MS = 500
/** An election or two take less; what takes longer is for a person to know. */
const SILENCE_MS_MAX = 15_000

/** Tries until the cluster answers, however long there is no quorum. */
export const announce = async (announcement: Announcement): Promise<Welcome> => {
  const { consensus, clock, log, isOver } = announcement
  const sinceMs = clock.monotonicMs()
  let isSilenceTold = false
  while (!isOver()) {
    try {
      const outcome = await consensus.submit(commandOf(announcement), { timeoutMs: SUBMIT_TIMEOUT_MS })
      if (outcome.ok) return 'known'
      const { refusal } = outcome
      if (refusal.code === 'E_NODE_LEFT') return 'left'
      // Somebody else's cluster has come into being meanwhile; the next attempt says something else.
      if (refusal.code !== 'E_ALREADY_INITIALISED') return refusal
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown
      log.debug('the cluster cannot be told yet that this node is here', { code: thrown.code })
      if (!isSilenceTold && clock.monotonicMs() - sinceMs >= SILENCE_MS_MAX) {
        isSilenceTold = true
        log.warn('no leader has answered since this node started; its pods run on as they are', {
          code: thrown.code,
          why: 'a majority of the voters cannot be reached, or this node was removed while it was away',
        })
      }
    }
    await new Promise<void>(resolve => {
      clock.after(RETRY_MS, resolve)
    })
  }
  return 'over'
}

/** Everybody but the founder of a cluster that does not exist yet says what it is now; that also ends a verdict of death. */
const commandOf = ({ consensus, facts, founded, admission, clock }: Announcement): Command => {
  const { cluster, nodes } = consensus.state()
  const atMs = clock.wallMs()
  if (founded !== null && cluster === null)
    return { type: 'cluster/Init', atMs, cluster: founded, node: facts }
  if (admission && !nodes.has(facts.id)) return { type: 'node/Join', atMs, node: facts, ...admission }
  return { type: 'node/Update', atMs, node: facts }
}
