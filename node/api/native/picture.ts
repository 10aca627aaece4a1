/** Everything that views look at, taken at one moment, so that a view is a pure function. */
import type { Member } from '../../../gossip/index.ts'
import type { State } from '../../../scheduler/index.ts'
import type { ConsensusStatus } from '../../consensus/consensus.ts'
import type { ApiDeps, NodeFacts } from '../deps.ts'
import type { Gateway } from '../gateway.ts'
import type { List, Meta } from './schema.ts'

export type Picture = {
  readonly self: NodeFacts
  readonly state: State
  readonly status: ConsensusStatus
  /** By node id: what gossip believes. */
  readonly members: ReadonlyMap<string, Member>
  readonly connected: ReadonlySet<string>
  /** Nodes to which this one should be connected, and is not. */
  readonly missing: ReadonlySet<string>
  /** By node id: why it votes or does not. True on the leader only. */
  readonly seats: () => ReadonlyMap<string, string>
  /** Milliseconds since the epoch. */
  readonly nowMs: number
  readonly uptimeMs: number
}

export type PictureDeps = Pick<ApiDeps, 'node' | 'members' | 'seats' | 'transport' | 'clock'> & {
  readonly gateway: Gateway
}

export const pictureOf = ({ node, members, seats, transport, clock, gateway }: PictureDeps): Picture => ({
  self: node,
  state: gateway.state(),
  status: gateway.status(),
  members: new Map(members().map(member => [member.id, member])),
  connected: transport.connected(),
  missing: transport.missing(),
  seats,
  nowMs: clock.wallMs(),
  uptimeMs: Math.max(0, Math.round(clock.monotonicMs() - node.startedAtMs)),
})

const metaOf = ({ self, state, status }: Picture): Meta => ({
  node: self.name,
  index: state.index,
  term: status.term,
  ageMs: status.ageMs === null ? null : Math.round(status.ageMs),
})

export const listOf = <Item>(picture: Picture, items: readonly Item[]): List<Item> => ({
  apiVersion: 'tutti/v1',
  items,
  meta: metaOf(picture),
})

export const isoTime = (atMs: number): string => new Date(atMs).toISOString()
