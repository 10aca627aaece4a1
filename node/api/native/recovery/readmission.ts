/**
 * A member that lost its log asks to be let in again under its own name. It may have voted and acknowledged entries, and
 * has forgotten both, so it must not count as the voter that it was. It may count again once a configuration without it
 * is committed: whoever could still win with a forgotten vote has that configuration in its log, and does not count the
 * vote; and the state that is sent is as of a later entry, so it holds all that the member may have acknowledged.
 */
import type { NodeId } from '../../../../scheduler/index.ts'
import type { Consensus } from '../../../consensus/consensus.ts'
import { Failure } from '../../../errors.ts'

type Agreement = Pick<Consensus, 'status' | 'state' | 'changeConfiguration' | 'barrier'>

const BARRIER_TIMEOUT_MS = 5_000

/** On the leader. Resolves when the member is out of the membership, or in it anew; throws E_NO_LEADER elsewhere. */
export const readmit = async (consensus: Agreement, member: NodeId): Promise<void> => {
  const before = consensus.status()
  if (before.role !== 'leader') throw notLeader()
  if (before.isJoint) throw busy()
  if (consensus.state().nodes.get(member)?.state === 'left' || !consensus.state().nodes.has(member))
    throw new Failure('E_NODE_LEFT', {
      message: 'this node is no member any more',
      try: 'join anew with an empty data directory: tutti start --join HOST:PORT --token TOKEN',
    })
  const without = (ids: readonly string[]): readonly string[] => ids.filter(id => id !== member)
  const [voters, learners] = [without(before.voters), without(before.learners)]
  if (voters.length === 0) throw onlyVoter()
  await consensus.changeConfiguration({ voters, learners })
  // With it the quorum is what it was. The quorum keeper may be faster and have other plans, which is as well.
  if (before.voters.includes(member) && isStill(consensus, voters))
    await consensus.changeConfiguration({ voters: [...before.voters], learners }).catch(() => undefined)
  await consensus.barrier({ timeoutMs: BARRIER_TIMEOUT_MS })
}

const isStill = (consensus: Agreement, voters: readonly string[]): boolean => {
  const now = consensus.status()
  return !now.isJoint && String([...now.voters].sort()) === String([...voters].sort())
}

const notLeader = (): Failure =>
  new Failure('E_NO_LEADER', {
    message: 'this node does not lead',
    try: 'ask the node that leads: tutti raft',
  })

const busy = (): Failure =>
  new Failure('E_CONFLICT', { message: 'a change of the membership is under way', try: 'the same again' })

const onlyVoter = (): Failure =>
  new Failure('E_NO_QUORUM', {
    message: 'this node was the only voter',
    why: 'without its log nobody can decide anything',
    try: 'on the node with the most advanced log: tutti recover',
  })
