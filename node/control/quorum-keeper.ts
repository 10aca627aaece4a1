/**
 * Which nodes vote. Pure: the leader's warden asks it again and again, and carries out its answer.
 *
 * Rules, in this order:
 * 1. Nothing changes while fewer than a majority of the present voters are alive: such a change could not be committed.
 * 2. Every node of the roster is in the configuration; who has left is taken out at once. Who does not vote learns.
 * 3. The number of voters is odd, at most `votersMax`, and goes up or down by one step (two voters) at a time. It is the
 *    largest at which no zone has to hold a majority of them, counted over the whole roster, dead nodes included, so that a
 *    death does not change what is wanted. Where no number helps (two zones), the zones do not bound it.
 * 4. A voter that is good stays: one that is alive, or out of touch for less than `stabilisationMs`. One that is gone for
 *    longer is replaced as soon as a spare has caught up. A spare that was lost before must have been in touch for its
 *    `probationMs` first, so that a node that comes and goes is not given a vote each time it comes. Where one more loss
 *    would stop writes, `stabilisationMs` must do.
 * 5. Short of spares there are as many voters as healthy nodes, and one that is gone stays on the list when that makes the
 *    number odd. Five voters, one gone: they stay five. Two gone: three. Three with one gone: they stay three, so that every
 *    acknowledged write is on two disks and any two of the three are enough. Deaths alone never leave a single voter.
 * 6. New voters come from the zones with the fewest voters; among equals, those that are not drained and have fast disks,
 *    little lag and the longest time in touch. When all is well, one voter at a time is exchanged for a steady node: for a
 *    strictly better spread over zones, or else for a voter that is drained or has a slow disk, when that costs no spread.
 *    The leader itself is never exchanged.
 */

import { VOTERS_MAX_DEFAULT } from '../../scheduler/index.ts'

/** What the leader knows of one node of the roster (those that have not left). */
export type Candidate = {
  readonly id: string
  /** Failure domain; null: it is one of its own. */
  readonly zone: string | null
  readonly isAlive: boolean
  /** Monotonic time since when it has been alive, or not. */
  readonly sinceMs: number
  /** How long it should have been in touch before it is given a vote; 0 for a node that was never lost. */
  readonly probationMs: number
  /** Entries that it lacks of what is committed. */
  readonly lag: number
  /** What a write to its log takes; null: not known. */
  readonly diskMs: number | null
  /** It is being emptied, perhaps to be switched off. */
  readonly isDrained: boolean
}

export type KeeperPolicy = {
  /** Odd. */
  readonly votersMax: number
  /** A node out of touch for so long is gone; a node alive for so long may be exchanged for a voter. */
  readonly stabilisationMs: number
  /** A node that lacks no more than this may vote. */
  readonly lagMax: number
  /** A disk that takes longer is slow. One that takes no more than a quarter of it is fast enough to replace a slow one. */
  readonly diskSlowMs: number
}

export const KEEPER_POLICY: KeeperPolicy = {
  votersMax: VOTERS_MAX_DEFAULT,
  stabilisationMs: 5_000,
  lagMax: 1_000,
  diskSlowMs: 50,
}

export type Membership = { readonly voters: readonly string[]; readonly learners: readonly string[] }

export type KeeperInput = {
  /** The leader. It is alive, whatever the roster says. */
  readonly self: string
  readonly roster: readonly Candidate[]
  /** Not joint. */
  readonly configuration: Membership
  readonly policy: KeeperPolicy
  readonly nowMs: number
}

/** The membership to change to, lists sorted, or null when the present one is right or nothing may be done now. */
export const chooseVoters = (input: KeeperInput): Membership | null => {
  const { self, roster, configuration } = input
  const alive = new Set(roster.filter(one => one.isAlive).map(one => one.id)).add(self)
  if (!isMajority(alive, configuration.voters)) return null
  const voters = choose(input).map(one => one.id)
  if (!isMajority(alive, voters)) return null
  const learners = roster.map(one => one.id).filter(id => !voters.includes(id))
  const target = { voters: voters.sort(), learners: learners.sort() }
  return isSame(target, configuration) ? null : target
}

export const majorityOf = (count: number): number => Math.floor(count / 2) + 1

const isMajority = (alive: ReadonlySet<string>, voters: readonly string[]): boolean =>
  voters.filter(id => alive.has(id)).length >= majorityOf(voters.length)

const isSame = (target: Membership, present: Membership): boolean =>
  String(target.voters) === String([...present.voters].sort()) &&
  String(target.learners) === String([...present.learners].sort())

/** Who is in what state, seen from rule 4. */
type Ranks = {
  /** Voters that stay. */
  readonly good: readonly Candidate[]
  /** Voters that are gone. */
  readonly gone: readonly Candidate[]
  /** Those that could vote at once. */
  readonly spares: readonly Candidate[]
}

const ranksOf = ({ self, roster, configuration, policy, nowMs }: KeeperInput): Ranks => {
  const isVoter = (one: Candidate): boolean => configuration.voters.includes(one.id)
  const isGone = (one: Candidate): boolean =>
    !one.isAlive && one.id !== self && nowMs - one.sinceMs >= policy.stabilisationMs
  const good = roster.filter(one => isVoter(one) && !isGone(one))
  const isInNeed = good.length <= majorityOf(configuration.voters.length)
  const isProven = (one: Candidate): boolean =>
    nowMs - one.sinceMs >= (isInNeed ? Math.min(one.probationMs, policy.stabilisationMs) : one.probationMs)
  return {
    good,
    gone: roster.filter(one => isVoter(one) && isGone(one)),
    spares: roster.filter(one => !isVoter(one) && one.isAlive && one.lag <= policy.lagMax && isProven(one)),
  }
}

const choose = (input: KeeperInput): readonly Candidate[] => {
  const { self, roster, configuration, policy } = input
  const { good, gone, spares } = ranksOf(input)
  const wanted = countWanted(roster, policy.votersMax)
  const presentCount = configuration.voters.length
  const count = countOf({ presentCount, wanted, healthy: good.length + spares.length, gone: gone.length })
  const compare = comparing(self)
  const chosen = pick({ from: good, onto: [], count, compare })
  const living = pick({ from: spares, onto: chosen, count, compare })
  const filled = pick({ from: gone, onto: living, count, compare })
  const isQuiet =
    filled.length === presentCount &&
    filled.every(one => configuration.voters.includes(one.id)) &&
    filled.every(one => one.isAlive || one.id === self)
  return isQuiet ? exchanged(input, filled, spares) : filled
}

const largestOdd = (count: number): number => (count % 2 === 0 ? count - 1 : count)

/** Rules 3 and 5. `healthy` and `gone` together are those that can be on the list. */
const countOf = (facts: {
  readonly presentCount: number
  readonly wanted: number
  readonly healthy: number
  readonly gone: number
}): number => {
  const { presentCount, wanted, healthy, gone } = facts
  const upper = largestOdd(presentCount + 2)
  const lower = largestOdd(presentCount - 1)
  // Nobody is added only to sit beside the dead: a gone one fills up a number that is there already.
  const filled = healthy % 2 === 0 && presentCount > healthy ? healthy + 1 : largestOdd(healthy)
  const wished = Math.min(upper, Math.max(lower, Math.min(wanted, filled)))
  return Math.max(1, Math.min(wished, largestOdd(healthy + gone)))
}

/** The largest odd number of voters that can be spread so that no zone holds a majority; the largest at all when none can. */
export const countWanted = (roster: readonly Candidate[], votersMax: number): number => {
  const sizes = [...countByZone(roster).values()]
  const most = Math.max(1, largestOdd(Math.min(votersMax, roster.length)))
  for (let count = most; count >= 3; count -= 2) {
    const minority = majorityOf(count) - 1
    if (sizes.reduce((sum, size) => sum + Math.min(size, minority), 0) >= count) return count
  }
  return most
}

type Compare = (left: Candidate, right: Candidate) => number

/** The order within one zone: the leader, then the living, then as rule 6 says. */
const comparing =
  (self: string): Compare =>
  (left, right) =>
    Number(right.id === self) - Number(left.id === self) ||
    Number(right.isAlive) - Number(left.isAlive) ||
    Number(left.isDrained) - Number(right.isDrained) ||
    diskClass(left) - diskClass(right) ||
    lagClass(left) - lagClass(right) ||
    left.sinceMs - right.sinceMs ||
    (left.id < right.id ? -1 : 1)

/** Disks up to this are equally good: their differences are noise. Above it each doubling is a class of its own. */
const DISK_FAST_MS = 4
const diskClass = ({ diskMs }: Candidate): number =>
  Math.max(0, Math.ceil(Math.log2((diskMs ?? 0) / DISK_FAST_MS)))

/** What is on its way within a heartbeat is no lag. */
const LAG_NONE_MAX = 100
const lagClass = ({ lag }: Candidate): number => Number(lag > LAG_NONE_MAX)

/** Adds to `onto` until there are `count`: whom `compare` puts first, but within the living the least crowded zone goes first. */
const pick = (options: {
  readonly from: readonly Candidate[]
  readonly onto: readonly Candidate[]
  readonly count: number
  readonly compare: Compare
}): readonly Candidate[] => {
  const chosen = [...options.onto]
  const rest = [...options.from].sort(options.compare)
  while (chosen.length < options.count && rest.length > 0) {
    const counts = countByZone(chosen)
    const crowd = (one: Candidate): number => counts.get(zoneOf(one)) ?? 0
    const isBetter = (one: Candidate, best: Candidate): boolean =>
      one.isAlive === best.isAlive && crowd(one) < crowd(best)
    // The leader is first where it is among them, and stays so: nobody is chosen yet.
    const next = rest.reduce((best, one) => (chosen.length > 0 && isBetter(one, best) ? one : best))
    chosen.push(next)
    rest.splice(rest.indexOf(next), 1)
  }
  return chosen
}

const zoneOf = (one: Candidate): string => one.zone ?? `node ${one.id}`

const countByZone = (nodes: readonly Candidate[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const one of nodes) counts.set(zoneOf(one), (counts.get(zoneOf(one)) ?? 0) + 1)
  return counts
}

/** Smaller is better spread: the sum of the squares of the voters per zone. */
export const crowding = (voters: readonly Candidate[]): number =>
  [...countByZone(voters).values()].reduce((sum, count) => sum + count * count, 0)

/** The one exchange of a voter for a steady spare that helps most, if any does. */
const exchanged = (
  { self, policy, nowMs }: KeeperInput,
  voters: readonly Candidate[],
  spares: readonly Candidate[],
): readonly Candidate[] => {
  const compare = comparing(self)
  const isSlow = (one: Candidate): boolean => (one.diskMs ?? 0) > policy.diskSlowMs
  const isFast = (one: Candidate): boolean => (one.diskMs ?? 0) <= policy.diskSlowMs / 4
  const isFlawed = (one: Candidate): boolean => one.isDrained || isSlow(one)
  const steady = spares.filter(one => nowMs - one.sinceMs >= policy.stabilisationMs).sort(compare)
  const leaving = voters.filter(one => one.id !== self).sort((left, right) => compare(right, left))
  let best = voters
  let bestGain = { spread: 0, flaws: 0 }
  for (const out of leaving) {
    for (const spare of steady) {
      const next = voters.map(one => (one === out ? spare : one))
      const spread = crowding(voters) - crowding(next)
      const flaws = Number(isFlawed(out)) - Number(isFlawed(spare) || (isSlow(out) && !isFast(spare)))
      const isGain = spread > 0 || (spread === 0 && flaws > 0)
      const isBest = spread > bestGain.spread || (spread === bestGain.spread && flaws > bestGain.flaws)
      if (!isGain || !isBest) continue
      best = next
      bestGain = { spread, flaws }
    }
  }
  return best
}
