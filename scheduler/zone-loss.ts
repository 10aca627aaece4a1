/**
 * What happens to the work of a zone that is lost as a whole: it waits for a while, since what takes a whole zone away is most
 * often a switch or a line that comes back, and then moves to the others.
 */
import type { Cluster } from './model/access.ts'

/** Until somebody says otherwise. */
export const ZONE_LOSS_MS_DEFAULT = 10_000
/** A day: whoever wants to wait longer does not want it to move by itself. */
export const ZONE_LOSS_MS_MAX = 24 * 3_600_000

/** Milliseconds that the work of a lost zone waits; null: for ever. */
export const zoneLossMsOf = (cluster: Pick<Cluster, 'zoneLossMs'> | null): number | null =>
  cluster?.zoneLossMs === undefined ? ZONE_LOSS_MS_DEFAULT : cluster.zoneLossMs

/** `90 s`, `1.5 s`. */
export const durationOf = (ms: number): string => `${Math.round(ms / 100) / 10} s`
