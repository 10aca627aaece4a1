/** Plays one seed: draws the cluster, the work and the faults, runs them, and says what the checkers found. */
import { type Prng, prng } from '../harness/prng.ts'
import { acknowledged } from './checkers/acknowledged.ts'
import type { Check, Checker } from './checkers/checker.ts'
import { completeness } from './checkers/completeness.ts'
import { configuration } from './checkers/configuration.ts'
import { converges, unsettled } from './checkers/converges.ts'
import { crashes } from './checkers/crashes.ts'
import { durable } from './checkers/durable.ts'
import { election } from './checkers/election.ts'
import { linearizable } from './checkers/linearizable.ts'
import { log } from './checkers/log.ts'
import { matching } from './checkers/matching.ts'
import { membership } from './checkers/membership.ts'
import { placement } from './checkers/placement.ts'
import { promises } from './checkers/promises.ts'
import { reads } from './checkers/reads.ts'
import { state } from './checkers/state.ts'
import { stickiness } from './checkers/stickiness.ts'
import { witnesses } from './checkers/witnesses.ts'
import { History } from './history.ts'
import { drawDuel, drawFaults, type Fault } from './trouble/faults.ts'
import { lie } from './trouble/liar.ts'
import { createMischief } from './trouble/mischief.ts'
import { type Failed, World } from './world.ts'

export type Played = {
  readonly seed: number
  readonly failed: Failed | null
  /** Equal for equal seeds. */
  readonly hash: string
  readonly virtualMs: number
  readonly eventCount: number
  readonly acknowledgedCount: number
  readonly machineCount: number
  readonly faultCount: number
  /** From the end of all faults until everything was as asked. */
  readonly convergedAfterMs: number | null
}

export type PlayOptions = {
  /** The checker that is asked; the others look away. */
  readonly only?: string | null
  readonly print?: (line: string) => void
  readonly isVerbose?: boolean
  readonly hasFaults?: boolean
}

/** Some seeds are nothing but fights over leadership, and longer than the others. */
const DUEL_RATE = 0.35
const DUEL_FACTOR = 2
/** Others are such fights among three, while the rest get the log through each other. */
const RELAY_DUEL_RATE = 0.05
const LEASES_RATE = 0.5
/** Under leases there are fewer elections to fight over. */
const DUEL_LEASES_RATE = 0.2
const FAULTS_FROM_MS = 4_000
const FAULTS_MS_MIN = 6_000
const FAULTS_MS_MAX = 30_000
/** A cluster that is not as asked by then never will be. */
const CONVERGENCE_MS_MAX = 60_000
/** How often it is asked whether all is well. */
const LOOK_MS = 250
/** All must stay well for so long. */
const CALM_MS = 3_000

/** All checkers of one world, on one history, and further ones that a play brings along. */
export const allChecks = (further: readonly Check[] = []): readonly Check[] => {
  const checkers: Checker[] = []
  const history = new History(committed => {
    for (const checker of checkers) checker.committed?.(committed)
  })
  const raft = [
    election,
    completeness(history),
    matching,
    durable(history),
    configuration,
    stickiness,
    promises,
  ]
  const served = [log(history), state(history), acknowledged, reads, linearizable, placement]
  return [...raft, ...served, crashes, witnesses, membership, converges, ...further].map(check => fail => {
    const checker = check(fail)
    checkers.push(checker)
    return checker
  })
}

export const play = async (seed: number, options: PlayOptions = {}): Promise<Played> => {
  const dice = prng(seed, 'simulation')
  const relays = drawRelays(dice.fork('relays'))
  const isDuel = dice.chance(DUEL_RATE) || relays.isDuel
  const drawn = isDuel ? dice.pick([3, 3, 4, 5]) : dice.pick([1, 2, 3, 3, 3, 4, 5, 5, 5, 7])
  const machineCount = relays.machineCount ?? drawn
  const world = new World({
    dice,
    machineCount,
    snapshotEntries: dice.pick([20, 60, 200, 2_000]),
    tickMs: dice.pick([25, 50]),
    hasLeases: dice.fork('has leases').chance(isDuel ? DUEL_LEASES_RATE : LEASES_RATE),
    diskFactor: dice.pick([1, 1, 5, 20]),
    appendBytesMax: isDuel ? 64 : dice.pick([64, 4 * 1024, 256 * 1024]),
    directLearnersMax: relays.directLearnersMax,
    relayFanOut: relays.fanOut,
    votersMax: relays.votersMax,
    checks: allChecks(),
    only: options.only ?? null,
    print: options.print ?? null,
    isVerbose: options.isVerbose ?? false,
  })
  const faultsMs = dice.between(FAULTS_MS_MIN, FAULTS_MS_MAX)
  const quietAtMs = FAULTS_FROM_MS + (isDuel ? DUEL_FACTOR * faultsMs : faultsMs)
  const window = { fromMs: FAULTS_FROM_MS, toMs: quietAtMs }
  const faultDice = dice.fork('faults')
  const planned = isDuel ? drawDuel(faultDice, window) : drawFaults(faultDice, machineCount, window)
  const faults = options.hasFaults === false ? [] : planned
  const joins = dice.fork('joins')
  // Most join before the trouble, some in the middle of it.
  const joinAtMs = world.machines.map(() =>
    joins.chance(0.9) ? joins.between(300, 2_500) : joins.between(2_500, quietAtMs - 2_000),
  )
  const convergedAfterMs = await act(world, {
    faults,
    joinAtMs,
    quietAtMs,
    paceMs: dice.between(50, 400),
    liarDice: dice.fork('liar'),
  })
  return {
    seed,
    failed: world.failed,
    hash: world.trace.hash(),
    virtualMs: world.timeline.nowMs(),
    eventCount: world.timeline.eventCount(),
    acknowledgedCount: world.customer.acknowledgedCount,
    machineCount,
    faultCount: faults.length,
    convergedAfterMs,
  }
}

/** Dice of their own, so that a seed that has no learners is what it was. */
const drawRelays = (dice: Prng) => {
  const isDuel = dice.chance(RELAY_DUEL_RATE)
  return {
    isDuel,
    machineCount: isDuel ? dice.pick([5, 6, 7]) : null,
    votersMax: isDuel ? 3 : 5,
    directLearnersMax: isDuel ? dice.pick([0, 1]) : dice.pick([0, 1, 8]),
    fanOut: dice.pick([1, 2, 16]),
  }
}

const act = async (
  world: World,
  plan: {
    readonly faults: readonly Fault[]
    readonly joinAtMs: readonly number[]
    readonly quietAtMs: number
    readonly paceMs: number
    readonly liarDice: Prng
  },
): Promise<number | null> => {
  const mischief = createMischief(world, plan.faults)
  world.onMoment = mischief.moment
  world.found(plan.joinAtMs)
  world.timeline.plan(FAULTS_FROM_MS / 2, () => {
    world.isTrouble = plan.faults.length > 0
    world.customer.open(plan.paceMs)
    world.registers.open()
  })
  await world.run(plan.quietAtMs)
  world.trace.tell('world', 'all faults are over')
  world.isTrouble = false
  world.onMoment = () => undefined
  world.customer.close()
  world.registers.close()
  mischief.quiet()
  const isCalm = await settle(world, plan.quietAtMs + CONVERGENCE_MS_MAX)
  if (world.failed !== null) return null
  const convergedAfterMs = world.timeline.nowMs() - plan.quietAtMs
  if (isCalm) {
    // Whoever is handed the lead now must be as able as the one before, though nobody writes anything.
    world
      .leader()
      ?.node?.consensus.transferLeadership({ timeoutMs: CALM_MS })
      .catch(() => undefined)
    world.isCalm = true
    lie(world, plan.liarDice, CALM_MS)
    // What began in the trouble may still end badly, so once more: but nobody may die any more.
    await world.run(world.timeline.nowMs() + CALM_MS)
    await settle(world, world.timeline.nowMs() + CALM_MS)
  }
  world.notify(checker => checker.atEnd?.(world))
  return convergedAfterMs
}

/** Runs until all is as asked; false when it is not in time. */
export const settle = async (world: World, untilMs: number): Promise<boolean> => {
  for (;;) {
    await world.run(Math.min(untilMs, world.timeline.nowMs() + LOOK_MS))
    if (world.failed !== null) return false
    if (world.customer.waitingCount + world.registers.waitingCount === 0 && unsettled(world) === null)
      return true
    if (world.timeline.nowMs() >= untilMs) return false
  }
}
