import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Reach } from '../../../node/transport/reach.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const reaching = () => {
  const clock = virtualClock()
  const dials: (readonly string[])[] = []
  const reach = new Reach<string>({
    self: 'ash',
    clock,
    random: () => 0.5,
    dial: (_peer, addresses) => dials.push(addresses),
    connectionTo: () => null,
    onRefused: () => {},
  })
  reach.start()
  reach.admit(new Set(['oak']))
  reach.setAddresses('oak', ['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1'])
  return { clock, dials, reach }
}

test('addresses are tried as they were told, and then the one that worked last before the others', () => {
  const { clock, dials, reach } = reaching()
  clock.advance(100)
  assert.equal(dials, [['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1']])
  reach.reachedAt('oak', '10.0.0.3:1')
  reach.connected('oak', 'a connection')
  reach.lost('oak', 'broken')
  clock.advance(5_000)
  assert.equal(dials[1], ['10.0.0.3:1', '10.0.0.1:1', '10.0.0.2:1'])
})

test('an address that worked once and is told no more is not tried', () => {
  const { clock, dials, reach } = reaching()
  reach.reachedAt('oak', '10.0.0.3:1')
  reach.setAddresses('oak', ['10.0.0.4:1'])
  clock.advance(100)
  assert.equal(dials, [['10.0.0.4:1']])
})

test.run()
