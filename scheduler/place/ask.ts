/** One workload's question to placement, with what must be counted to answer it; kept true as its pods are placed. */
import assert from 'node:assert'
import { isEnded } from '../lifecycle.ts'
import type { Resources, Workload } from '../model/workload.ts'
import { declaredPorts, demandOf } from '../room.ts'
import type { State } from '../state.ts'
import { isDisplaced, isOutdated } from '../succession.ts'
import { podsOfWorkload } from '../tables.ts'
import type { NodeColumns } from './columns.ts'
import type { Declared } from './ports.ts'

export type Ask = {
  readonly workload: Workload
  readonly demand: Resources
  readonly declared: Declared
  /** Per row: pods of the workload that have not ended, whatever becomes of them. For limits. */
  readonly liveCount: Int32Array
  /** Per row: pods of the workload that are to stay: not outdated, not being moved or stopped. For spreading. */
  readonly stayingCount: Int32Array
}

export const askOf = (state: State, name: string, columns: NodeColumns): Ask => {
  const workload = state.workloads.get(name)
  assert(workload, 'only a known workload is placed')
  const liveCount = new Int32Array(columns.nodes.length)
  const stayingCount = new Int32Array(columns.nodes.length)
  for (const pod of podsOfWorkload(state, name)) {
    const row = columns.rowOf.get(pod.node)
    if (row === undefined || isEnded(pod.state)) continue
    const node = columns.nodes[row]!
    liveCount[row]! += 1
    const stays = node.state === 'alive' && !isDisplaced(node) && !isOutdated(pod, workload)
    if (stays && pod.desired === 'running') stayingCount[row]! += 1
  }
  const { pod } = workload.spec
  return { workload, demand: demandOf(pod), declared: declaredPorts(pod), liveCount, stayingCount }
}
