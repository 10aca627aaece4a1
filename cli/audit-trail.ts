/** A reader's side of the audit trail: follows the chain of hashes by itself, and takes nobody's word for a record. */
import { createHash } from 'node:crypto'
import type { AuditLine } from '../node/api/native/schema-access.ts'
import { Failure } from '../node/errors.ts'
import type { AuditRecord, TrailName } from '../scheduler/index.ts'

export type AuditItem = AuditRecord & { readonly trail: TrailName; readonly hash: string }

/** Where a trail has been followed to. */
export type Followed = { readonly first: number; readonly next: number; readonly head: string }

export type Follower = {
  /** The record of a line, checked; null for a line that begins a trail. Throws E_DISK_DAMAGED for a broken chain. */
  take(line: AuditLine): AuditItem | null
  followed(): ReadonlyMap<TrailName, Followed>
  /** The hash of a record that was read, by trail and number; null for one that was not. */
  hashOf(trail: TrailName, number: number): string | null
}

export const followTrails = (): Follower => {
  const followed = new Map<TrailName, Followed>()
  const hashes = new Map<string, string>()
  return {
    take(line) {
      const before = followed.get(line.trail)
      if (line.type === 'trail') {
        followed.set(line.trail, { first: line.next, next: line.next, head: line.anchor })
        return null
      }
      const hash = createHash('sha256').update(`${before?.head}\n${line.text}`).digest('hex')
      const record = JSON.parse(line.text) as AuditRecord
      if (before === undefined || hash !== line.hash || record.number !== before.next)
        throw broken(line.trail, before?.next ?? record.number)
      followed.set(line.trail, { ...before, next: before.next + 1, head: hash })
      hashes.set(`${line.trail} ${record.number}`, hash)
      return { trail: line.trail, hash, ...record }
    },
    followed: () => followed,
    hashOf: (trail, number) => hashes.get(`${trail} ${number}`) ?? null,
  }
}

const broken = (trail: TrailName, number: number): Failure =>
  new Failure(
    'E_DISK_DAMAGED',
    {
      message: `the audit trail "${trail}" is broken at record ${number}`,
      why: 'the record does not follow from the one before it: something was changed or left out',
      try: 'compare with the other nodes: tutti audit --verify --connect …',
    },
    { facts: { trail, record: number } },
  )
