// To whom a node stays connected.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Member } from '../../../gossip/index.ts'
import { keptOf } from '../../../node/membership/in-touch.ts'

const PEERS = Array.from({ length: 30 }, (_, index) => `peer-${index}`)
const member = (id: string): Member => ({ id, incarnation: 1, state: 'alive', addresses: [], metadata: {} })
const known = { members: PEERS.map(member), neighbours: new Set(['peer-1', 'peer-2']) }

test('a small cluster stays connected to everybody, whatever gossip says', () => {
  assert.is(keptOf({ self: 'me', peers: PEERS.slice(0, 15), membership: known, voters: ['me'] }), null)
})

test('a larger one to the neighbours, and a voter to the other voters', () => {
  const asked = { self: 'me', peers: PEERS, membership: known }
  assert.equal(keptOf({ ...asked, voters: ['peer-1', 'peer-9'] }), known.neighbours)
  assert.equal(keptOf({ ...asked, voters: ['me', 'peer-9'] }), new Set(['peer-1', 'peer-2', 'peer-9']))
})

test('whom gossip does not know is held on to', () => {
  const kept = keptOf({ self: 'me', peers: [...PEERS, 'stranger'], membership: known, voters: [] })
  assert.equal(kept, new Set(['peer-1', 'peer-2', 'stranger']))
})

test('before gossip has started nobody is dialled in vain', () => {
  assert.equal(keptOf({ self: 'me', peers: PEERS, membership: null, voters: [] }), new Set())
})

test('a large roster of which few run is a full mesh', () => {
  const few = { members: PEERS.map(member), neighbours: null }
  assert.is(keptOf({ self: 'me', peers: PEERS, membership: few, voters: [] }), null)
})

test.run()
