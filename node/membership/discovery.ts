/**
 * The beacon: each node tells its network now and then where it is, so that a cluster whose addresses have all changed
 * finds itself again. A beacon is a hint like any address; who is really there is proven by the connection.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Transport } from '../transport/transport.ts'

export type Discovery = { stop(): void }

/** What carries a word to everybody nearby: real sockets, or the simulator's. */
export type Ether = {
  /** This machine's own address on each network that there is now. */
  hosts(): readonly string[]
  /** One mouth and one ear on a network. `failed` is told later, never at once; the voice is of no use any more then. */
  open(host: string, on: { heard(bytes: Uint8Array): void; failed(cause: unknown): void }): Voice
}

export type Voice = { send(text: string): void; close(): void }

export type DiscoveryOptions = {
  readonly clusterId: string
  readonly self: string
  readonly ether: Ether
  /** `host:port` under which this node may be reached; read at each announcement. */
  readonly addresses: () => readonly string[]
  /** Beacons of others are ignored. */
  readonly isMember: (id: string) => boolean
  /** What is known of a member's addresses already; kept behind the announced ones. */
  readonly known: (id: string) => readonly string[]
  readonly transport: Pick<Transport, 'setAddresses' | 'connected'>
  readonly clock: Clock
  readonly log: Log
}

const BEACON_BYTES_MAX = 1_024
const ADDRESSES_MAX = 8
/** Of these, at most so many by a beacon, which anybody on the network can make up. */
const ANNOUNCED_MAX = 4
const EAGER_INTERVAL_MS = 500
const EAGER_COUNT = 20
const CALM_INTERVAL_MS = 5_000

/** Never fails: a network without multicast only means that seeds and the address book must do. */
export const startDiscovery = (options: DiscoveryOptions): Discovery => {
  const mark = createHash('sha256').update(options.clusterId).digest('hex').slice(0, 16)
  const voices = new Map<string, Voice>()
  const heard = new Map<string, string>()
  let count = 0
  let cancel = () => {}
  let isStopped = false

  const receive = (bytes: Uint8Array): void => {
    const beacon = parseBeacon(bytes)
    if (
      beacon === null ||
      beacon.cluster !== mark ||
      beacon.id === options.self ||
      !options.isMember(beacon.id)
    )
      return
    const key = beacon.addresses.join(' ')
    // A connected member needs no hint; a repeated one is news only while it is not connected.
    if (options.transport.connected().has(beacon.id)) return
    if (heard.get(beacon.id) !== key)
      options.log.info('a member announced itself', { peer: beacon.id, addresses: key })
    heard.set(beacon.id, key)
    const older = options.known(beacon.id).filter(address => !beacon.addresses.includes(address))
    options.transport.setAddresses(beacon.id, [...beacon.addresses, ...older].slice(0, ADDRESSES_MAX))
  }

  const announce = (): void => {
    if (isStopped) return
    for (const host of options.ether.hosts()) if (!voices.has(host)) openOn(host)
    const text = JSON.stringify({
      tutti: 1,
      cluster: mark,
      id: options.self,
      addresses: options.addresses().slice(0, ANNOUNCED_MAX),
    })
    for (const voice of voices.values()) voice.send(text)
    cancel = options.clock.after(++count < EAGER_COUNT ? EAGER_INTERVAL_MS : CALM_INTERVAL_MS, announce)
  }

  const openOn = (host: string): void => {
    const failed = (cause: unknown): void => {
      if (voices.get(host) !== voice) return
      voices.delete(host)
      options.log.debug('no beacon on this network', { host, error: messageOf(cause) })
      voice.close()
    }
    const voice = options.ether.open(host, { heard: receive, failed })
    voices.set(host, voice)
  }

  announce()
  return {
    stop() {
      if (isStopped) return
      isStopped = true
      cancel()
      for (const voice of voices.values()) voice.close()
      voices.clear()
    },
  }
}

type Beacon = { readonly cluster: string; readonly id: string; readonly addresses: readonly string[] }

const isAddress = (value: unknown): value is string =>
  typeof value === 'string' && /^[^\s]{1,255}:\d{1,5}$/.test(value)

const parseBeacon = (bytes: Uint8Array): Beacon | null => {
  if (bytes.length > BEACON_BYTES_MAX) return null
  try {
    const { tutti, cluster, id, addresses } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<
      string,
      unknown
    >
    if (tutti !== 1 || typeof cluster !== 'string' || typeof id !== 'string' || !Array.isArray(addresses))
      return null
    return addresses.length <= ANNOUNCED_MAX && addresses.every(isAddress) ? { cluster, id, addresses } : null
  } catch {
    return null
  }
}
