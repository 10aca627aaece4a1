/** Who passes published rumours on to whom: a connected random graph with as many links per node as gossipsub keeps. */

/** gossipsub's mesh has six on average. */
const LINKS_WANTED = 6

/** For each of `size` nodes the indices of its neighbours: a ring, and random chords. */
export const meshOf = (size: number, random: () => number): readonly (readonly number[])[] => {
  const neighbours = Array.from({ length: size }, () => new Set<number>())
  const link = (one: number, other: number) => {
    if (one === other) return
    neighbours[one]!.add(other)
    neighbours[other]!.add(one)
  }
  for (let index = 0; index < size; index++) {
    link(index, (index + 1) % size)
    for (let chord = 0; chord < LINKS_WANTED / 2 - 1; chord++) link(index, Math.floor(random() * size))
  }
  return neighbours.map(others => [...others])
}
