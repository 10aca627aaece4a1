/** What a data directory remembers about its node: which cluster it belongs to and under which name. Small, atomic, private. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster, RuntimeKind } from '../scheduler/index.ts'
import { failureOfTrouble, troubleOf } from './consensus/disk-failure.ts'
import { sealedJson, unsealedJson, writeDurably } from './durable-file.ts'
import { Failure, messageOf } from './errors.ts'

export type NodeRecord = {
  readonly name: string
  readonly clusterId: string
  readonly clusterName: string
  /** The founder's own cluster, until the log has it. */
  readonly founded: Cluster | null
  /** Of a node that was restored from a backup which does not know it: admits it, until the log has it. */
  readonly admission?: { readonly tokenId: string; readonly secretHash: string } | null
  /** What runs its pods: another one would know nothing of those that run already. */
  readonly runtime: RuntimeKind
  /** True once the cluster's log has reached this disk: from then on it must be there. */
  readonly hasLog: boolean
}

export type RuntimeWish = 'auto' | 'docker' | 'process'

const FILE = 'node.json'
/** The first one had no checksum; it is still read. */
const FORMAT = 2
/** What is removed when a node has left: its key is never accepted again, so nothing of it has a use. */
const FILES_OF_A_MEMBER = [
  FILE,
  'identity.key',
  'addresses.json',
  'raft.db',
  'raft.db-wal',
  'raft.db-shm',
  'raft.tail',
  'snapshots',
]

export const makeDataDirectory = (directory: string): void => {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  } catch (thrown) {
    throw new Failure('E_DISK_FAILED', {
      message: `the data directory ${directory} cannot be made`,
      why: messageOf(thrown),
      try: 'tutti start --data DIRECTORY with one that you may write',
    })
  }
}

/** Null in an unused directory. */
export const readRecord = (directory: string): NodeRecord | null => {
  const path = join(directory, FILE)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new Failure('E_DISK_FAILED', { message: `${path} cannot be read`, why: messageOf(thrown) })
  }
  const { format, ...record } = unsealedJson(text) ?? {}
  const isKnown = typeof format === 'number' && format >= 1 && format <= FORMAT
  if (isKnown && typeof record.clusterId === 'string' && typeof record.name === 'string')
    return record as NodeRecord
  throw new Failure('E_DISK_DAMAGED', {
    message: `${path} is damaged or of another version`,
    why: 'it says which cluster this node belongs to',
    try: `restore it from a backup, or move ${directory} away and join anew: tutti start --join HOST:PORT`,
  })
}

/** Throws E_DISK_DAMAGED when the record and the log beside it do not belong together. */
export const checkRecord = (
  directory: string,
  record: NodeRecord | null,
  { hasLog }: { readonly hasLog: boolean },
): void => {
  const hint = `move ${directory} away and join anew: tutti start --join HOST:PORT`
  if (record === null && hasLog)
    throw new Failure('E_DISK_DAMAGED', {
      message: `${directory} holds the log of a member, but not the file ${FILE} that says of which cluster`,
      why: 'a new cluster on top of it would be another one under the same log',
      try: `restore ${FILE} from a backup, or ${hint}`,
    })
  if (record?.hasLog === true && !hasLog)
    throw new Failure('E_DISK_DAMAGED', {
      message: `${directory} held the log of its cluster, and holds it no more`,
      why: 'a node that forgot what it promised to the others must not vote again',
      try: `tutti repair --data ${directory}, which fetches the state anew from the other nodes`,
    })
}

/**
 * Which runtime to start with: with no wish, that of the last time. Choosing anew would take a machine whose engine does
 * not answer for one without an engine, and the pods that still run in it for gone.
 */
export const wantedRuntime = (wish: RuntimeWish, record: NodeRecord | null): RuntimeWish => {
  if (wish !== 'auto' || record === null) return wish
  return record.runtime === 'docker' || record.runtime === 'process' ? record.runtime : 'auto'
}

/** Durable when it resolves. */
export const writeRecord = (directory: string, record: NodeRecord): Promise<void> =>
  writeDurably(directory, FILE, textOf(record))

/** An admission that is over is not written: the file of one that never had any is the same. */
const textOf = ({ admission, ...record }: NodeRecord): string =>
  sealedJson({ format: FORMAT, ...record, ...(admission ? { admission } : {}) })

/**
 * Changes the record that the directory holds: one write after the other, and none for what is there already. The
 * returned function throws E_DISK_FULL or E_DISK_FAILED.
 */
export const keepRecord = (directory: string, stored: NodeRecord) => {
  let record = stored
  let kept = textOf(stored)
  let writing: Promise<void> = Promise.resolve()
  return (change: Partial<NodeRecord>): Promise<void> => {
    record = { ...record, ...change }
    const wanted = record
    const write = writing.then(async () => {
      if (textOf(wanted) === kept) return
      await writeRecord(directory, wanted).catch(thrown => {
        throw failureOfTrouble(troubleOf(join(directory, FILE), thrown))
      })
      kept = textOf(wanted)
    })
    writing = write.catch(() => undefined)
    return write
  }
}

export const forgetMembership = (directory: string): void => {
  for (const name of FILES_OF_A_MEMBER) rmSync(join(directory, name), { recursive: true, force: true })
}
