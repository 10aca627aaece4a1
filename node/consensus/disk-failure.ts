/** What a disk's own error means to the node: which code, and what a person reads. Used on both sides of the worker. */
import { damageText } from '../durable-file.ts'
import { type ErrorText, Failure, messageOf } from '../errors.ts'

export type DiskCode = 'E_DISK_FULL' | 'E_DISK_FAILED' | 'E_DISK_DAMAGED' | 'E_CONFLICT'

/** A failure as plain data, so that it can leave the worker. */
export type DiskTrouble = {
  readonly code: DiskCode
  readonly text: ErrorText
  /** An fsync failed: what the disk holds is not known any more, and no second try can tell. */
  readonly isFinal?: boolean
}

const SQLITE_CODES: ReadonlyMap<number, DiskCode> = new Map([
  [5, 'E_CONFLICT'],
  [6, 'E_CONFLICT'],
  [11, 'E_DISK_DAMAGED'],
  [13, 'E_DISK_FULL'],
  [26, 'E_DISK_DAMAGED'],
])

/** The primary result code of sqlite is the low byte of an extended one (sqlite.org/rescode.html). */
const PRIMARY_MASK = 0xff

const codeOf = (thrown: unknown): DiskCode => {
  if (typeof thrown !== 'object' || thrown === null) return 'E_DISK_FAILED'
  if ('errcode' in thrown && typeof thrown.errcode === 'number')
    return SQLITE_CODES.get(thrown.errcode & PRIMARY_MASK) ?? 'E_DISK_FAILED'
  if ('code' in thrown && (thrown.code === 'ENOSPC' || thrown.code === 'EDQUOT')) return 'E_DISK_FULL'
  return 'E_DISK_FAILED'
}

/** Damage found by our own checks. `what` is a sentence part: `entry 17 has a wrong checksum`. */
export const damaged = (path: string, what: string): DiskTrouble => ({
  code: 'E_DISK_DAMAGED',
  text: damageText(`the stored log ${path} is damaged: ${what}`),
})

/** The leader has this node's word for more than its log holds: an old copy of the disk, or one that forgot. */
export const promiseLost = ({
  promised,
  lastIndex,
}: {
  readonly promised: number
  readonly lastIndex: number
}) =>
  new Failure('E_DISK_DAMAGED', {
    message: `the log ends with entry ${lastIndex}, and this node has promised the others to have entry ${promised}`,
    why: 'its disk went back in time, as a restored copy does: a node that forgot what it promised must not vote again',
    try: 'stop this node, then: tutti repair --force, which fetches the state anew from the other nodes',
  })

/** Anything thrown by sqlite or the file system while working on `path`. */
export const troubleOf = (path: string, thrown: unknown): DiskTrouble => {
  const code = codeOf(thrown)
  const cause = messageOf(thrown)
  switch (code) {
    case 'E_DISK_DAMAGED':
      return damaged(path, cause)
    case 'E_DISK_FULL':
      return {
        code,
        text: {
          message: `no space left to write ${path}`,
          why: 'this node votes and writes again as soon as there is space; its pods keep running',
          try: 'free some space on that file system, see: df -h',
        },
      }
    case 'E_CONFLICT':
      return {
        code,
        text: {
          message: `${path} is in use by another process`,
          why: 'two nodes must not share one data directory',
          try: 'stop the other node or give this one its own --data DIR',
        },
      }
    case 'E_DISK_FAILED':
      return {
        code,
        isFinal: isFailedSync(thrown),
        text: {
          message: `the disk failed on ${path}: ${cause}`,
          why: 'after a failed write nothing is known about the disk, so this node votes and writes no more; its pods keep running',
          try: 'check the disk (dmesg), then restart the node',
        },
      }
  }
}

export const failureOfTrouble = ({ code, text, isFinal = false }: DiskTrouble): Failure =>
  new Failure(code, text, { facts: { isFinal } })

/** Whether a node that was told so must not go on. */
export const isFinal = (thrown: unknown): boolean =>
  thrown instanceof Failure && thrown.facts.isFinal === true

const isFailedSync = (thrown: unknown): boolean =>
  typeof thrown === 'object' &&
  thrown !== null &&
  'syscall' in thrown &&
  (thrown.syscall === 'fsync' || thrown.syscall === 'fdatasync')
