/**
 * Members that our replica does not know of yet, on the word of members that it knows. Without them a node that was away
 * while others joined could never catch up once one of those leads: the gate refuses the only one who could tell.
 */
import type { Fact } from '../../gossip/index.ts'
import { departedOf, type NodeId, type State } from '../../scheduler/index.ts'
import type { Peers } from './roster.ts'

/** A word that nobody repeats is forgotten; full gossip states are exchanged more often than this. */
const KEPT_MS = 60_000
/** A member that vouches for more than a handful at once is broken or lies. */
const VOUCHED_MAX = 64

export type Vouched = {
  /** Takes note of what gossip heard. */
  hear(facts: readonly Fact[], nowMs: number): void
  /** Those that the state has no word on. Whoever has left stays out, whatever others say. */
  peers(state: State, nowMs: number): Peers
}

export const createVouched = (): Vouched => {
  const heard = new Map<string, { readonly addresses: readonly string[]; readonly atMs: number }>()
  return {
    hear(facts, nowMs) {
      for (const fact of facts) {
        if (fact.type !== 'stranger-vouched') continue
        const { id, addresses } = fact.stranger
        if (heard.has(id) || heard.size < VOUCHED_MAX) heard.set(id, { addresses, atMs: nowMs })
      }
    },
    peers(state, nowMs) {
      const peers = new Map<string, readonly string[]>()
      for (const [id, { addresses, atMs }] of heard) {
        const isKnown = state.nodes.has(id as NodeId) || departedOf(state, id as NodeId) !== null
        if (isKnown || nowMs - atMs > KEPT_MS) heard.delete(id)
        else peers.set(id, addresses)
      }
      return peers
    },
  }
}
