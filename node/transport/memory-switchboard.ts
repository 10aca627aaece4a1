/** The network in memory as a node on it sees it. */
import type { Log } from '../log.ts'
import type { Air, End } from './memory-wire.ts'
import type { PeerId } from './transport.ts'

export type DialAnswer =
  | { readonly type: 'connected'; readonly end: End }
  | { readonly type: 'refused' }
  | { readonly type: 'failed' }

/** The network as a node sees it. */
export type Switchboard<Node> = {
  readonly air: Air
  readonly random: () => number
  /** The address that was bound; E_PORT_IN_USE. */
  bind(listen: string, transport: Node): string
  unbind(address: string, transport: Node): void
  /** One attempt; `answer` is called once. `expected` is null for a visit to whoever listens there. */
  dial(from: Node, address: string, expected: PeerId | null, answer: (answer: DialAnswer) => void): void
}

export type MemoryTransportOptions = {
  readonly self: PeerId
  /** `HOST:PORT`; port 0 for any free one. */
  readonly listen: string
  readonly log: Log
}
