/**
 * Which nodes vote. Pure: the leader's warden asks it again and again, and carries out its answer.
 *
 * Rules, in this order:
 * 1. Nothing changes while fewer than a majority of the present voters are alive: such a change could not be committed.
 * 2. Every node of the roster is in the configuration; who has left is taken out at once. Who does not vote learns.
 * 3. There is an odd number of voters, at most `votersMax`, and never more than there are good nodes: those alive, and
 *    those out of touch for less than `stabilisationMs`. Two nodes have one voter: a second one could only do harm.
 * 4. A voter that is good stays. One that is gone is replaced as soon as a spare has caught up.
 * 5. Without a spare, the gone ones are kept on the list while the rest can bear one more loss (five voters, one gone);
 *    otherwise the voters shrink to the good ones (5 → 3 with two gone), so that the next loss finds a smaller majority.
 *    They never shrink to one because of deaths: three voters with one gone stay three, so that every acknowledged write
 *    is on two disks, and any two of the three machines are enough. Only a roster of fewer than three nodes has one voter.
 * 6. New voters come from zones with the fewest voters. When all is well, one voter at a time is exchanged for a node that
 *    spreads them strictly better over zones. The leader itself is never exchanged.
 */

/** What the leader knows of one node of the roster (those that have not left). */
export type Candidate = {
  readonly id: string
  /** Failure domain; null: it is one of its own. */
  readonly zone: string | null
  readonly isAlive: boolean
  /** Monotonic time since when it has been alive, or not. */
  readonly sinceMs: number
  /** Entries that it lacks of what is committed. */
  readonly lag: number
}

export type KeeperPolicy = {
  /** Odd. */
  readonly votersMax: number
  /** A node out of touch for so long is gone; a node alive for so long may be exchanged for a better spread. */
  readonly stabilisationMs: number
  /** A node that lacks no more than this may vote. */
  readonly lagMax: number
}

export const KEEPER_POLICY: KeeperPolicy = { votersMax: 5, stabilisationMs: 5_000, lagMax: 1_000 }

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
  const voters = voterIds(input)
  if (!isMajority(alive, voters)) return null
  const learners = roster.map(one => one.id).filter(id => !voters.includes(id))
  const target = { voters: [...voters].sort(), learners: learners.sort() }
  return isSame(target, configuration) ? null : target
}

export const majorityOf = (count: number): number => Math.floor(count / 2) + 1

const isMajority = (alive: ReadonlySet<string>, voters: readonly string[]): boolean =>
  voters.filter(id => alive.has(id)).length >= majorityOf(voters.length)

const isSame = (target: Membership, present: Membership): boolean =>
  String(target.voters) === String([...present.voters].sort()) &&
  String(target.learners) === String([...present.learners].sort())

/** Deaths never shrink the voters below this: a single voter would be the only disk that holds an acknowledged write. */
const VOTERS_KEPT_MIN = 3

const largestOdd = (count: number): number => (count % 2 === 0 ? count - 1 : count)

const voterIds = (input: KeeperInput): readonly string[] => {
  const { self, roster, configuration, policy, nowMs } = input
  const isVoter = (one: Candidate): boolean => configuration.voters.includes(one.id)
  const isGone = (one: Candidate): boolean =>
    !one.isAlive && one.id !== self && nowMs - one.sinceMs >= policy.stabilisationMs
  const staying = roster.filter(isVoter)
  const good = staying.filter(one => !isGone(one))
  const spares = roster.filter(one => !isVoter(one) && one.isAlive && one.lag <= policy.lagMax)
  const gone = staying.filter(isGone)
  const goodCount = Math.min(policy.votersMax, largestOdd(good.length + spares.length))
  // With the gone ones there may be enough to keep every write on two disks.
  const leastCount = Math.min(VOTERS_KEPT_MIN, largestOdd(good.length + spares.length + gone.length))
  const count = Math.max(1, goodCount, leastCount)

  const presentCount = configuration.voters.length
  const hasAllPresent =
    staying.length === presentCount && presentCount % 2 === 1 && presentCount <= policy.votersMax
  const bearsOneMore = good.length > majorityOf(presentCount)
  if (count < presentCount && hasAllPresent && bearsOneMore) return configuration.voters

  const chosen = pick({ self, from: good, onto: [], count })
  const living = pick({ self, from: spares, onto: chosen, count })
  const filled = pick({ self, from: gone, onto: living, count })
  const isQuiet = filled.length === presentCount && filled.every(isVoter) && filled.every(one => one.isAlive)
  return (isQuiet ? spreadBetter(input, filled, spares) : filled).map(one => one.id)
}

/** Adds to `onto` until there are `count`: the leader, then the living, then the least crowded zones, then the longest alive. */
const pick = (options: {
  readonly self: string
  readonly from: readonly Candidate[]
  readonly onto: readonly Candidate[]
  readonly count: number
}): readonly Candidate[] => {
  const chosen = [...options.onto]
  const rest = [...options.from]
  while (chosen.length < options.count && rest.length > 0) {
    const crowd = (one: Candidate): number => chosen.filter(other => zoneOf(other) === zoneOf(one)).length
    rest.sort(
      (left, right) =>
        Number(right.id === options.self) - Number(left.id === options.self) ||
        Number(right.isAlive) - Number(left.isAlive) ||
        crowd(left) - crowd(right) ||
        left.sinceMs - right.sinceMs ||
        (left.id < right.id ? -1 : 1),
    )
    chosen.push(rest.shift()!)
  }
  return chosen
}

const zoneOf = (one: Candidate): string => one.zone ?? `node ${one.id}`

/** Smaller is better spread: the sum of the squares of the voters per zone. */
const crowding = (voters: readonly Candidate[]): number => {
  const counts = new Map<string, number>()
  for (const one of voters) counts.set(zoneOf(one), (counts.get(zoneOf(one)) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) => sum + count * count, 0)
}

const spreadBetter = (
  { self, policy, nowMs }: KeeperInput,
  voters: readonly Candidate[],
  spares: readonly Candidate[],
): readonly Candidate[] => {
  const steady = spares.filter(one => nowMs - one.sinceMs >= policy.stabilisationMs)
  let best = voters
  for (const out of voters) {
    if (out.id === self) continue
    for (const spare of steady) {
      const exchanged = voters.map(one => (one === out ? spare : one))
      if (crowding(exchanged) < crowding(best)) best = exchanged
    }
  }
  return best
}
