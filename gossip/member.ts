/** A member as gossip knows it, and the one total order that decides which of two claims about it wins. */

/** The identity of a node: its libp2p peer id. Never an address; it survives restarts and moves. */
export type NodeId = string

/** `suspect` still counts as running; `dead` is a verdict; `left` is a farewell. */
export type MemberState = 'alive' | 'suspect' | 'dead' | 'left'

/**
 * One claim about one node. `incarnation`, `addresses` and `metadata` are written by the node itself only;
 * anybody may claim another `state` for an incarnation it has seen. Plain data, safe for msgpackr.
 */
export type Member = {
  readonly id: NodeId
  /** A whole number that only its subject raises, so a newer word of the subject beats all older claims. */
  readonly incarnation: number
  readonly state: MemberState
  /** Where peers reach it, as `host:port`, best first. */
  readonly addresses: readonly string[]
  /** Small and flat: name, API address, zone. It travels with every rumour about the node. */
  readonly metadata: Readonly<Record<string, string>>
}

const RANK: Readonly<Record<MemberState, number>> = { alive: 0, suspect: 1, dead: 2, left: 3 }

/** Above this an incarnation is taken for damage: its subject could not outbid it. */
export const INCARNATION_MAX = 2 ** 48

/**
 * By how much the word of a third party may go beyond the incarnation that we know. Far more than a member uses up in
 * years, and too little for a liar to reach what nobody can outbid.
 */
export const INCARNATION_LEAP_MAX = 2 ** 24

/** Suspects still count as running: they are probed, gossiped with and may refute. */
export const isRunning = (member: Member): boolean => member.state === 'alive' || member.state === 'suspect'

/**
 * Positive when claim `a` wins over claim `b` about the same node, 0 when they say the same. Newer incarnation first,
 * then the graver state (SWIM §4.2). The content only breaks the tie of a node that restarted with an old incarnation
 * and new addresses, so that all nodes choose the same claim until it refutes.
 */
export function compareClaims(a: Member, b: Member): number {
  if (a.incarnation !== b.incarnation) return a.incarnation - b.incarnation
  if (a.state !== b.state) return RANK[a.state] - RANK[b.state]
  const contentA = contentOf(a)
  const contentB = contentOf(b)
  return contentA === contentB ? 0 : contentA > contentB ? 1 : -1
}

/** Commutative, associative and idempotent: the order in which claims arrive does not matter. */
export function mergeClaims(a: Member, b: Member): Member {
  return compareClaims(a, b) >= 0 ? a : b
}

type Content = { readonly addresses: readonly string[]; readonly text: string }

/** Claims do not change, and those about one life of a node mostly share their content, which is compared often. */
const contents = new WeakMap<Member['metadata'], Content>()

/** What the node says about itself, in a form that can be compared. */
export function contentOf({ addresses, metadata }: Member): string {
  const kept = contents.get(metadata)
  if (kept?.addresses === addresses) return kept.text
  const entries = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
  const text = JSON.stringify([addresses, entries])
  contents.set(metadata, { addresses, text })
  return text
}
