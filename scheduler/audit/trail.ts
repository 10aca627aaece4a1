/**
 * The audit trails as tables: how records are chained, kept and forgotten. A chain shows that no record was changed or
 * left out to whoever knows a later hash of it. It does not bind those who can write the log.
 */
import assert from 'node:assert'
import type { AuditRecord, AuditRow, AuditTrails, Trail, TrailName } from '../model/audit.ts'
import { sha256 } from './sha256.ts'

/** Of each trail, newest to stay. Whoever needs more follows the trail and keeps it elsewhere. */
export const AUDIT_KEPT_MAX: Readonly<Record<TrailName, number>> = { done: 4_000, tried: 1_000 }
/** The hash before the first record. */
export const CHAIN_START = '0'.repeat(64)

const HASH_LENGTH = 64

export type WritableTrail = { anchor: string; next: number; readonly rows: Map<number, AuditRow> }
export type WritableTrails = { readonly [Name in TrailName]: WritableTrail }

const emptyTrail = (): WritableTrail => ({ anchor: CHAIN_START, next: 1, rows: new Map() })

export const emptyTrails = (): WritableTrails => ({ done: emptyTrail(), tried: emptyTrail() })

/** The hash of the newest record: whoever knows it can tell later that nothing before it was changed. */
export const headOf = ({ anchor, next, rows }: Trail): string =>
  rows.get(next - 1)?.slice(0, HASH_LENGTH) ?? anchor

const chained = (before: string, text: string): string => sha256(`${before}\n${text}`)

/** The record that a row holds. */
export const recordOf = (row: AuditRow): AuditRecord => JSON.parse(row.slice(HASH_LENGTH + 1)) as AuditRecord

/** Adds one record, and forgets the oldest beyond the limit. */
export const append = (trails: WritableTrails, to: TrailName, record: Omit<AuditRecord, 'number'>): void => {
  const trail = trails[to]
  const number = trail.next
  // The order of the keys is part of the format.
  const { index, atMs, who, name, from, node, action, target, detail, outcome, requestId } = record
  const whole = { number, index, atMs, who, name, from, node, action, target, detail, outcome, requestId }
  const text = JSON.stringify(whole)
  trail.rows.set(number, `${chained(headOf(trail), text)} ${text}`)
  trail.next = number + 1
  if (trail.rows.size <= AUDIT_KEPT_MAX[to]) return
  const oldest = number - AUDIT_KEPT_MAX[to]
  trail.anchor = trail.rows.get(oldest)!.slice(0, HASH_LENGTH)
  trail.rows.delete(oldest)
}

/** Of a snapshot: the trails as plain data. Absent in old snapshots, whose trails begin anew. */
export type TrailsData = {
  readonly [Name in TrailName]: {
    readonly anchor: string
    readonly next: number
    readonly rows: readonly AuditRow[]
  }
}

export const trailsData = ({ done, tried }: AuditTrails): TrailsData => ({
  done: trailData(done),
  tried: trailData(tried),
})

const trailData = ({ anchor, next, rows }: Trail) => ({ anchor, next, rows: [...rows.values()] })

/** Throws an AssertionError when the data was not made by `trailsData`. */
export const restoreTrails = (data: TrailsData | undefined): WritableTrails => {
  const trails = emptyTrails()
  if (data === undefined) return trails
  for (const name of ['done', 'tried'] as const) {
    const { anchor, next, rows } = data[name]
    assert(typeof anchor === 'string' && anchor.length === HASH_LENGTH, 'a trail is anchored')
    assert(Number.isSafeInteger(next) && next > rows.length, 'records are counted from 1')
    assert(rows.length <= AUDIT_KEPT_MAX[name], 'a trail is bounded')
    const trail = trails[name]
    trail.anchor = anchor
    trail.next = next
    for (const [position, row] of rows.entries()) trail.rows.set(next - rows.length + position, row)
  }
  return trails
}
