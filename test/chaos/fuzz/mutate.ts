/** Broken copies of what was recorded: of the bytes as they travel, and of the values that they stand for. */
import fc from 'fast-check'
import type { Prng } from '../../harness/prng.ts'

/** As deep as a sender of ours can still encode; deeper ones come as bytes. */
const NESTING = 200

const nested = (): unknown => {
  let value: unknown = 0
  for (let depth = 0; depth < NESTING; depth++) value = [value]
  return value
}

const NASTY: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => -1,
  () => 0.5,
  () => Number.NaN,
  () => 2 ** 53,
  () => '',
  () => 'x'.repeat(2_000),
  () => '__proto__',
  () => [],
  () => ({}),
  () => new Uint8Array(3),
  () => new Array(3_000).fill(0),
  nested,
]

const below = (dice: Prng, limit: number): number => Math.floor(dice.random() * limit)
const pick = <Item>(dice: Prng, items: readonly Item[]): Item => items[below(dice, items.length)] as Item

/** A value of any shape, now and then large. */
export const anythings = (count: number, seed: number): readonly unknown[] =>
  fc.sample(fc.oneof(fc.anything({ maxDepth: 3 }), fc.object(), fc.jsonValue(), fc.uint8Array()), {
    numRuns: count,
    seed,
  })

/** One to four faults: flipped bits, wrong bytes, a cut, a doubled or foreign piece. */
export const brokenBytes = (bytes: Uint8Array, others: readonly Uint8Array[], dice: Prng): Uint8Array => {
  let broken = Buffer.from(bytes)
  for (let faults = 1 + below(dice, 4); faults > 0; faults--) {
    const at = below(dice, broken.length + 1)
    switch (below(dice, 5)) {
      case 0:
        if (at < broken.length) broken[at] = (broken[at] as number) ^ (1 << below(dice, 8))
        break
      case 1:
        if (at < broken.length) broken[at] = pick(dice, [0, 0x7f, 0x80, 0xc1, 0xdd, 0xdf, 0xff])
        break
      case 2:
        broken = broken.subarray(0, at)
        break
      case 3:
        broken = Buffer.concat([broken.subarray(0, at), broken.subarray(below(dice, at + 1))])
        break
      default: {
        const other = pick(dice, others)
        broken = Buffer.concat([broken.subarray(0, at), other.subarray(below(dice, other.length))])
      }
    }
  }
  return broken
}

type Holder = Record<string, unknown>

/** Every place in a value where something stands. */
const placesIn = (value: unknown, found: [Holder, string][] = []): [Holder, string][] => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return found
  for (const key of Object.keys(value)) {
    found.push([value as Holder, key])
    placesIn((value as Holder)[key], found)
  }
  return found
}

/** The value with something nasty, or something of another one, in one or two places; or with a field gone. */
export const brokenValue = (value: unknown, others: readonly unknown[], dice: Prng): unknown => {
  const broken = structuredClone(value)
  for (let faults = 1 + below(dice, 2); faults > 0; faults--) {
    const places = placesIn(broken)
    const [holder, key] = places.length === 0 ? [null, ''] : pick(dice, places)
    if (holder === null) return pick(dice, NASTY)()
    const chance = dice.random()
    const present = holder[key]
    if (present instanceof Uint8Array && chance < 0.7) holder[key] = brokenBytes(present, [present], dice)
    else if (chance < 0.2) delete holder[key]
    else if (chance < 0.8) holder[key] = pick(dice, NASTY)()
    else {
      const foreign = placesIn(pick(dice, others))
      const [from, name] = foreign.length === 0 ? [null, ''] : pick(dice, foreign)
      holder[key] = structuredClone(from?.[name])
    }
  }
  return broken
}
