/** The transport's contract over libp2p on loopback and in memory. */
import { systemClock } from '../../node/clock.ts'
import { silentLog } from '../../node/log.ts'
import { generateIdentity, type Identity } from '../../node/transport/identity.ts'
import { createLibp2pTransport } from '../../node/transport/libp2p.ts'
import { memoryNetwork } from '../../node/transport/memory.ts'
import { transportStories } from './transport-suite.ts'

const clock = systemClock()

const inMemory = transportStories('transport in memory', () => {
  const network = memoryNetwork({ clock, faults: { deliver: () => [1] }, random: Math.random })
  return {
    make: async (who, listen = '127.0.0.1:0') => network.transport({ self: who, listen, log: silentLog }),
    close: async () => {},
  }
})

const overLibp2p = transportStories('transport over libp2p', () => {
  const identities = new Map<string, Identity>()
  return {
    make: async (who, listen = '127.0.0.1:0') => {
      const identity = identities.get(who) ?? (await generateIdentity())
      identities.set(who, identity)
      return createLibp2pTransport({ privateKey: identity.privateKey, listen, clock, log: silentLog })
    },
    close: async () => {},
  }
})

inMemory.run()
overLibp2p.run()
