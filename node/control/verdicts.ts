/**
 * Which nodes the leader declares dead or alive again. Gossip suspects, the log decides: a verdict needs the word of
 * gossip and the leader's own experience of the node by Raft, so neither a mere rumour nor one broken stream is enough. Pure.
 */
import type { MemberState } from '../../gossip/index.ts'
import type { NodeState } from '../../scheduler/index.ts'

export type Witnessed = {
  readonly id: string
  /** The last verdict in the log. */
  readonly state: NodeState
  /** What gossip believes; null: it never heard of the node. */
  readonly gossip: MemberState | null
  /** Milliseconds since Raft last heard of it; null: it is no follower of this leader. */
  readonly contactMs: number | null
  /** Raft hears of it this often when all is well. */
  readonly contactEveryMs: number
}

export type Verdict = { readonly id: string; readonly state: 'alive' | 'dead'; readonly reason: string }

/**
 * Three heartbeats: enough to confirm what gossip took seconds to find out, and all the grace that a new leader, whose
 * counts begin with its term, needs before it believes ill of a node.
 */
export const CONTACT_STALE_MS = 300

/** Whoever is fed by the leader is heard of with every heartbeat; whoever is not, in a large cluster, more seldom. */
export const staleAfterMs = (usualMs: number, contactEveryMs: number): number =>
  Math.max(usualMs, CONTACTS_MISSED_MAX * contactEveryMs)

const CONTACTS_MISSED_MAX = 3

/** `leadingMs`: for how long this node has led. A node that gossip has not met is given `unknownGraceMs` to show itself. */
export const judge = (
  nodes: readonly Witnessed[],
  { leadingMs, unknownGraceMs }: { readonly leadingMs: number; readonly unknownGraceMs: number },
): readonly Verdict[] => {
  if (leadingMs < CONTACT_STALE_MS) return []
  return nodes.flatMap((node): readonly Verdict[] => {
    const staleMs = staleAfterMs(CONTACT_STALE_MS, node.contactEveryMs)
    const isHeard = node.contactMs !== null && node.contactMs < staleMs
    if (node.state === 'dead')
      return isHeard && node.gossip === 'alive'
        ? [{ id: node.id, state: 'alive', reason: 'it answers again' }]
        : []
    if (node.state === 'left' || isHeard) return []
    if (node.gossip === 'dead')
      return [{ id: node.id, state: 'dead', reason: 'it answers neither the other nodes nor the leader' }]
    if (node.gossip === 'left')
      return [{ id: node.id, state: 'dead', reason: 'it said farewell and answers no more' }]
    if (
      node.gossip === null &&
      leadingMs >= unknownGraceMs &&
      (node.contactMs ?? leadingMs) >= unknownGraceMs
    )
      return [{ id: node.id, state: 'dead', reason: 'no node has met it since this leader took over' }]
    return []
  })
}
