/**
 * The beacon: each node tells its network now and then where it is, so that a cluster whose addresses have all changed
 * finds itself again. A beacon is a hint like any address; who is really there is proven by the connection.
 */
import { createHash } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Transport } from '../transport/transport.ts'

export type Discovery = { stop(): void }

export type DiscoveryOptions = {
  readonly clusterId: string
  readonly self: string
  /** The host this node listens on; a wildcard announces on every network. */
  readonly listenHost: string
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

/** In the block for use within one organisation (RFC 2365). */
const GROUP = '239.255.77.1'
const PORT = 7702
/** Stays on the local network. */
const HOPS = 1
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
  const sockets = new Map<string, Socket>()
  const heard = new Map<string, string>()
  let count = 0
  let cancel = () => {}
  let isStopped = false

  const receive = (bytes: Buffer): void => {
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
    for (const host of interfacesFor(options.listenHost)) if (!sockets.has(host)) openOn(host)
    const text = JSON.stringify({
      tutti: 1,
      cluster: mark,
      id: options.self,
      addresses: options.addresses().slice(0, ANNOUNCED_MAX),
    })
    for (const [host, socket] of sockets) {
      socket.send(text, PORT, GROUP, error => error !== null && drop(host, error))
    }
    cancel = options.clock.after(++count < EAGER_COUNT ? EAGER_INTERVAL_MS : CALM_INTERVAL_MS, announce)
  }

  const openOn = (host: string): void => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    socket.on('error', error => drop(host, error))
    socket.on('message', receive)
    socket.bind(PORT, () => {
      try {
        socket.addMembership(GROUP, host)
        socket.setMulticastInterface(host)
        socket.setMulticastTTL(HOPS)
        socket.setMulticastLoopback(true)
      } catch (thrown) {
        drop(host, thrown)
      }
    })
    socket.unref()
    sockets.set(host, socket)
  }

  const drop = (host: string, thrown: unknown): void => {
    const socket = sockets.get(host)
    if (socket === undefined) return
    sockets.delete(host)
    options.log.debug('no beacon on this network', { host, error: messageOf(thrown) })
    socket.close()
  }

  announce()
  return {
    stop() {
      if (isStopped) return
      isStopped = true
      cancel()
      for (const socket of sockets.values()) socket.close()
      sockets.clear()
    },
  }
}

const interfacesFor = (host: string): readonly string[] => {
  if (host !== '0.0.0.0' && host !== '::') return isIPv4(host) ? [host] : []
  return Object.values(networkInterfaces())
    .flatMap(list => list ?? [])
    .filter(entry => entry.family === 'IPv4' && !entry.internal)
    .map(entry => entry.address)
}

type Beacon = { readonly cluster: string; readonly id: string; readonly addresses: readonly string[] }

const isAddress = (value: unknown): value is string =>
  typeof value === 'string' && /^[^\s]{1,255}:\d{1,5}$/.test(value)

const parseBeacon = (bytes: Buffer): Beacon | null => {
  if (bytes.length > BEACON_BYTES_MAX) return null
  try {
    const { tutti, cluster, id, addresses } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>
    if (tutti !== 1 || typeof cluster !== 'string' || typeof id !== 'string' || !Array.isArray(addresses))
      return null
    return addresses.length <= ANNOUNCED_MAX && addresses.every(isAddress) ? { cluster, id, addresses } : null
  } catch {
    return null
  }
}
