/** How well a machine is, as one number with its reasons: machines that ail are replaced, not nursed. Pure. */

export type HealthFacts = {
  /** How often it was lost, less what was forgiven. */
  readonly losses: number
  /** What a write to its log takes; null: not known. */
  readonly diskMs: number | null
  /** By how much its clock is ahead of its peers'; null: nobody can tell whose clock is wrong. */
  readonly skewMs: number | null
  /** Workloads whose pods do not come up here, and run elsewhere. */
  readonly startFailures: readonly string[]
}

export type Health = {
  /** 100 is well. */
  readonly score: number
  /** What costs it, as phrases, the worst first. */
  readonly ailments: readonly string[]
}

/** One cause alone may bring a node below the line (health-watch.ts), and never to nothing. */
const COST_MAX = 60
/** The first loss is a restart. */
const LOSS_COST = 15
/** Of each doubling beyond what is still a disk. */
const DISK_COST = 12
const DISK_GOOD_MS = 32
const SKEW_MS = 1_000
const SKEW_COST = 25
/** Tokens and certificates are taken for expired, or valid, that are not. */
const SKEW_BAD_MS = 60_000
const START_COST = 20
const NAMES_MAX = 3

type Ailment = { readonly cost: number; readonly words: string }

export const healthOf = (facts: HealthFacts): Health => {
  const all = [lossAilment(facts), diskAilment(facts), clockAilment(facts), startAilment(facts)]
  const real = all.filter(({ cost }) => cost > 0).sort((left, right) => right.cost - left.cost)
  const cost = real.reduce((sum, ailment) => sum + ailment.cost, 0)
  return { score: Math.max(0, 100 - Math.round(cost)), ailments: real.map(({ words }) => words) }
}

const bounded = (cost: number): number => Math.min(COST_MAX, Math.max(0, cost))

const lossAilment = ({ losses }: HealthFacts): Ailment => ({
  cost: bounded(LOSS_COST * (losses - 1)),
  words: `it was lost ${losses} times of late`,
})

const diskAilment = ({ diskMs }: HealthFacts): Ailment => ({
  cost: bounded(DISK_COST * Math.log2(Math.max(1, diskMs ?? 0) / DISK_GOOD_MS)),
  words: `its disk takes ${diskMs} ms for a write`,
})

const clockAilment = ({ skewMs }: HealthFacts): Ailment => {
  const size = Math.abs(skewMs ?? 0)
  return {
    cost: size >= SKEW_BAD_MS ? COST_MAX : size >= SKEW_MS ? SKEW_COST : 0,
    words: `its clock is about ${Math.round(size / 1_000)} s ${(skewMs ?? 0) > 0 ? 'ahead' : 'behind'}`,
  }
}

const startAilment = ({ startFailures }: HealthFacts): Ailment => {
  const names = startFailures.slice(0, NAMES_MAX).join(', ')
  const more = startFailures.length > NAMES_MAX ? ` and ${startFailures.length - NAMES_MAX} more` : ''
  return {
    cost: bounded(START_COST * startFailures.length),
    words: `pods of ${names}${more} do not start here and run elsewhere`,
  }
}
