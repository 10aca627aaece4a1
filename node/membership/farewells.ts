/**
 * Members that have just left. The entry that says so ends their connections, and it is also what they wait for: they
 * keep theirs for a moment, or they would never hear that their farewell was taken.
 */
import type { NodeId, State } from '../../scheduler/index.ts'
import type { Peers } from './roster.ts'

/** Several round trips and heartbeats; a removed node is to be cut off within 2 s. */
export const FAREWELL_MS = 500

export type Farewells = {
  /** Those who were members at an earlier call and have left less than FAREWELL_MS ago. */
  peers(state: State, nowMs: number): Peers
}

export const createFarewells = (): Farewells => {
  let members: ReadonlySet<NodeId> = new Set()
  const leftAtMs = new Map<NodeId, number>()
  return {
    peers(state, nowMs) {
      const nodes = [...state.nodes.values()]
      for (const { id } of nodes.filter(node => node.state === 'left' && members.has(node.id)))
        leftAtMs.set(id, nowMs)
      members = new Set(nodes.filter(node => node.state !== 'left').map(node => node.id))
      const peers = new Map<string, readonly string[]>()
      for (const [id, atMs] of leftAtMs) {
        if (nowMs - atMs >= FAREWELL_MS) leftAtMs.delete(id)
        else peers.set(id, [])
      }
      return peers
    },
  }
}
