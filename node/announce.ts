/** A starting node tells the cluster that it is here, and as what; once that is in the log, its replica is fresh enough to act on. */
import type { Cluster, Command, NodeFacts } from '../scheduler/index.ts'
import type { Clock } from './clock.ts'
import type { Consensus } from './consensus/consensus.ts'
import { Failure } from './errors.ts'
import type { Log } from './log.ts'

export type Announcement = {
  readonly consensus: Pick<Consensus, 'state' | 'submit'>
  readonly facts: NodeFacts
  /** The founder's cluster, to be brought into being; null on every other node. */
  readonly founded: Cluster | null
  readonly clock: Clock
  readonly log: Log
  /** The node stops: give up. */
  readonly isOver: () => boolean
}

/** `left`: the log says that this node is no member any more, and never will be. */
export type Welcome = 'known' | 'left' | 'over'

const SUBMIT_TIMEOUT_MS = 10_000
const RETRY_MS = 500

/** Tries until the cluster answers, however long there is no quorum. */
export const announce = async (announcement: Announcement): Promise<Welcome> => {
  const { consensus, clock, log, isOver } = announcement
  while (!isOver()) {
    try {
      const outcome = await consensus.submit(commandOf(announcement), { timeoutMs: SUBMIT_TIMEOUT_MS })
      if (outcome.ok) return 'known'
      if (outcome.refusal.code === 'E_NODE_LEFT') return 'left'
      log.warn('the cluster refused this node', { code: outcome.refusal.code, why: outcome.refusal.message })
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown
      log.debug('the cluster cannot be told yet that this node is here', { code: thrown.code })
    }
    await new Promise<void>(resolve => {
      clock.after(RETRY_MS, resolve)
    })
  }
  return 'over'
}

/** Everybody but the founder of a cluster that does not exist yet says what it is now; that also ends a verdict of death. */
const commandOf = ({ consensus, facts, founded, clock }: Announcement): Command =>
  founded !== null && consensus.state().cluster === null
    ? { type: 'cluster/Init', atMs: clock.wallMs(), cluster: founded, node: facts }
    : { type: 'node/Update', atMs: clock.wallMs(), node: facts }
