// Who keeps in touch with whom: symmetric, few, connected, and hardly moved by those who come and go.
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FULL_MESH_MAX, neighboursOf } from '../../../gossip/neighbours.ts'

const idsOf = (size: number, salt = 0): string[] =>
  Array.from({ length: size }, (_, index) => `12D3KooW${salt}-${index}`)

type Graph = ReadonlyMap<string, ReadonlySet<string>>

const graphOf = (ids: readonly string[]): Graph =>
  new Map(
    ids.map(id => [
      id,
      neighboursOf(
        id,
        ids.filter(other => other !== id),
      ),
    ]),
  )

/** Steps from the first member to the farthest; infinite when some are not reached. */
const radiusOf = (graph: Graph): number => {
  const [first] = graph.keys()
  const seen = new Set([first!])
  let edge = [first!]
  let steps = 0
  for (; edge.length > 0 && seen.size < graph.size; steps++) {
    edge = edge.flatMap(id => [...graph.get(id)!]).filter(id => !seen.has(id) && seen.add(id))
    edge = [...new Set(edge)]
  }
  return seen.size === graph.size ? steps : Number.POSITIVE_INFINITY
}

const clusters = fc.record({
  size: fc.integer({ min: FULL_MESH_MAX + 1, max: 200 }),
  salt: fc.nat(),
  deadEvery: fc.integer({ min: 2, max: 9 }),
})

test('up to sixteen members all are neighbours', () => {
  const ids = idsOf(FULL_MESH_MAX)
  for (const neighbours of graphOf(ids).values()) assert.is(neighbours.size, FULL_MESH_MAX - 1)
  assert.equal(neighboursOf('alone', []), new Set())
})

test('whoever is my neighbour has me as one', () => {
  fc.assert(
    fc.property(clusters, ({ size, salt }) => {
      const graph = graphOf(idsOf(size, salt))
      for (const [id, neighbours] of graph)
        for (const other of neighbours) assert.ok(graph.get(other)?.has(id), `${other} and ${id}`)
    }),
    { numRuns: 30 },
  )
})

test('nobody has more neighbours than two for each ring, and nobody fewer than two', () => {
  fc.assert(
    fc.property(clusters, ({ size, salt }) => {
      for (const { size: count } of graphOf(idsOf(size, salt)).values())
        assert.ok(count >= 2 && count <= 2 * Math.ceil(Math.log2(size)))
    }),
    { numRuns: 30 },
  )
})

test('everybody is reached in a few steps', () => {
  fc.assert(
    fc.property(clusters, ({ size, salt }) => assert.ok(radiusOf(graphOf(idsOf(size, salt))) <= 5)),
    { numRuns: 30 },
  )
})

test('whoever is left after others are gone is still reached, though nobody has noticed yet', () => {
  fc.assert(
    fc.property(clusters, ({ size, salt, deadEvery }) => {
      const living = (id: string) => Number(id.split('-')[1]) % deadEvery !== 0
      const left = [...graphOf(idsOf(size, salt))].filter(([id]) => living(id))
      const graph = new Map(left.map(([id, others]) => [id, new Set([...others].filter(living))]))
      assert.ok(Number.isFinite(radiusOf(graph)))
    }),
    { numRuns: 30 },
  )
})

test('the order in which members are known does not matter', () => {
  const others = idsOf(50)
  assert.equal(neighboursOf('self', others.toReversed()), new Set([...neighboursOf('self', others)]))
})

test('one that comes or goes changes two neighbours on each ring, of all members together', () => {
  for (const size of [20, 50, 120, 500]) {
    const [before, after] = [graphOf(idsOf(size)), graphOf(idsOf(size + 1))]
    const rings = Math.ceil(Math.log2(size))
    let changes = 0
    for (const [id, neighbours] of before)
      for (const other of neighbours) changes += after.get(id)!.has(other) ? 0 : 1
    assert.ok(changes <= 2 * rings, `${changes} of ${size}`)
  }
})

test.run()
