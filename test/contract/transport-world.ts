/** Nodes for the transport's stories: making them, introducing them, and waiting for what they see. */
import type { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Clock, systemClock } from '../../node/clock.ts'
import { Failure } from '../../node/errors.ts'
import type { PeerEvent, PeerId, Transport } from '../../node/transport/transport.ts'

/** Makes nodes of one network. */
export type TransportFixture = {
  /** Not started. The same `who` is the same identity; `listen` defaults to a free port. */
  make(who: string, listen?: string): Promise<Transport>
  close(): Promise<void>
}

export type Peer = Transport & { readonly events: PeerEvent[]; readonly heard: [PeerId, unknown][] }

export type Context = { fixture: TransportFixture; open(who: string, listen?: string): Promise<Peer> }

export const CALL = { timeoutMs: 5_000 }

/** How many times as fast the time of `fastClock` goes: limits of minutes pass in seconds. */
const FAST = 20
const clock = systemClock()
export const fastClock: Clock = {
  wallMs: () => clock.wallMs(),
  monotonicMs: () => clock.monotonicMs() * FAST,
  after: (delayMs, action) => clock.after(delayMs / FAST, action),
}
const WAIT_MS_MAX = 30_000

export const until = async (what: string, look: () => boolean): Promise<void> => {
  const startedAtMs = performance.now()
  while (!look()) {
    if (performance.now() - startedAtMs > WAIT_MS_MAX) assert.unreachable(`never happened: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** Remembers what a node heard and what happened to its peers. */
export const withMemory = (transport: Transport): Peer => {
  const events: PeerEvent[] = []
  const heard: [PeerId, unknown][] = []
  transport.onPeer(event => events.push(event))
  transport.onMessage('raft', (from, message) => heard.push([from, message]))
  return Object.assign(transport, { events, heard })
}

export const introduce = (...peers: readonly Transport[]): void => {
  const all = new Set(peers.map(peer => peer.self))
  for (const peer of peers) {
    for (const other of peers) peer.setAddresses(other.self, other.addresses())
    peer.admit(all)
  }
}

export const mesh = async (...peers: readonly Transport[]): Promise<void> => {
  introduce(...peers)
  await until('a full mesh', () => peers.every(peer => peer.connected().size === peers.length - 1))
}

export const failureOf = async (values: AsyncIterable<unknown>): Promise<Failure> => {
  try {
    for await (const _ of values);
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown
    throw thrown
  }
  return assert.unreachable('the call succeeded') as never
}

export const all = async (values: AsyncIterable<unknown>): Promise<unknown[]> => {
  const list: unknown[] = []
  for await (const value of values) list.push(value)
  return list
}

export const has = (peer: Peer, type: PeerEvent['type'], other: Transport, cause?: string): boolean =>
  peer.events.some(
    event =>
      event.type === type &&
      event.peer === other.self &&
      (cause === undefined || ('cause' in event && event.cause === cause)),
  )

export type Story = ReturnType<typeof suite<Context>>
