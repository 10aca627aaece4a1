/**
 * Nodes on probation are passed over while another one fits. The one filter that gives way: work is rather on a node that
 * comes and goes than nowhere, so `apply` does not check it.
 */
import { lossesOf, probationLeftMs } from '../probation.ts'
import type { Check } from './check.ts'
import type { NodeColumns } from './columns.ts'

export const probationCheck = (columns: NodeColumns, nowMs: number): Check => ({
  isLasting: false,
  fits: row => probationLeftMs(columns.nodes[row]!, nowMs) === 0,
  phrase: rows => {
    const losses = lossesOf(columns.nodes[rows[0]!]!, nowMs)
    return [`is on probation: it was lost ${losses} times of late`, 'are on probation after several losses']
  },
  remedy: 'wait until a node on probation is trusted again',
})
