import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { placeInTree, type TreeNode } from '../../../raft/relay/tree.ts'

const fed = (id: string): TreeNode => ({ id, upstream: null, isFit: true })
const below = (id: string, upstream: string): TreeNode => ({ id, upstream, isFit: true })
const unfit = (node: TreeNode): TreeNode => ({ ...node, isFit: false })

test('a learner is put below the least busy of the nodes that the leader feeds', () => {
  const nodes = [fed('a'), fed('b'), fed('c'), below('x', 'a'), fed('n')]
  assert.is(placeInTree(nodes, 'n', 2)?.upstreams[0], 'b')
  assert.is(placeInTree(nodes, 'n', 2)?.depth, 2)
})

test('when these have no room it is put below one that pulls itself', () => {
  const nodes = [fed('a'), fed('b'), below('x', 'a'), below('y', 'b'), fed('n')]
  const place = placeInTree(nodes, 'n', 1)
  assert.is(place?.upstreams[0], 'x')
  assert.is(place?.depth, 3)
})

test('in reserve are others that the leader feeds, and not the same ones for everybody', () => {
  const nodes = [fed('a'), fed('b'), fed('c'), fed('d'), unfit(fed('e'))]
  const first = placeInTree([...nodes, fed('n')], 'n', 4)?.upstreams.slice(1) ?? []
  const second = placeInTree([...nodes, below('n', 'a'), fed('m')], 'm', 4)?.upstreams.slice(1) ?? []
  assert.is(first.length, 2)
  assert.is(second.length, 2)
  assert.not.equal(first, second)
  assert.not.ok([...first, ...second].includes('e'))
})

test('where nobody is fit or has room there is no place', () => {
  assert.is(placeInTree([fed('n')], 'n', 4), null)
  assert.is(placeInTree([unfit(fed('a')), fed('n')], 'n', 4), null)
  assert.is(placeInTree([fed('a'), unfit(below('x', 'a')), fed('n')], 'n', 1), null)
})

test('nobody is put below himself, in a circle, or below one of whom it is not known who feeds it', () => {
  const own = [fed('a'), below('x', 'n'), below('y', 'x'), below('z', 'a'), fed('n')]
  assert.equal(placeInTree(own, 'n', 1)?.upstreams, ['z', 'a'])
  const lost = [below('x', 'y'), below('y', 'x'), below('z', 'gone'), fed('n')]
  assert.is(placeInTree(lost, 'n', 9), null)
})

test('however the tree grows, every node has a way to the leader and none has more below it than it should', () => {
  const grown = fc.record({ roots: fc.integer({ min: 1, max: 6 }), fanOut: fc.integer({ min: 1, max: 5 }) })
  fc.assert(
    fc.property(grown, fc.integer({ min: 1, max: 60 }), ({ roots, fanOut }, learners) => {
      const nodes = Array.from({ length: roots }, (_, position) => fed(`r${position}`))
      for (let i = 0; i < learners; i++) {
        const place = placeInTree([...nodes, fed(`n${i}`)], `n${i}`, fanOut)
        assert.ok(place, 'there is always room further down')
        nodes.push(below(`n${i}`, place.upstreams[0]!))
      }
      for (const { id } of nodes)
        assert.ok(
          nodes.filter(({ upstream }) => upstream === id).length <= fanOut,
          `${id} is not overcrowded`,
        )
      const depthMax = Math.max(...nodes.map(node => depthOf(nodes, node)))
      assert.ok(fanOut === 1 || depthMax <= 2 + Math.log(learners / roots + 1) / Math.log(fanOut) + 1)
    }),
  )
})

const depthOf = (nodes: readonly TreeNode[], { upstream }: TreeNode): number =>
  upstream === null ? 1 : 1 + depthOf(nodes, nodes.find(({ id }) => id === upstream)!)

test.run()
