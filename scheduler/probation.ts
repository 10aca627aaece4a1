/**
 * A node that is lost again and again is on probation when it is back: new work goes elsewhere if it can. Each further loss
 * doubles the time, each stretch in touch forgives one. Pure; times are those inside commands, so every node reckons alike.
 */
import type { Node } from './model/node.ts'

/** After the second loss: whoever was lost once has merely been restarted. */
export const PROBATION_MS = 30_000
const PROBATION_MS_MAX = 600_000
/** In touch for so long, a node is forgiven one loss. */
export const FORGIVEN_MS = 600_000
const LOSSES_MAX = 1_000

type Row = Pick<Node, 'state' | 'stateChangedAtMs' | 'losses'>

/** How often it was lost, less what was forgiven since. */
export const lossesOf = ({ state, stateChangedAtMs, losses = 0 }: Row, nowMs: number): number => {
  const inTouchMs = state === 'alive' ? Math.max(0, nowMs - stateChangedAtMs) : 0
  return Math.max(0, losses - Math.floor(inTouchMs / FORGIVEN_MS))
}

/** With the loss that happens now. */
export const lossesAfter = (row: Row, nowMs: number): number => Math.min(LOSSES_MAX, lossesOf(row, nowMs) + 1)

const lengthMs = (losses: number): number =>
  losses < 2 ? 0 : Math.min(PROBATION_MS_MAX, PROBATION_MS * 2 ** (losses - 2))

/** Milliseconds until it is trusted again; 0: it is. */
export const probationLeftMs = (row: Row, nowMs: number): number => {
  if (row.state !== 'alive') return 0
  const length = lengthMs(row.losses ?? 0)
  const elapsedMs = nowMs - row.stateChangedAtMs
  // Further ahead than the whole time: stamped by a wrong clock, and waiting would never end.
  return elapsedMs <= -length ? 0 : Math.max(0, Math.min(length, length - elapsedMs))
}
