/** What the replicated state says about who belongs: for gossip, for the transport's gate, and to be remembered on disk. */
import type { Member } from '../../gossip/index.ts'
import { departedOf, type NodeFacts, type NodeId, protocolOf, type State } from '../../scheduler/index.ts'
import type { RosterEntry } from './swim.actor.ts'

/** Peer ids with their `host:port` addresses, best first. */
export type Peers = ReadonlyMap<string, readonly string[]>

export const rosterOf = (state: State, self: string): readonly RosterEntry[] =>
  [...state.nodes.values()]
    .filter(node => node.id !== self)
    .map(node => ({
      id: node.id,
      addresses: [node.peerAddress],
      metadata: { name: node.name },
      isAdmitted: node.state !== 'left',
    }))

/** What is known of addresses beside the log: by each member's own word in gossip, and from the disk or the join reply. */
export type Hints = { readonly heard: Peers; readonly known: Peers }

/** Of one member, older ones included: who moves often is not dialled at each place where it ever was. */
const ADDRESSES_MAX = 8

/**
 * Who may talk to this node: the roster, and those remembered from disk or from the join reply on whom it has no word
 * yet: a replica that is far behind knows some members only, and the leader need not be among them. Whoever has left is out.
 */
export const peersOf = (state: State, { heard, known }: Hints, self: string): Peers => {
  const peers = new Map<string, readonly string[]>()
  for (const [id, addresses] of known) if (departedOf(state, id as NodeId) === null) peers.set(id, addresses)
  for (const node of state.nodes.values()) {
    if (node.state === 'left') continue
    const all = [node.peerAddress, ...(heard.get(node.id) ?? []), ...(known.get(node.id) ?? [])]
    peers.set(node.id, [...new Set(all)].slice(0, ADDRESSES_MAX))
  }
  peers.delete(self)
  return peers
}

/** Changes exactly when membership or an address does. */
export const rosterKeyOf = (state: State, heard: Peers): string =>
  [...state.nodes.values()]
    .map(node =>
      node.state === 'left'
        ? `${node.id} left`
        : `${node.id} ${node.peerAddress} ${heard.get(node.id)?.join(' ') ?? ''}`,
    )
    .join('\n')

/** This node as gossip presents it. Its incarnation starts anew; what others remember makes it jump ahead. */
export const selfMember = (facts: NodeFacts, addresses: readonly string[] = [facts.peerAddress]): Member => ({
  id: facts.id,
  incarnation: 0,
  state: 'alive',
  addresses,
  metadata: { name: facts.name, protocol: String(protocolOf(facts)) },
})

export const rememberedMember = (id: string, addresses: readonly string[]): Member => ({
  id,
  incarnation: 0,
  state: 'alive',
  addresses,
  metadata: {},
})
