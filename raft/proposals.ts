// The leader's door for proposals: commands and changes of membership, accepted or refused on the spot.
import type { Core } from './core.ts'
import type { Propose, ProposeConfiguration } from './input.ts'
import { appendAsLeader, appendConfiguration, maybeCommit } from './leader.ts'
import { entryBytes } from './log.ts'
import { type ChangeResult, changeConfiguration, isJoint, leaveJoint } from './membership.ts'
import type { ProposalRefusal } from './ready.ts'
import { replicateToAll } from './replication.ts'

export const propose = (core: Core, { proposals }: Propose): void => {
  for (const { key, data } of proposals) {
    const index = core.log.lastIndex + 1
    const entry = { type: 'normal', index, term: core.term, data } as const
    const refusal = refusalOf(core, data.length, entryBytes(entry))
    if (refusal) {
      refuse(core, key, refusal)
      continue
    }
    appendAsLeader(core, entry)
    accept(core, key, index)
  }
  if (core.role === 'leader') replicateToAll(core)
}

export const proposeConfiguration = (core: Core, input: ProposeConfiguration): void => {
  const refusal = refusalOf(core, 0, 0) ?? refusalOfChange(core, input)
  if (refusal) return refuse(core, input.key, refusal)
  const change = nextConfiguration(core, input)
  if (!change.ok) return refuse(core, input.key, { reason: 'invalid', detail: change.detail })
  accept(core, input.key, appendConfiguration(core, change.configuration))
  // A smaller quorum may already hold what is there.
  maybeCommit(core)
}

const refusalOf = (core: Core, dataBytes: number, bytes: number): ProposalRefusal | null => {
  if (core.role !== 'leader') return { reason: 'notLeader', leader: core.leader }
  if (core.transferTarget !== null) return { reason: 'transferring' }
  if (dataBytes > core.options.entryBytesMax) return { reason: 'tooLarge' }
  const isOver = core.uncommittedBytes + bytes > core.options.uncommittedBytesMax
  return core.uncommittedBytes > 0 && isOver ? { reason: 'busy' } : null
}

/**
 * One change at a time, and none before the leader has committed in its own term: without that, two leaders of
 * different terms can each commit a change with majorities that do not overlap (raft-dev, July 2015).
 */
const refusalOfChange = (core: Core, input: ProposeConfiguration): ProposalRefusal | null => {
  if (!core.hasCommittedInTerm) return { reason: 'notReady' }
  if (!core.isConfigurationCommitted) return { reason: 'changeInFlight' }
  return isJoint(core.configuration) && input.changes.length > 0 ? { reason: 'changeInFlight' } : null
}

/** An empty list of changes ends a joint phase. */
const nextConfiguration = (core: Core, input: ProposeConfiguration): ChangeResult =>
  isJoint(core.configuration)
    ? { ok: true, configuration: leaveJoint(core.configuration) }
    : changeConfiguration(core.configuration, input.changes, input.autoLeave)

const accept = (core: Core, key: string, index: number): void => {
  core.outbox.proposals.push({ type: 'accepted', key, index, term: core.term })
}

const refuse = (core: Core, key: string, refusal: ProposalRefusal): void => {
  core.outbox.proposals.push({ type: 'refused', key, refusal })
}
