// The real actors, codec included, at the sizes that a test can afford: what the bare cores show holds for them as well.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ActorFleet } from '../../harness/fleet/actor-fleet.ts'
import { median } from '../../harness/fleet/trials.ts'

const SEEDS = [1, 2, 3]

/** Until all others held a frozen member dead, and nobody else. */
const detection = (size: number, seed: number, lossRate: number): number => {
  const fleet = new ActorFleet({ size, seed, lossRate })
  const knowing = new Set<string>()
  const others: string[] = []
  const victim = fleet.members[seed % size]!
  fleet.onFact = (by, fact) => {
    if (fact.type !== 'member-dead') return
    if (fact.member.id === victim.id) knowing.add(by.id)
    else others.push(fact.member.id)
  }
  fleet.run(3_000)
  const sinceMs = fleet.nowMs
  fleet.freeze(victim)
  assert.ok(
    fleet.run(10_000, () => knowing.size === size - 1),
    `seed ${seed}: only ${knowing.size} of ${size - 1} know`,
  )
  assert.equal(others, [], `seed ${seed}`)
  return fleet.nowMs - sinceMs
}

test('a hundred actors find a frozen one hardly later than ten, and within 2 s', () => {
  const [ten, hundred] = [10, 100].map(size => median(SEEDS.map(seed => detection(size, seed, 0))))
  assert.ok(hundred! < 1.5 * ten! && hundred! < 2_000, `${ten} and ${hundred} ms`)
})

test('ten actors find a frozen one, and blame nobody else, while a tenth of all messages is lost', () => {
  for (const seed of SEEDS) assert.ok(detection(10, seed, 0.1) < 4_000, `seed ${seed}`)
})

test.run()
