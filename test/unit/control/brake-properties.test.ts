// Whatever falls silent when: the leader is never hasty with many, and never waits for ever.
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Brake, MASS_HOLD_MS } from '../../../node/control/brake.ts'
import type { Verdict, Witnessed } from '../../../node/control/verdicts.ts'

const LOOK_MS = 100
const ZONE_MS = 7_000

/** Who is silent from when until when, in looks; and the zones of all, the leader's first. */
const stories = fc.record({
  zones: fc.array(fc.constantFrom(null, 'a', 'b', 'c'), { minLength: 1, maxLength: 9 }),
  silences: fc.array(
    fc.record({
      nodes: fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 5 }),
      from: fc.integer({ min: 1, max: 60 }),
      looks: fc.integer({ min: 1, max: 150 }),
    }),
    { maxLength: 3 },
  ),
  unsound: fc.array(fc.nat(200), { maxLength: 3 }),
})

type Story = typeof stories extends fc.Arbitrary<infer S> ? S : never

/** In every look from the one to the other. */
const wasSilent = (
  { silences }: Story,
  node: number,
  { from, to }: { readonly from: number; readonly to: number },
): boolean => {
  for (let look = from; look <= to; look++)
    if (!silences.some(one => one.nodes.includes(node) && look >= one.from && look < one.from + one.looks))
      return false
  return true
}

/** What is declared when, and how many of the present nodes were silent in the very look. */
const tell = ({ zones, silences, unsound }: Story, lookCount: number) => {
  const brake = new Brake()
  const dead = new Set<number>()
  const declared: {
    readonly look: number
    readonly nodes: readonly number[]
    readonly silentShare: number
  }[] = []
  for (let look = 0; look < lookCount; look++) {
    const isSilent = (node: number): boolean =>
      silences.some(one => one.nodes.includes(node) && look >= one.from && look < one.from + one.looks)
    const nodes = zones.map(
      (zone, node): Witnessed => ({
        id: `n${node}`,
        name: `n${node}`,
        zone,
        state: dead.has(node) ? 'dead' : 'alive',
        gossip: isSilent(node) ? 'dead' : 'alive',
        accusers: [],
        doubtedMs: null,
        contactMs: isSilent(node) ? 5_000 : 10,
        contactEveryMs: 100,
      }),
    )
    const verdicts = nodes
      .filter(({ state, gossip }) => state === 'alive' && gossip === 'dead')
      .map(({ id }): Verdict => ({ id, state: 'dead', reason: 'silent' }))
    const { due, held } = brake.judge({
      self: 'n0',
      nodes,
      verdicts,
      isSound: !unsound.includes(look),
      zoneLossMs: ZONE_MS,
      nowMs: look * LOOK_MS,
    })
    assert.is(due.length + held.size, verdicts.length, 'each death is declared or held, with a reason')
    const present = zones.map((_, node) => node).filter(node => !dead.has(node))
    const silentShare = present.filter(isSilent).length / present.length
    const now = due.map(({ id }) => Number(id.slice(1)))
    if (now.length > 0) declared.push({ look, nodes: now, silentShare })
    for (const node of now) dead.add(node)
    for (const node of [...dead]) if (!isSilent(node)) dead.delete(node)
  }
  return declared
}

test('the leader itself and whoever is heard are never declared dead', () => {
  fc.assert(
    fc.property(stories, story => {
      for (const { nodes, look } of tell(story, 220))
        for (const node of nodes) {
          assert.is.not(node, 0)
          assert.ok(
            story.silences.some(
              one => one.nodes.includes(node) && look >= one.from && look < one.from + one.looks,
            ),
          )
        }
    }),
    { numRuns: 100, seed: 4 },
  )
})

test('more than a third at once is declared only after all of them were silent for the whole hold, or a zone’s time', () => {
  let massCount = 0
  fc.assert(
    fc.property(stories, story => {
      for (const { nodes, look, silentShare } of tell(story, 220)) {
        if (nodes.length < 2 || silentShare <= 1 / 3) continue
        massCount++
        const holdLooks = Math.min(MASS_HOLD_MS, ZONE_MS) / LOOK_MS
        const isLong = story.zones.some((_, node) =>
          wasSilent(story, node, { from: look - holdLooks, to: look }),
        )
        assert.ok(isLong, `look ${look}: ${nodes.join()}`)
      }
    }),
    { numRuns: 200, seed: 5 },
  )
  assert.ok(massCount > 20, `${massCount} mass deaths were seen`)
})

test('whoever stays silent is declared dead in the end, whatever else happens meanwhile', () => {
  fc.assert(
    fc.property(stories, story => {
      const lasting = { ...story, silences: story.silences.map(one => ({ ...one, looks: 10_000 })) }
      const expected = new Set(
        lasting.silences.flatMap(({ nodes }) => nodes).filter(node => node < story.zones.length),
      )
      const declared = new Set(tell(lasting, 220).flatMap(({ nodes }) => nodes))
      assert.equal([...declared].sort(), [...expected].sort())
    }),
    { numRuns: 150, seed: 6 },
  )
})

test.run()
