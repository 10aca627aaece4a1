/** Seeded dice. One seed gives one sequence on every machine; forks are independent of how often others were thrown. */

export type Prng = {
  /** 0 ≤ x < 1. */
  random(): number
  /** A whole number, first ≤ x ≤ last. */
  between(first: number, last: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly T[]): T
  shuffle<T>(items: readonly T[]): T[]
  /** A stream of its own, named by its purpose. */
  fork(purpose: string): Prng
}

/** FNV-1a, 32 bits. */
const hashText = (text: string, start: number): number => {
  let hash = start >>> 0
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  return hash
}

/** splitmix32 over a counter: small, quick, and good enough to draw faults with. */
export const prng = (seed: number, purpose = ''): Prng => {
  const origin = hashText(purpose, (seed ^ 0x811c9dc5) >>> 0)
  let counter = origin
  const random = (): number => {
    counter = (counter + 0x9e3779b9) >>> 0
    let mixed = counter ^ (counter >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    mixed ^= mixed >>> 15
    return (mixed >>> 0) / 0x1_0000_0000
  }
  const between = (first: number, last: number): number => first + Math.floor(random() * (last - first + 1))
  return {
    random,
    between,
    chance: probability => random() < probability,
    pick: items => {
      if (items.length === 0) throw new Error('nothing to pick from')
      return items[between(0, items.length - 1)] as (typeof items)[number]
    },
    shuffle: items => {
      const copy = [...items]
      for (let last = copy.length - 1; last > 0; last--) {
        const other = between(0, last)
        ;[copy[last], copy[other]] = [
          copy[other] as (typeof items)[number],
          copy[last] as (typeof items)[number],
        ]
      }
      return copy
    },
    fork: name => prng(origin, name),
  }
}
