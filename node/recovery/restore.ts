/**
 * A fresh data directory made from a backup: the node that starts on it is the only voter of the same cluster, in an epoch
 * of its own. Nodes of the old one that know this node rejoin by themselves; those that do not are told with `tutti repair`.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Entry, emptyConfiguration, refoundedState } from '../../raft/index.ts'
import { departedOf, type NodeId, type State } from '../../scheduler/index.ts'
import { encodeRequest } from '../consensus/request.ts'
import { openSnapshots } from '../consensus/snapshots.ts'
import { openSqliteLog } from '../consensus/sqlite-log.ts'
import { Failure } from '../errors.ts'
import type { Log } from '../log.ts'
import { makeDataDirectory, type NodeRecord, writeRecord } from '../record.ts'
import { loadIdentity } from '../transport/identity.ts'
import type { Backup } from './backup-file.ts'

export type Restoration = {
  readonly directory: string
  readonly backup: Backup & { readonly restored: State }
  /** For a node that the backup does not know; null: `nameOfMachine`, made unique. */
  readonly name: string | null
  readonly nameOfMachine: string
  readonly nowMs: number
  readonly log: Log
}

export type Restored = {
  readonly nodeId: string
  readonly name: string
  /** The directory held the key of a node that the backup knows. */
  readonly isKnown: boolean
}

const ADMISSION_MS = 366 * 24 * 3_600_000
const NAME = /^[a-z][a-z0-9-]{0,62}$/

/** Throws E_CONFLICT for a directory that is in use, E_NAME_TAKEN, E_NODE_LEFT; an identity may have been made then, nothing else. */
export const restoreInto = async (restoration: Restoration): Promise<Restored> => {
  const { directory, backup, nowMs, log } = restoration
  checkUnused(directory)
  makeDataDirectory(directory)
  const { peerId } = await loadIdentity(directory)
  const { restored: state, header } = backup
  if (departedOf(state, peerId as NodeId) !== null) throw hasLeft(directory)
  const known = state.nodes.get(peerId as NodeId)
  const name = known?.name ?? freeName(restoration)
  const admission = known === undefined ? admissionOf() : null

  const record: NodeRecord = {
    name,
    clusterId: header.clusterId,
    clusterName: header.clusterName,
    founded: null,
    admission,
    // None: the start looks for one.
    runtime: known?.runtime ?? 'fake',
    hasLog: true,
  }
  await layDownLog({ directory, nodeId: peerId, backup, admission, nowMs, log })
  // Last: without it nothing of this is a node yet.
  await writeRecord(directory, record)
  return { nodeId: peerId, name, isKnown: known !== undefined }
}

/** The snapshot and the log of the only voter of the restored cluster. */
export const layDownLog = async (options: {
  readonly directory: string
  readonly nodeId: string
  readonly backup: Backup
  /** Null: `nodeId` is in the backup, or need not be. */
  readonly admission: Admission | null
  readonly nowMs: number
  readonly log: Log
}): Promise<void> => {
  const { directory, nodeId, backup, admission, nowMs, log } = options
  const { index, term, epoch } = backup.header
  const configuration = {
    ...emptyConfiguration,
    voters: [nodeId],
    epoch: { number: epoch + 1, mark: randomBytes(16).toString('hex') },
  }
  const snapshot = { index, term, configuration }
  await openSnapshots({ directory: join(directory, 'snapshots'), log }).save({
    meta: snapshot,
    data: backup.state,
  })
  const store = openSqliteLog({ directory, log })
  try {
    await store.load()
    const { hardState } = refoundedState(snapshot, term)
    const entries = admission === null ? [] : [admitting(admission, { ...hardState, nowMs })]
    const commit = hardState.commit + entries.length
    await store.write({
      hardState: { ...hardState, commit },
      snapshot,
      truncateFrom: null,
      entries,
      compact: null,
    })
  } finally {
    await store.close()
  }
}

const checkUnused = (directory: string): void => {
  const taken = ['node.json', 'raft.db'].find(file => existsSync(join(directory, file)))
  if (taken === undefined) return
  throw new Failure('E_CONFLICT', {
    message: `${directory} holds a node already`,
    why: `${taken} is there, and a backup is restored into an unused directory only; an identity.key may be in it`,
    try: 'tutti restore FILE --data DIRECTORY, or move that one away',
  })
}

const freeName = ({ backup, name, nameOfMachine }: Restoration): string => {
  const taken = new Set(
    [...backup.restored.nodes.values()].filter(node => node.state !== 'left').map(node => node.name),
  )
  const wanted = name ?? nameOfMachine
  if (!NAME.test(wanted)) throw new Failure('E_INVALID', `${wanted} is not a node name`)
  if (!taken.has(wanted)) return wanted
  if (name === null) return `${wanted.slice(0, 56)}-${randomBytes(2).toString('hex')}`
  throw new Failure('E_NAME_TAKEN', {
    message: `the backup has a node ${name} already`,
    why: 'its key is not in this directory, so this would be another node',
    try: 'another --name, or put the identity.key of that node into the directory first',
  })
}

const hasLeft = (directory: string): Failure =>
  new Failure('E_NODE_LEFT', {
    message: `the identity in ${directory} has left that cluster`,
    why: 'who has left is never admitted again',
    try: 'tutti restore FILE --data DIRECTORY with an empty one',
  })

type Admission = NonNullable<NodeRecord['admission']>

/** A token for this one node. Nobody knows what the hash is made of, so nobody else can use it. */
const admissionOf = (): Admission => ({
  tokenId: `restore-${randomUUID().slice(0, 8)}`,
  secretHash: createHash('sha256').update(randomBytes(32)).digest('hex'),
})

/** The entry after the backup. */
const admitting = (
  { tokenId: id, secretHash }: Admission,
  { commit, term, nowMs }: { readonly commit: number; readonly term: number; readonly nowMs: number },
): Entry => ({
  type: 'normal',
  index: commit + 1,
  term,
  data: encodeRequest({
    requestId: id,
    command: {
      type: 'token/Create',
      atMs: nowMs,
      token: {
        id,
        kind: 'join',
        secretHash,
        role: 'viewer',
        labels: {},
        uses: 1,
        expiresAtMs: nowMs + ADMISSION_MS,
      },
    },
  }),
})
