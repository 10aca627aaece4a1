/** To whom a node stays connected: everybody in a small cluster, else gossip's neighbours and the other voters. Pure. */
import { FULL_MESH_MAX } from '../../gossip/index.ts'
import type { Membership } from './swim.actor.ts'

export type Acquaintances = {
  readonly self: string
  /** All that may talk to this node. */
  readonly peers: Iterable<string>
  /** Null before gossip has started. */
  readonly membership: Pick<Membership, 'members' | 'neighbours'> | null
  readonly voters: readonly string[]
}

/**
 * Null: everybody. Voters keep to each other, so that an election need not dial. Whom gossip does not know, perhaps because
 * the own roster lags behind, is held on to. All others are in touch with the leader anyway, for as long as they report to it.
 */
export const keptOf = ({ self, peers, membership, voters }: Acquaintances): ReadonlySet<string> | null => {
  const all = [...peers]
  if (all.length < FULL_MESH_MAX) return null
  const together = new Set(voters.includes(self) ? voters : [])
  if (membership === null) return together
  const { members, neighbours } = membership
  if (neighbours === null) return null
  const known = new Set(members.map(({ id }) => id))
  return new Set(all.filter(peer => neighbours.has(peer) || together.has(peer) || !known.has(peer)))
}

export const isSame = (one: ReadonlySet<string> | null, other: ReadonlySet<string> | null): boolean =>
  one === other || (one !== null && other !== null && one.size === other.size && one.isSubsetOf(other))
