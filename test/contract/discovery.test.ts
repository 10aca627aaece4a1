/** The beacon on real sockets: nodes on loopback addresses of one machine find each other, and garbage finds nobody. */
import { createSocket } from 'node:dgram'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../node/clock.ts'
import { silentLog } from '../../node/log.ts'
import { type Discovery, startDiscovery } from '../../node/membership/discovery.ts'
import { multicast } from '../../node/membership/multicast.ts'
import { until } from './transport-world.ts'

const story = suite('discovery')
let running: Discovery[] = []
story.after.each(() => {
  for (const discovery of running) discovery.stop()
  running = []
})

type Told = [peer: string, addresses: readonly string[]]

const open = (
  self: string,
  host: string,
  over: {
    clusterId?: string
    members?: readonly string[]
    connected?: readonly string[]
    known?: readonly string[]
    addresses?: readonly string[]
  } = {},
): Told[] => {
  const told: Told[] = []
  running.push(
    startDiscovery({
      clusterId: over.clusterId ?? `cluster-${process.pid}`,
      self,
      ether: multicast(host),
      addresses: () => over.addresses ?? [`${host}:7701`],
      isMember: id => (over.members ?? ['ash', 'oak', 'elm']).includes(id),
      known: () => over.known ?? [],
      transport: {
        setAddresses: (peer, addresses) => told.push([peer, addresses]),
        connected: () => new Set(over.connected ?? []),
      },
      clock: systemClock(),
      log: silentLog,
    }),
  )
  return told
}

const peersIn = (told: readonly Told[]): Set<string> => new Set(told.map(([peer]) => peer))

story('nodes on different loopback addresses hear each other', async () => {
  const [ash, oak, elm] = [open('ash', '127.0.0.1'), open('oak', '127.0.0.2'), open('elm', '127.0.0.3')]
  await until('everyone heard everyone', () => [ash, oak, elm].every(told => peersIn(told).size === 2))
  assert.equal(
    oak.find(([peer]) => peer === 'ash'),
    ['ash', ['127.0.0.1:7701']],
  )
})

story('what is announced comes first, what was known stays behind it', async () => {
  const ash = open('ash', '127.0.0.1', { known: ['10.0.0.9:7701', '127.0.0.2:7701'] })
  open('oak', '127.0.0.2')
  await until('ash hears', () => ash.length > 0)
  assert.equal(ash[0], ['oak', ['127.0.0.2:7701', '10.0.0.9:7701']])
})

story('whatever a beacon claims, what was known keeps a place', async () => {
  const known = ['10.0.0.9:7701', '10.0.0.10:7701']
  const ash = open('ash', '127.0.0.1', { known })
  open('oak', '127.0.0.2', { addresses: Array.from({ length: 8 }, (_, n) => `127.9.9.${n}:1`) })
  await until('ash hears', () => ash.length > 0)
  assert.ok(known.every(address => ash[0]?.[1].includes(address)))
})

story('strangers, other clusters and connected members change nothing', async () => {
  const ash = open('ash', '127.0.0.1', { members: ['oak', 'elm', 'fir'], connected: ['elm'] })
  open('yew', '127.0.0.2')
  open('fir', '127.0.0.3', { clusterId: 'another' })
  open('elm', '127.0.0.4')
  open('oak', '127.0.0.5')
  await until('ash hears oak twice', () => ash.length >= 2)
  assert.equal(peersIn(ash), new Set(['oak']))
})

story('garbage on the port is ignored', async () => {
  const ash = open('ash', '127.0.0.1')
  const socket = createSocket('udp4')
  const garbage = [
    '',
    '{',
    'null',
    '[]',
    '7',
    '{"tutti":1}',
    JSON.stringify({ tutti: 1, cluster: 'x', id: 'oak', addresses: 'y' }),
    'x'.repeat(9_000),
  ]
  for (const text of garbage) {
    await new Promise(resolve => socket.send(text, 7_702, '127.0.0.1', resolve))
  }
  socket.close()
  open('oak', '127.0.0.2')
  await until('ash still hears', () => peersIn(ash).has('oak'))
  assert.ok(ash.every(([, addresses]) => addresses.every(address => address === '127.0.0.2:7701')))
})

story.run()
