/** The beacon's way over real networks: multicast that stays on the local network. */
import { createSocket } from 'node:dgram'
import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Ether } from './discovery.ts'

/** In the block for use within one organisation (RFC 2365). */
const GROUP = '239.255.77.1'
const PORT = 7702
/** Stays on the local network. */
const HOPS = 1

/** `listenHost`: the host this node listens on; a wildcard speaks on every network. */
export const multicast = (listenHost: string): Ether => ({
  hosts: () => interfacesFor(listenHost),
  open(host, on) {
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    let isClosed = false
    socket.on('error', on.failed)
    socket.on('message', on.heard)
    socket.bind(PORT, () => {
      try {
        socket.addMembership(GROUP, host)
        socket.setMulticastInterface(host)
        socket.setMulticastTTL(HOPS)
        socket.setMulticastLoopback(true)
      } catch (thrown) {
        on.failed(thrown)
      }
    })
    socket.unref()
    return {
      send: text => socket.send(text, PORT, GROUP, error => error !== null && on.failed(error)),
      close() {
        if (isClosed) return
        isClosed = true
        socket.close()
      },
    }
  },
})

const interfacesFor = (host: string): readonly string[] => {
  if (host !== '0.0.0.0' && host !== '::') return isIPv4(host) ? [host] : []
  return Object.values(networkInterfaces())
    .flatMap(list => list ?? [])
    .filter(entry => entry.family === 'IPv4' && !entry.internal)
    .map(entry => entry.address)
}
