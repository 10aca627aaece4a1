import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createFarewells, FAREWELL_MS } from '../../../node/membership/farewells.ts'
import { emptyState, type Node, type NodeId, type NodeState, type State } from '../../../scheduler/index.ts'

const stateOf = (nodes: Readonly<Record<string, NodeState>>): State => ({
  ...emptyState(),
  nodes: new Map(Object.entries(nodes).map(([id, state]) => [id as NodeId, { id, state } as Node])),
})

test('a member that leaves stays connected for a moment, and no longer', () => {
  const farewells = createFarewells()
  assert.equal([...farewells.peers(stateOf({ ash: 'alive', birch: 'dead' }), 0)], [])
  const after = stateOf({ ash: 'left', birch: 'dead' })
  assert.equal([...farewells.peers(after, 1_000).keys()], ['ash'])
  assert.equal([...farewells.peers(after, 1_000 + FAREWELL_MS - 1).keys()], ['ash'])
  assert.equal([...farewells.peers(after, 1_000 + FAREWELL_MS)], [])
  assert.equal([...farewells.peers(after, 1_000 + FAREWELL_MS + 1)], [])
})

test('whoever had left before this program started gets no such moment', () => {
  assert.equal([...createFarewells().peers(stateOf({ ash: 'left' }), 0)], [])
})

test.run()
