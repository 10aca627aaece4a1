import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { peersOf } from '../../../node/membership/roster.ts'
import { emptyState, type Node, type NodeId, type State } from '../../../scheduler/index.ts'

const KNOWN = new Map([['b', ['b:1']]])

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

test('who has left is out, also when its row has gone, and so is the node itself', () => {
  assert.is(peersOf(stateWith({ id: 'b', state: 'left' }), KNOWN, 'self').size, 0)
  const gone: State = { ...emptyState(), departed: new Map([['b' as NodeId, 'bee']]) }
  assert.is(peersOf(gone, KNOWN, 'self').size, 0)
  assert.is(peersOf(stateWith({ id: 'self', state: 'alive' }), new Map(), 'self').size, 0)
})

test.run()
