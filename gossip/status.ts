/** What a node says of its own view, for people and for a leader that wants agreement. */
import type { Core } from './core.ts'
import type { Member, NodeId } from './member.ts'

/** Why a member is held suspect or dead: the leader may demand agreement before it commits the verdict. */
export type Doubt = {
  readonly id: NodeId
  readonly state: 'suspect' | 'dead'
  /** When the suspicion began, on this node's monotonic clock. */
  readonly sinceMs: number
  /** Nodes whose own probes failed and that told us so themselves; may contain ourselves. */
  readonly confirmedBy: readonly NodeId[]
}

export type SwimStatus = {
  readonly phase: 'new' | 'running' | 'left' | 'expelled'
  readonly self: Member
  /** Whether another member has answered with its full state, or there is no other member. */
  readonly hasJoined: boolean
  /** Local health: 0 is well; each point makes this node wait longer before it blames others. */
  readonly awareness: number
  readonly doubts: readonly Doubt[]
  /** Rumours still being spread, and probes under way. */
  readonly rumorCount: number
  readonly probeCount: number
}

export function doubtsOf(core: Core): Doubt[] {
  const doubts: Doubt[] = []
  for (const { id, state } of core.peers.all()) {
    const suspicion = core.suspicions.get(id)
    if (suspicion === undefined || !(state === 'suspect' || state === 'dead')) continue
    doubts.push({ id, state, sinceMs: suspicion.sinceMs, confirmedBy: [...suspicion.accusers] })
  }
  return doubts
}
