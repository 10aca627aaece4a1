// One member lies with everything that it may say. No healthy member is dead, and none is moved, on its word.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lan, type Member, type MemberState, type NodeId, type Rumor } from '../../../gossip/index.ts'
import { type FleetMember, SwimFleet } from '../../harness/fleet/swim-fleet.ts'
import { prng } from '../../harness/prng.ts'

const SIZE = 40
const LIE_EVERY_MS = 50
const LIES_MS = 30_000
const STATES: readonly MemberState[] = ['alive', 'suspect', 'dead', 'left']
/** How far beyond the truth: the present life, the next ones, and what nobody could outbid. */
const LEAPS = [0, 0, 1, 2, 2 ** 20, 2 ** 47] as const

type World = { readonly fleet: SwimFleet; readonly liar: FleetMember; readonly condemned: string[] }

const worldOf = (seed: number, lossRate: number): World => {
  const fleet = new SwimFleet({ seed, options: lan(SIZE), lossRate })
  fleet.found(SIZE)
  fleet.run(2_000)
  const liar = fleet.members[0]!
  const condemned: string[] = []
  fleet.onFact = (by, fact) => {
    if (by === liar || !(fact.type === 'member-dead' || fact.type === 'member-left')) return
    condemned.push(`${by.index} holds ${fact.member.id} ${fact.member.state} at ${fleet.nowMs}`)
  }
  return { fleet, liar, condemned }
}

/** Any member's present self-portrait, bent. */
const bent = (truth: Member, change: Partial<Member>): Member => ({ ...truth, ...change })

for (const seed of [1, 2, 3])
  test(`whatever one member says of the others, nobody else holds a healthy one dead (seed ${seed})`, () => {
    const { fleet, liar, condemned } = worldOf(seed, 0.05)
    const dice = prng(seed, 'lies')
    for (let spentMs = 0; spentMs < LIES_MS; spentMs += LIE_EVERY_MS) {
      const victim = dice.pick(fleet.members.slice(1))
      const truth = victim.swim.status().self
      const rumor: Rumor = {
        member: bent(truth, { state: dice.pick(STATES), incarnation: truth.incarnation + dice.pick(LEAPS) }),
        by: dice.pick([liar.id, victim.id, dice.pick(fleet.members).id]),
        isRefused: dice.chance(0.5),
      }
      if (dice.chance(0.5)) fleet.forgePublished(liar, rumor)
      for (const to of fleet.members.slice(1))
        if (dice.chance(0.5)) fleet.forge(liar, to, { type: 'gossip', rumors: [rumor] })
      fleet.run(LIE_EVERY_MS)
    }
    assert.equal(condemned, [])
  })

test('one victim, accused without pause by one member, is never held dead, and all agree when the lies end', () => {
  const { fleet, liar, condemned } = worldOf(4, 0.1)
  const victim = fleet.members[7]!
  for (let spentMs = 0; spentMs < LIES_MS; spentMs += LIE_EVERY_MS) {
    const member = bent(victim.swim.status().self, { state: 'dead', addresses: ['evil:1'] })
    for (const to of fleet.members.slice(1))
      if (to !== victim) fleet.forge(liar, to, { type: 'gossip', rumors: [{ member, by: liar.id }] })
    fleet.run(LIE_EVERY_MS)
  }
  assert.equal(condemned, [])
  fleet.run(5_000)
  const truth = victim.swim.status().self
  for (const { swim } of fleet.members)
    assert.equal(
      swim.members().find(({ id }) => id === victim.id),
      truth,
    )
})

test('nobody takes the word of one for a verdict, though nothing that refutes it arrives: each looks for itself', () => {
  const victimId = (): NodeId => fleet.members[7]!.id
  const isRefutation = ({ member }: Rumor): boolean => member.id === victimId() && member.state === 'alive'
  const fleet = new SwimFleet({
    seed: 6,
    options: lan(SIZE),
    censor: message => ({ ...message, rumors: message.rumors.filter(rumor => !isRefutation(rumor)) }),
  })
  fleet.found(SIZE)
  // Nothing that it publishes leaves it.
  const victim = fleet.members[7]!
  victim.neighbours.length = 0
  fleet.run(2_000)
  const [liar] = fleet.members
  const condemned: string[] = []
  let suspectCount = 0
  fleet.onFact = (by, fact) => {
    if (by === liar || !('member' in fact) || fact.member.id !== victim.id) return
    if (fact.type === 'member-suspect') suspectCount++
    if (fact.type === 'member-dead') condemned.push(`${by.index} at ${fleet.nowMs}`)
  }
  const truth = liar!.swim.members().find(({ id }) => id === victim.id)!
  const rumor: Rumor = { member: bent(truth, { state: 'dead' }), by: liar!.id }
  for (let spentMs = 0; spentMs < LIES_MS; spentMs += LIE_EVERY_MS) {
    for (const to of fleet.members.slice(1))
      if (to !== victim) fleet.forge(liar!, to, { type: 'gossip', rumors: [rumor] })
    fleet.run(LIE_EVERY_MS)
  }
  assert.is(suspectCount, SIZE - 2, 'the lie was heard by all')
  assert.equal(condemned, [])
})

test('a helper that lies about its probes condemns nobody', () => {
  const { fleet, liar, condemned } = worldOf(5, 0.1)
  for (let spentMs = 0; spentMs < LIES_MS; spentMs += LIE_EVERY_MS) {
    for (const to of fleet.members.slice(1))
      fleet.forge(liar, to, { type: 'nack', sequence: spentMs, rumors: [] })
    fleet.run(LIE_EVERY_MS)
  }
  assert.equal(condemned, [])
})

test.run()
