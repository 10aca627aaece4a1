/** Addresses of peers: `host:port` in our words, multiaddrs in libp2p's. */
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { Failure } from '../errors.ts'

export type HostPort = { readonly host: string; readonly port: number }

/** `10.0.0.1:7701`, `[::1]:7701`, `ash.example:7701`; E_INVALID otherwise. */
export const hostPortOf = (text: string): HostPort => {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([A-Za-z0-9.-]{1,253})):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || port > 65_535) {
    throw new Failure('E_INVALID', {
      message: `${JSON.stringify(text.slice(0, 100))} is not an address`,
      why: 'it must be HOST:PORT',
      try: '10.0.0.11:7701',
    })
  }
  return { host, port }
}

export const textOf = ({ host, port }: HostPort): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

export const isHostPort = (text: string): boolean => {
  try {
    hostPortOf(text)
    return true
  } catch {
    return false
  }
}

/** The form that libp2p dials and listens on. */
export const multiaddrOf = (address: string): string => {
  const { host, port } = hostPortOf(address)
  const family = isIP(host)
  return `/${family === 4 ? 'ip4' : family === 6 ? 'ip6' : 'dns'}/${host}/tcp/${port}`
}

const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** Bridges of engines and hypervisors: the same address on every machine, so nobody else can use it. */
const BRIDGE = /^(docker|br-|veth|cni|virbr|podman)/

/**
 * Under which addresses others reach a node that listens on `host` with this port: that host, or, for a wildcard, the
 * machine's addresses on real interfaces; its loopback address when it has none.
 */
export const advertisedAddresses = (
  { host, port }: HostPort,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): readonly string[] => {
  if (!isWildcard(host)) return [textOf({ host: host === 'localhost' ? '127.0.0.1' : host, port })]
  const outward = Object.entries(interfaces).flatMap(([name, entries]) =>
    (entries ?? [])
      .filter(entry => !entry.internal && (entry.family === 'IPv4' || host === '::'))
      .filter(entry => !entry.address.toLowerCase().startsWith('fe80:'))
      .map(entry => ({ isBridge: BRIDGE.test(name), address: textOf({ host: entry.address, port }) })),
  )
  const real = outward.filter(entry => !entry.isBridge)
  const chosen = (real.length > 0 ? real : outward).map(entry => entry.address)
  return chosen.length > 0 ? chosen : [textOf({ host: '127.0.0.1', port })]
}
