/**
 * What a node costs that nobody asks for anything: real processes on loopback addresses of this machine, as one cluster
 * at rest. The peer of each figure is what is promised: 130 MB and 1 % of a core in a cluster of five; of the bytes it is
 * what the first of the clusters needs, and of the connections a full mesh.
 */

import { FULL_MESH_MAX } from '../../gossip/index.ts'
import { IDLE_MS_MAX } from '../../node/transport/idle.ts'
import { pause } from './contender.ts'
import { medianOf } from './failover.ts'
import { converged, startFleet } from './fleet.ts'
import { type Cost, costOf } from './process-cost.ts'
import { type BenchOptions, type Result, type Row, rowOf } from './row.ts'

const RSS_MB_MAX = 130
const CPU_PERCENT_MAX = 1
/** Allowed in a cluster beyond five: half as much again. */
const LARGE_FACTOR = 1.5
const SMALL_NODES = 5
const NODES = [5] as const
const CONVERGED_WITHIN_MS = 300_000
/** After the last join: caches are filled, voters chosen, the first garbage is collected. */
const REST_MS = 20_000
/** In a large cluster, connections that were needed for joining are let go as well. */
const REST_LARGE_MS = REST_MS + IDLE_MS_MAX
const MEASURED_MS = 30_000

export const benchIdle = async ({ nodes }: BenchOptions): Promise<Result> => {
  const rows: Row[] = []
  const head: string[] = []
  let smallestBytes: number | null = null
  for (const count of nodes ?? NODES) {
    const { convergedMs, costs } = await idleCost(count)
    const factor = count > SMALL_NODES ? LARGE_FACTOR : 1
    const row = (name: string, of: (cost: Cost) => number, promised: number): Row[] => [
      rowOf(`${name}, median`, count, medianOf(costs.map(of)), promised),
      rowOf(`${name}, most`, count, Math.max(...costs.map(of)), promised),
    ]
    smallestBytes ??= medianOf(costs.map(cost => cost.bytesPerSecond))
    rows.push(
      ...row('RSS MB', cost => cost.rssMB, RSS_MB_MAX * factor),
      ...row('PSS MB', cost => cost.pssMB, RSS_MB_MAX * factor),
      ...row('% of a core', cost => cost.cpuShare * 100, CPU_PERCENT_MAX * factor),
      ...row('bytes/s', cost => cost.bytesPerSecond, smallestBytes),
      ...row('connections', cost => cost.connections, count - 1),
    )
    head.push(`${count} nodes: one cluster ${(convergedMs / 1_000).toFixed(1)} s after the last one started`)
  }
  return {
    head: [
      `"clients" is the number of nodes; peer: what is promised; ${MEASURED_MS / 1_000} s at rest, per node`,
      ...head,
    ],
    rows,
  }
}

const idleCost = async (count: number) => {
  const cluster = await startFleet(count)
  try {
    const convergedMs = await converged(cluster, CONVERGED_WITHIN_MS)
    await pause(count > FULL_MESH_MAX ? REST_LARGE_MS : REST_MS)
    const costs = await costOf(
      cluster.nodes.flatMap(node => node.pid ?? []),
      MEASURED_MS,
    )
    return { convergedMs, costs }
  } finally {
    await cluster.stop()
  }
}
