/** Who is connected to whom, and who passes published rumours on to whom: gossipsub's mesh is made of what connections there are. */
import { neighboursOf } from '../../../gossip/neighbours.ts'

/** gossipsub keeps six links on average; each is asked for by one side. */
const LINKS_ASKED = 3

export type Links = {
  /** Indices of those with a connection: whoever publishes sends it to all of them. */
  readonly neighbours: readonly number[]
  /** Indices of those who pass rumours on to each other. */
  readonly mesh: readonly number[]
}

/** For each node its links, by index. */
export const meshOf = (ids: readonly string[], random: () => number): readonly Links[] => {
  const indices = new Map(ids.map((id, index) => [id, index]))
  const neighbours = ids.map(self =>
    [
      ...neighboursOf(
        self,
        ids.filter(id => id !== self),
      ),
    ].map(id => indices.get(id)!),
  )
  const meshes = ids.map(() => new Set<number>())
  for (const [index, near] of neighbours.entries())
    for (const other of someOf(near, LINKS_ASKED, random)) {
      meshes[index]!.add(other)
      meshes[other]!.add(index)
    }
  return meshes.map((mesh, index) => ({ neighbours: neighbours[index]!, mesh: [...mesh] }))
}

/** Up to `count` different ones. */
export const someOf = <Item>(items: readonly Item[], count: number, random: () => number): Item[] => {
  const drawn = items.map(item => ({ item, order: random() }))
  drawn.sort((left, right) => left.order - right.order)
  return drawn.slice(0, count).map(({ item }) => item)
}
