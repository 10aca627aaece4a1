import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { peersOf } from '../../../node/membership/roster.ts'
import { emptyState, type Node, type NodeId, type State } from '../../../scheduler/index.ts'

const KNOWN = { heard: new Map(), known: new Map([['b', ['b:1']]]) }
const NOTHING = { heard: new Map(), known: new Map() }

const stateWith = (...rows: readonly { readonly id: string; readonly state: Node['state'] }[]): State => ({
  ...emptyState(),
  nodes: new Map(
    rows.map(({ id, state }) => [id as NodeId, { id, state, peerAddress: `${id}:2` } as unknown as Node]),
  ),
})

test('before the roster is known, the remembered peers may talk', () => {
  assert.equal([...peersOf(emptyState(), KNOWN, 'self')], [['b', ['b:1']]])
})

test('a replica that knows some members only still listens to the remembered ones', () => {
  const peers = peersOf(stateWith({ id: 'a', state: 'alive' }), KNOWN, 'self')
  assert.equal([...peers.keys()].sort(), ['a', 'b'])
})

test('the address in the roster comes before a remembered one', () => {
  assert.equal(peersOf(stateWith({ id: 'b', state: 'dead' }), KNOWN, 'self').get('b'), ['b:2', 'b:1'])
})

test('what a member itself says of its addresses comes between the roster and what is remembered', () => {
  const hints = { heard: new Map([['b', ['b:2', 'b:3']]]), known: new Map([['b', ['b:1', 'b:3']]]) }
  assert.equal(peersOf(stateWith({ id: 'b', state: 'alive' }), hints, 'self').get('b'), ['b:2', 'b:3', 'b:1'])
})

test('who moves often is remembered at its last places only', () => {
  const known = new Map([['b', Array.from({ length: 20 }, (_, n) => `old-${n}:1`)]])
  const peers = peersOf(stateWith({ id: 'b', state: 'alive' }), { heard: new Map(), known }, 'self')
  assert.is(peers.get('b')?.length, 8)
  assert.is(peers.get('b')?.[0], 'b:2')
})

test('who has left is out, also when its row has gone, and so is the node itself', () => {
  assert.is(peersOf(stateWith({ id: 'b', state: 'left' }), KNOWN, 'self').size, 0)
  const gone: State = { ...emptyState(), departed: new Map([['b' as NodeId, 'bee']]) }
  assert.is(peersOf(gone, KNOWN, 'self').size, 0)
  assert.is(peersOf(stateWith({ id: 'self', state: 'alive' }), NOTHING, 'self').size, 0)
})

test.run()
