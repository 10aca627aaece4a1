/**
 * The gossip core at scale, on virtual time: how soon a failure is known to all, what a join takes, and what calm costs, by
 * the number of members. The peer is the same with the fewest members, so the ratio is the growth.
 */
import { detection, joining, median, traffic } from '../harness/fleet/trials.ts'
import { type BenchOptions, type Result, rowOf } from './row.ts'

const LOST = [0, 0.1] as const
const CALM_MS = 20_000

/** Of each size. */
const SEEDS = 20

export const benchMembershipScale = async (options: BenchOptions): Promise<Result> => {
  const { members } = options
  const trials = options.trials ?? SEEDS
  const figures = members.map(size => figuresOf(size, trials))
  return {
    head: [
      `simulated: messages take 1 to 6 ms; medians of ${trials} seeds; peer: the same with ${members[0]} members`,
    ],
    rows: figures.flatMap((figure, position) =>
      [...figure].map(([name, ours]) =>
        rowOf(name, members[position] as number, ours, figures[0]?.get(name) as number),
      ),
    ),
  }
}

/** By name, with its unit. */
const figuresOf = (size: number, trials: number): ReadonlyMap<string, number> => {
  const seeds = Array.from({ length: trials }, (_, seed) => seed)
  const figures = new Map<string, number>()
  for (const lossRate of LOST) {
    const loss = lossRate === 0 ? '' : `, ${lossRate * 100} % lost`
    const timesOf = (failure: 'freeze' | 'crash') =>
      seeds.map(seed => detection({ size, seed, lossRate }, failure).allMs)
    const frozen = timesOf('freeze')
    figures.set(`frozen, all know ms${loss}`, median(frozen))
    figures.set(`killed, all know ms${loss}`, median(timesOf('crash')))
    figures.set(`join, all know ms${loss}`, median(seeds.map(seed => joining({ size, seed, lossRate }))))
    figures.set(`bytes/s per member${loss}`, traffic({ size, seed: 1, lossRate }, CALM_MS).mean)
  }
  return figures
}
