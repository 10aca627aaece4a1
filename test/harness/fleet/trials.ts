/** What is asked of a fleet: how soon a failure is known, what a join costs, what calm costs, who is wrongly held dead. */
import { lan, type Message, type NodeId, type Options } from '../../../gossip/index.ts'
import { type FleetMember, type Slowness, SwimFleet } from './swim-fleet.ts'

export type Trial = {
  readonly size: number
  readonly seed: number
  readonly lossRate: number
}

/** Virtual time for the dust of the founding to settle. */
const SETTLE_MS = 3_000
const PATIENCE_MS = 30_000

const settled = ({ size, seed, lossRate }: Trial): SwimFleet => {
  const fleet = new SwimFleet({ seed, options: lan(size), lossRate })
  fleet.found(size)
  fleet.run(SETTLE_MS)
  return fleet
}

export type Detection = {
  /** Until all others held it dead. */
  readonly allMs: number
  /** Others that were held dead. */
  readonly falseDeaths: number
}

/** One member fails, frozen or killed, while all else is well. */
export const detection = (trial: Trial, failure: 'freeze' | 'crash'): Detection => {
  const fleet = settled(trial)
  const victim = fleet.members[trial.seed % trial.size]!
  const knowing = new Set<NodeId>()
  let falseDeaths = 0
  fleet.onFact = (by, fact) => {
    if (fact.type !== 'member-dead') return
    if (fact.member.id === victim.id) knowing.add(by.id)
    else falseDeaths++
  }
  const sinceMs = fleet.nowMs
  fleet[failure](victim)
  const isKnown = fleet.run(PATIENCE_MS, () => knowing.size === trial.size - 1)
  return { allMs: isKnown ? fleet.nowMs - sinceMs : Number.POSITIVE_INFINITY, falseDeaths }
}

/** From the start of a newcomer until every other has its own word, and it has theirs. */
export const joining = (trial: Trial): number => {
  const fleet = settled(trial)
  const sinceMs = fleet.nowMs
  let missing = 2 * trial.size
  let newcomer: FleetMember | null = null
  fleet.onFact = (by, fact) => {
    if (!(fact.type === 'member-alive' || fact.type === 'member-changed') || newcomer === null) return
    if (fact.member.incarnation === 0) return
    if ((fact.member.id === newcomer.id) !== (by === newcomer)) missing--
  }
  newcomer = fleet.join()
  const isDone = fleet.run(PATIENCE_MS, () => missing === 0)
  return isDone ? fleet.nowMs - sinceMs : Number.POSITIVE_INFINITY
}

/** Bytes that a member sends per second: on average, and the most of any. */
export const traffic = (trial: Trial, forMs: number): { readonly mean: number; readonly most: number } => {
  const fleet = settled(trial)
  fleet.isCounting = true
  fleet.run(forMs)
  const rates = fleet.members.map(({ bytes }) => (bytes * 1_000) / forMs)
  return { mean: rates.reduce((sum, rate) => sum + rate, 0) / rates.length, most: Math.max(...rates) }
}

/** Connections of one member, and how many pairs had to dial while nothing happened. */
export const acquaintances = (
  trial: Trial,
  forMs: number,
): { readonly most: number; readonly dialled: number } => {
  const fleet = settled(trial)
  const before = fleet.dialledCount
  fleet.run(forMs)
  return {
    most: Math.max(...fleet.members.map(({ neighbours }) => neighbours.length)),
    dialled: fleet.dialledCount - before,
  }
}

export type Alarms = {
  /** Verdicts upon members that are well, by each observer. */
  readonly ofHealthy: number
  /** Upon slow ones, which gave no sign of life for as long as a verdict takes. */
  readonly ofSlow: number
  /** Suspicions of members that are well. */
  readonly doubts: number
}

export type AlarmTrial = Trial & {
  readonly forMs: number
  readonly slowShare: number
  readonly slowness: Slowness
  readonly isLifeguardOff: boolean
}

/** Nobody fails. Some are slow, and the network loses messages. */
export const alarms = (trial: AlarmTrial): Alarms => {
  const { size, seed, lossRate, isLifeguardOff } = trial
  const fleet = new SwimFleet({
    seed,
    lossRate,
    options: isLifeguardOff ? withoutLifeguard(lan(size)) : lan(size),
    ...(isLifeguardOff ? { censor: withoutBuddies } : {}),
  })
  fleet.found(size)
  fleet.run(SETTLE_MS)
  const every = Math.round(1 / trial.slowShare)
  for (const member of fleet.members) if (member.index % every === 0) fleet.slow(member, trial.slowness)
  const counts = { ofHealthy: 0, ofSlow: 0, doubts: 0 }
  fleet.onFact = (_, fact) => {
    if (!(fact.type === 'member-dead' || fact.type === 'member-suspect')) return
    const isSlow = fleet.byId.get(fact.member.id)?.slow != null
    if (fact.type === 'member-suspect') counts.doubts += isSlow ? 0 : 1
    else if (isSlow) counts.ofSlow++
    else counts.ofHealthy++
  }
  fleet.run(trial.forMs)
  return counts
}

/** Plain SWIM: no wait depends on our own health or on confirmations, and a late timer is no reason for doubt. */
const withoutLifeguard = (options: Options): Options => ({
  ...options,
  awarenessMax: 0,
  confirmationsWanted: 0,
  suspicionMaxMs: options.suspicionMinMs,
  stallMs: 1e9,
})

/** Nobody is told first of all that it is suspected, and helpers do not say that they are there. */
const withoutBuddies = (message: Message, to: NodeId): Message | null =>
  message.type === 'nack'
    ? null
    : { ...message, rumors: message.rumors.filter(({ member }) => member.id !== to) }

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] as number
