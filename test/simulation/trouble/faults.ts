/** What goes wrong and when, drawn from a seed before the run starts, so that the same seed breaks the same things. */
import type { Prng } from '../../harness/prng.ts'

/** A machine by its position, or whoever leads when the fault begins. */
export type Target = number | 'leader'

/** The moment that a strike waits for, on whatever machine it comes first. */
export type Moment =
  /** A vote was promised: the message is on its way. */
  | 'vote'
  /** The receipt of entries was promised. */
  | 'receipt'
  /** A leader's disk begins to write entries that are not yet committed. */
  | 'append'
  /** An election was won, and the first word to the others is about to leave. */
  | 'election'
  /** A snapshot begins to replace a log. */
  | 'snapshot'
  /** A snapshot of the own state is durable, and the disk is about to be told and to forget the log before it. */
  | 'compaction'

/** Every fault ends by itself after `forMs`; `skew` stays, `container` is over at once. */
export type Fault = {
  readonly atMs: number
  readonly forMs: number
} & (
  | {
      /** kill -9 of the node program; its containers run on. */
      readonly type: 'kill'
      readonly machine: Target
    }
  | {
      /** Power cut: node program and containers are gone. */
      readonly type: 'power'
      readonly machine: Target
    }
  | {
      /** The power of several machines fails at once; each comes back in its own time. */
      readonly type: 'blackout'
      readonly group: readonly number[]
    }
  | {
      /** SIGTERM: hands leadership over and ends; its containers run on. */
      readonly type: 'stop'
      readonly machine: Target
    }
  | {
      /** SIGSTOP: nothing runs, nothing is lost. `isSuspended`: the whole machine stood still, and what was sent to it is lost. */
      readonly type: 'pause'
      readonly machine: Target
      readonly isSuspended: boolean
    }
  | {
      /** kill -9 or a power cut at the worst moment, each time that it comes, with this chance. */
      readonly type: 'strike'
      readonly moment: Moment
      readonly isPowerCut: boolean
      readonly rate: number
      /** The struck machine is back within this time, so that what it forgot can do harm. */
      readonly awayMsMax: number
    }
  | {
      /**
       * Whoever is elected reaches but some of the others, is given up to `writesMax` writes at once, and falls again within
       * `graceMs`, away for up to `awayMsMax`: logs come to differ as much as they can.
       */
      readonly type: 'hunt'
      readonly writesMax: number
      readonly graceMs: number
      readonly reachRate: number
      readonly awayMsMax: number
    }
  | {
      /**
       * Somebody who knows better than the quorum keeper: whoever leads is told again and again to change the voters to these
       * or those, also at once when it is elected.
       */
      readonly type: 'regroup'
      readonly paceMs: number
    }
  | {
      /** The machines of `group` hear only each other. `isOneWay`: they are not heard, but hear. */
      readonly type: 'partition'
      readonly group: readonly number[]
      readonly withLeader: boolean
      readonly isOneWay: boolean
    }
  | {
      readonly type: 'network'
      readonly dropRate: number
      readonly duplicateRate: number
      readonly delayMsMax: number
    }
  | { readonly type: 'slow-disk'; readonly machine: Target; readonly factor: number }
  | { readonly type: 'full-disk'; readonly machine: Target }
  | { readonly type: 'skew'; readonly machine: number; readonly skewMs: number }
  /** A container dies by itself. */
  | { readonly type: 'container'; readonly machine: number }
  /** The container engine does not answer. */
  | { readonly type: 'engine'; readonly machine: number }
)

export type FaultType = Fault['type']

/** Relative weights; a seed silences some kinds altogether, so that each is also met alone. */
const WEIGHTS: Readonly<Record<FaultType, number>> = {
  kill: 4,
  power: 4,
  blackout: 2,
  stop: 2,
  pause: 3,
  strike: 5,
  hunt: 3,
  regroup: 2,
  partition: 5,
  network: 3,
  'slow-disk': 3,
  'full-disk': 1,
  skew: 1,
  container: 2,
  engine: 1,
}
const KINDS = Object.keys(WEIGHTS) as FaultType[]
const MOMENTS: readonly Moment[] = ['vote', 'vote', 'receipt', 'append', 'election', 'snapshot', 'compaction']

const FAULTS_MAX = 24
const SILENCED_RATE = 0.3
const FAULT_MS_MIN = 100
const FAULT_MS_MAX = 10_000
/** A hunt takes some elections. */
const HUNT_FACTOR = 4

/** All faults begin within the window, and most end there; whoever ends it ends the others. */
export const drawFaults = (
  dice: Prng,
  machineCount: number,
  window: { readonly fromMs: number; readonly toMs: number },
): readonly Fault[] => {
  const weights = KINDS.map(kind => (dice.chance(SILENCED_RATE) ? 0 : WEIGHTS[kind]))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total === 0) return []
  const faults = Array.from({ length: dice.between(2, FAULTS_MAX) }, () => {
    const atMs = dice.between(window.fromMs, window.toMs - 1_000)
    // Short ones are as likely as long ones: a quick return finds other bugs than a slow one.
    const forMs = Math.floor(FAULT_MS_MIN * (FAULT_MS_MAX / FAULT_MS_MIN) ** dice.random())
    const time = { atMs, forMs: Math.min(forMs, window.toMs - atMs) }
    return drawFault(dice, pickWeighted(dice, weights, total), machineCount, time)
  })
  return faults.sort((a, b) => a.atMs - b.atMs)
}

/**
 * Bad weather and no rest for leaders, all the time: dozens of elections, votes that are struck, and entries of many terms
 * on few disks, as in figure 8 of the Raft paper.
 */
export const drawDuel = (
  dice: Prng,
  window: { readonly fromMs: number; readonly toMs: number },
): readonly Fault[] => {
  const time = { atMs: window.fromMs, forMs: window.toMs - window.fromMs }
  const strike = { moment: 'vote', isPowerCut: dice.chance(0.5), rate: 0.2, awayMsMax: 20 } as const
  return [
    { ...drawHunt(dice, time), graceMs: dice.pick([50, 120, 250]), reachRate: dice.pick([0.5, 0.7]) },
    {
      ...time,
      type: 'network',
      dropRate: dice.random() * 0.2,
      duplicateRate: 0.05,
      delayMsMax: dice.between(1, 50),
    },
    ...(dice.chance(0.5) ? [{ ...time, type: 'strike', ...strike } as const] : []),
    ...(dice.chance(0.4) ? [{ ...time, type: 'regroup', paceMs: dice.between(50, 800) } as const] : []),
  ]
}

const pickWeighted = (dice: Prng, weights: readonly number[], total: number): FaultType => {
  let left = dice.random() * total
  const found = KINDS.find((_, position) => {
    left -= weights[position] as number
    return left < 0
  })
  return found ?? (KINDS.find((_, position) => (weights[position] as number) > 0) as FaultType)
}

const drawFault = (
  dice: Prng,
  type: FaultType,
  machineCount: number,
  time: { readonly atMs: number; readonly forMs: number },
): Fault => {
  const machine = dice.between(0, machineCount - 1)
  const target: Target = dice.chance(0.4) ? 'leader' : machine
  switch (type) {
    case 'kill':
    case 'power':
    case 'stop':
    case 'full-disk':
      return { ...time, type, machine: target }
    case 'pause':
      return { ...time, type, machine: target, isSuspended: dice.chance(0.5) }
    case 'blackout': {
      const all = dice.shuffle(Array.from({ length: machineCount }, (_, position) => position))
      return { ...time, type, group: dice.chance(0.5) ? all : all.slice(0, dice.between(1, machineCount)) }
    }
    case 'strike':
      return drawStrike(dice, time)
    case 'hunt':
      return { ...drawHunt(dice, time), forMs: HUNT_FACTOR * time.forMs }
    case 'regroup':
      return { ...time, type, paceMs: dice.between(50, 2_000) }
    case 'partition':
      return { ...time, type, ...drawGroup(dice, machineCount), isOneWay: dice.chance(0.25) }
    case 'network':
      return {
        ...time,
        type,
        dropRate: dice.random() * 0.3,
        duplicateRate: dice.random() * 0.2,
        delayMsMax: dice.between(5, 400),
      }
    case 'slow-disk':
      return { ...time, type, machine: target, factor: dice.between(10, 300) }
    case 'skew':
      return { ...time, type, machine, skewMs: dice.between(-120_000, 120_000) }
    case 'container':
    case 'engine':
      return { ...time, type, machine }
  }
}

const drawHunt = (
  dice: Prng,
  time: { readonly atMs: number; readonly forMs: number },
): Fault & { readonly type: 'hunt' } => ({
  ...time,
  type: 'hunt',
  writesMax: dice.pick([0, 3, 12]),
  graceMs: dice.pick([10, 50, 250]),
  reachRate: dice.pick([0.3, 0.6, 1]),
  awayMsMax: dice.pick([200, 600, 1_500]),
})

/** Votes are rare and are struck often; receipts come all the time. */
const drawStrike = (dice: Prng, time: { readonly atMs: number; readonly forMs: number }): Fault => {
  const moment = dice.pick(MOMENTS)
  const rate = moment === 'receipt' || moment === 'append' ? 0.02 : 0.5
  const awayMsMax = dice.pick([20, 200, 2_000])
  return { ...time, type: 'strike', moment, isPowerCut: dice.chance(0.5), rate, awayMsMax }
}

const drawGroup = (dice: Prng, machineCount: number) => {
  const size = dice.between(1, Math.max(1, Math.floor(machineCount / 2)))
  const all = Array.from({ length: machineCount }, (_, position) => position)
  return { group: dice.shuffle(all).slice(0, size), withLeader: dice.chance(0.4) }
}

export const describeFault = (fault: Fault): string => {
  const { atMs: _, forMs, type, ...facts } = fault
  const details = Object.entries(facts).map(([name, value]) => `${name}=${String(value)}`)
  return `${type} ${details.join(' ')} for ${forMs} ms`
}
