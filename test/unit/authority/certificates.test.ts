/** When certificates are issued anew, and that nobody who is connected notices. */
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { keepCertificate } from '../../../node/api/certificates.ts'
import type { Issued } from '../../../node/authority/authority.ts'
import { foundCluster } from '../../../node/founding.ts'
import { silentLog } from '../../../node/log.ts'
import type { Cluster } from '../../../scheduler/index.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Its time ends with the present, in which the platform checks. */
const setUp = (cluster: Cluster | null) => {
  const clock = virtualClock(Date.now() - 21 * DAY_MS)
  const all: Issued[] = []
  let known = cluster
  let listener: (() => void) | null = null
  const keeper = keepCertificate(
    {
      cluster: () => known,
      subscribe(next) {
        listener = next
        return () => {
          listener = null
        }
      },
      name: 'ash',
      hosts: ['127.0.0.1'],
      clock,
      log: silentLog,
    },
    issued => all.push(issued),
  )
  return {
    clock,
    all,
    keeper,
    learn(next: Cluster) {
      known = next
      listener?.()
    },
    isListening: () => listener !== null,
  }
}

test('it is issued as soon as the cluster’s key is known', () => {
  const { all, learn, isListening, clock } = setUp(null)
  clock.advance(DAY_MS)
  assert.is(all.length, 0)
  learn(foundCluster(0))
  assert.is(all.length, 1)
  assert.not.ok(isListening())
})

test('it is renewed at two thirds of its life, each time', () => {
  const { all, clock } = setUp(foundCluster(0))
  clock.advance(19 * DAY_MS)
  assert.is(all.length, 1)
  clock.advance(2 * DAY_MS)
  assert.is(all.length, 2)
  clock.advance(70 * DAY_MS)
  assert.is(all.length, 5)
  for (const [position, { fromMs }] of all.slice(1).entries())
    assert.ok(fromMs < (all[position]?.untilMs ?? 0) - 9 * DAY_MS, 'long before the former one ends')
})

test('after it is stopped nothing is issued any more', () => {
  const { all, clock, keeper, isListening } = setUp(foundCluster(0))
  keeper.stop()
  clock.advance(100 * DAY_MS)
  assert.is(all.length, 1)
  assert.not.ok(isListening())
})

test('a new one is for new connections; those that are open go on', async () => {
  const server = createServer((_request, response) => response.end('here'))
  const cluster = foundCluster(Date.now())
  const { all, clock, keeper } = setUp(cluster)
  const use = (): void => server.setSecureContext(all.at(-1) as Issued)
  use()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const { Agent } = await import('node:https')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = (options: object): Promise<{ serial: string; socket: TLSSocket }> =>
    new Promise((resolve, reject) => {
      const ca = all[0]?.cert.split(/(?<=-----END CERTIFICATE-----\n)/)[1]
      const asked = request({ host: '127.0.0.1', port, ca, ...options }, response => {
        const socket = response.socket as TLSSocket
        const serial = socket.getPeerCertificate().serialNumber
        response.resume().once('end', () => resolve({ serial, socket }))
      })
      asked.once('error', reject)
      asked.end()
    })
  const before = await ask({ agent })
  clock.advance(21 * DAY_MS)
  use()
  const [same, fresh] = [await ask({ agent }), await ask({ agent: false })]
  assert.is(same.socket, before.socket)
  assert.is(same.serial, before.serial)
  assert.is.not(fresh.serial, before.serial)
  keeper.stop()
  agent.destroy()
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
})

test.run()
