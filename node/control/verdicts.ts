/**
 * Which nodes the leader would declare dead, or alive again. Gossip suspects, the log decides: a death needs the verdict of
 * gossip, the leader's own experience of the node by Raft while a quorum follows it, and the word of another node that has
 * looked for itself. So neither a rumour, nor one reporter, nor one broken line is enough. Pure; brake.ts says when.
 */
import type { MemberState } from '../../gossip/index.ts'
import type { NodeState } from '../../scheduler/index.ts'

export type Witnessed = {
  readonly id: string
  readonly name: string
  /** Failure domain; null: none is named. */
  readonly zone: string | null
  /** The last verdict in the log. */
  readonly state: NodeState
  /** What gossip believes; null: it never heard of the node. */
  readonly gossip: MemberState | null
  /** Members whose own probes failed and that said so themselves; may contain the leader. */
  readonly accusers: readonly string[]
  /** Milliseconds since gossip began to doubt it; null: it does not. */
  readonly doubtedMs: number | null
  /** How long the leader has known of it without a word of its own in the log; absent: it has spoken. */
  readonly unspokenMs?: number
  /** Milliseconds since Raft last heard of it; null: it is no follower of this leader. */
  readonly contactMs: number | null
  /** Raft hears of it this often when all is well. */
  readonly contactEveryMs: number
}

export type Verdict = { readonly id: string; readonly state: 'alive' | 'dead'; readonly reason: string }

export type Bench = {
  /** The leader. */
  readonly self: string
  /** For how long it has led. */
  readonly leadingMs: number
  /** A majority of the voters follows it at this moment. */
  readonly hasQuorum: boolean
  /** A node that gossip has not met, or that was admitted and has not spoken yet, is given so long to show itself. */
  readonly unknownGraceMs: number
}

/**
 * Three heartbeats: enough to confirm what gossip took seconds to find out, and all the grace that a new leader, whose
 * counts begin with its term, needs before it believes ill of a node.
 */
export const CONTACT_STALE_MS = 300

/** A node that the leader alone accuses has so long to refute it through any other: a node that runs does so in two. */
export const LONE_WORD_MS = 10_000

const CONTACTS_MISSED_MAX = 3

/** Whoever is fed by the leader is heard of with every heartbeat; whoever is not, in a large cluster, more seldom. */
export const staleAfterMs = (usualMs: number, contactEveryMs: number): number =>
  Math.max(usualMs, CONTACTS_MISSED_MAX * contactEveryMs)

/** By Raft, lately. */
export const isHeard = ({
  contactMs,
  contactEveryMs,
}: Pick<Witnessed, 'contactMs' | 'contactEveryMs'>): boolean =>
  contactMs !== null && contactMs < staleAfterMs(CONTACT_STALE_MS, contactEveryMs)

export const judge = (nodes: readonly Witnessed[], bench: Bench): readonly Verdict[] => {
  if (bench.leadingMs < CONTACT_STALE_MS) return []
  return nodes.flatMap((node): readonly Verdict[] => {
    if (node.state === 'dead')
      return isHeard(node) && node.gossip === 'alive'
        ? [{ id: node.id, state: 'alive', reason: 'it answers again' }]
        : []
    if (node.state === 'left' || isHeard(node) || !bench.hasQuorum) return []
    // It is let in before its program runs: until then it refuses whoever looks for it.
    if (node.unspokenMs !== undefined && node.unspokenMs < bench.unknownGraceMs) return []
    const reason = reasonOfDeath(node, nodes, bench)
    return reason === null ? [] : [{ id: node.id, state: 'dead', reason }]
  })
}

const reasonOfDeath = (
  node: Witnessed,
  nodes: readonly Witnessed[],
  { self, leadingMs, unknownGraceMs }: Bench,
): string | null => {
  switch (node.gossip) {
    case 'dead':
      return accusation(node, nodes, self)
    case 'left':
      return 'it said farewell and answers no more'
    case null: {
      const unseenMs = Math.min(leadingMs, node.contactMs ?? leadingMs)
      return unseenMs >= unknownGraceMs ? 'no node has met it since this leader took over' : null
    }
    default:
      return null
  }
}

/** Who bears witness beside the leader; null while somebody could and nobody has. */
const accusation = (node: Witnessed, nodes: readonly Witnessed[], self: string): string | null => {
  const others = nodes.filter(({ id, state }) => id !== self && id !== node.id && state === 'alive')
  const [first, ...more] = others.filter(({ id }) => node.accusers.includes(id)).map(({ name }) => name)
  if (first !== undefined)
    return `it answers neither ${[first, ...more].slice(0, 3).join(', ')} nor the leader`
  if (!others.some(isHeard)) return 'it answers the leader no more, and nobody else is there to ask'
  return (node.doubtedMs ?? 0) >= LONE_WORD_MS
    ? 'it answers the leader no more, and has refuted that through nobody else'
    : null
}
