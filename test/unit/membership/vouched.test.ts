import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Fact, Member } from '../../../gossip/index.ts'
import { createVouched } from '../../../node/membership/vouched.ts'
import { emptyState, type Node, type NodeId, type State } from '../../../scheduler/index.ts'

const strangerOf = (id: string): Member => ({
  id,
  incarnation: 1,
  state: 'alive',
  addresses: [`${id}:7701`],
  metadata: {},
})
const vouchFor = (id: string): Fact => ({ type: 'stranger-vouched', stranger: strangerOf(id), by: 'friend' })

test('whoever a member speaks of is a peer until the state has a word on it', () => {
  const vouched = createVouched()
  vouched.hear([vouchFor('new')], 0)
  assert.equal([...vouched.peers(emptyState(), 1)], [['new', ['new:7701']]])
  const row = { id: 'new', state: 'alive' } as Node
  const state: State = { ...emptyState(), nodes: new Map([[row.id, row]]) }
  assert.is(vouched.peers(state, 2).size, 0)
})

test('whoever has left stays out, whatever others say', () => {
  const vouched = createVouched()
  vouched.hear([vouchFor('gone')], 0)
  const state: State = { ...emptyState(), departed: new Map([['gone' as NodeId, 'gone']]) }
  assert.is(vouched.peers(state, 1).size, 0)
})

test('a word that nobody repeats is forgotten after a minute', () => {
  const vouched = createVouched()
  vouched.hear([vouchFor('new')], 0)
  vouched.hear([vouchFor('new')], 50_000)
  assert.is(vouched.peers(emptyState(), 100_000).size, 1)
  assert.is(vouched.peers(emptyState(), 110_001).size, 0)
})

test('a member that vouches for crowds is not believed without end', () => {
  const vouched = createVouched()
  vouched.hear(
    Array.from({ length: 1_000 }, (_, number) => vouchFor(`stranger-${number}`)),
    0,
  )
  assert.is(vouched.peers(emptyState(), 1).size, 64)
})

test.run()
