import type { Connection, PeerId as Libp2pPeerId, MultiaddrConnection } from '@libp2p/interface'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { silentLog } from '../../../node/log.ts'
import { Links } from '../../../node/transport/links.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const peerOf = (name: string) => ({ toString: () => name }) as Libp2pPeerId

/** What Links looks at of a connection. */
const connectionTo = (name: string, direction: 'inbound' | 'outbound') => {
  const target = new EventTarget()
  const connection = {
    id: `${name} ${direction}`,
    remotePeer: peerOf(name),
    direction,
    streams: [],
    isAborted: false,
    addEventListener: target.addEventListener.bind(target),
    abort() {
      connection.isAborted = true
      target.dispatchEvent(new Event('close'))
    },
  }
  return connection as typeof connection & Connection
}

const linksOf = (self: string, peer: string) => {
  const clock = virtualClock()
  const links = new Links({
    self,
    clock,
    log: silentLog,
    onOpened: link => {
      link.isConfirmed = true
    },
    onClosed: () => undefined,
    isMemberHost: () => true,
    isBarred: () => false,
  })
  links.admit(new Set([self, peer]))
  const gater = links.gater()
  return {
    clock,
    links,
    /** True: the dial goes on. */
    dials: () => gater.denyOutboundConnection?.(peerOf(peer), {} as never) !== true,
    welcomes: () => gater.denyInboundEncryptedConnection?.(peerOf(peer), {} as MultiaddrConnection) !== true,
  }
}

test('a dial that is only about to begin gives way to the connection that the peer has opened meanwhile', () => {
  const { links, dials } = linksOf('ash', 'oak')
  links.opened(connectionTo('oak', 'inbound'))
  assert.not(dials())
})

test('the same while that connection is still on its way in: it was welcomed, and will stand', () => {
  const { clock, dials, welcomes } = linksOf('ash', 'oak')
  assert.ok(welcomes())
  assert.not(dials())
  clock.advance(10_000)
  assert.ok(dials(), 'it never came')
})

test('of two dials that cross, that of the lower name stands, however slow the other is', () => {
  const { clock, links, dials, welcomes } = linksOf('ash', 'oak')
  assert.ok(dials())
  assert.not(welcomes())
  const own = connectionTo('oak', 'outbound')
  links.opened(own)
  clock.advance(4_000)
  assert.not(welcomes())
  assert.not(own.isAborted)
})

test('a peer that dials although there is an old connection has lost it: the new one takes its place', () => {
  const { clock, links, welcomes } = linksOf('ash', 'oak')
  const own = connectionTo('oak', 'outbound')
  links.opened(own)
  clock.advance(10_000)
  assert.ok(welcomes())
  assert.ok(own.isAborted)
})

test.run()
