/**
 * A stopped node whose log is damaged or gone comes back under its own name: it asks the leader to be let in anew
 * (api/native/recovery/readmission.ts has the reasoning), and begins with the state as of then. What was there before is moved aside. Its
 * key, its name and the containers that run stay as they are.
 */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { emptyConfiguration, type SnapshotMetadata } from '../../raft/index.ts'
import type { NodeId } from '../../scheduler/index.ts'
import { createPeerApi } from '../api/proxy.ts'
import type { Clock } from '../clock.ts'
import { openSnapshots } from '../consensus/snapshots.ts'
import { openSqliteLog } from '../consensus/sqlite-log.ts'
import { loadStartup } from '../consensus/startup.ts'
import { decodeState } from '../consensus/store.ts'
import { type ErrorCode, Failure } from '../errors.ts'
import type { Log } from '../log.ts'
import { openAddressBook } from '../membership/address-book.ts'
import { checkMember } from '../membership/join.ts'
import { parseToken } from '../membership/token.ts'
import { type NodeRecord, readRecord, writeRecord } from '../record.ts'
import { loadIdentity } from '../transport/identity.ts'
import { createLibp2pTransport } from '../transport/libp2p.ts'
import { type Fetched, fetchState } from './fetch-state.ts'

export type RepairOptions = {
  readonly directory: string
  /** Also a log that shows no damage is given up. */
  readonly isForced: boolean
  /** A member that this node may not know: its `HOST:PORT`, and a join token that pins its cluster. */
  readonly seed: { readonly address: string; readonly token: string } | null
  readonly clock: Clock
  readonly log: Log
}

export type Repaired = {
  readonly name: string
  /** What was wrong. */
  readonly damage: string
  readonly index: number
  readonly keptIn: string
}

const FILES = ['raft.db', 'raft.db-wal', 'raft.db-shm', 'raft.tail', 'snapshots']
const HERE = '0.0.0.0:0'

/** Throws Failure, and then the directory is as it was; but for a disk that fails between moving aside and writing anew. */
export const repairNode = async (options: RepairOptions): Promise<Repaired> => {
  const { directory, isForced, clock, log } = options
  const record = readRecord(directory)
  if (record === null) checkKey(options)
  const found =
    record === null
      ? 'nothing is left but its key'
      : await damageIn(directory, { hadLog: record.hasLog, log })
  if (found === null && !isForced) throw isIntact(directory)
  const { fetched, self } = await fetchAsMember(options)
  const keptIn = join(
    directory,
    `given-up-${new Date(clock.wallMs()).toISOString().replaceAll(/[:.]/g, '-')}`,
  )
  await moveAside(directory, keptIn)
  await layDown(directory, fetched, log)
  const { name } = record ?? (await rememberMember(directory, self, fetched))
  return { name, damage: found ?? 'nothing', index: fetched.header.index, keptIn }
}

/** A node that lost all but its key can still prove who it is, to a member that is named. */
const checkKey = ({ directory, seed }: RepairOptions): void => {
  const hasKey = existsSync(join(directory, 'identity.key'))
  if (hasKey && seed !== null) return
  throw new Failure('E_NOT_FOUND', {
    message: `there is no node in ${directory}`,
    why: hasKey
      ? 'it holds a key, but nothing says of which cluster'
      : 'it has neither a node.json nor a key',
    try: hasKey ? 'tutti repair --join HOST:PORT --token TOKEN' : 'tutti repair --data DIRECTORY',
  })
}

const rememberMember = async (
  directory: string,
  self: string,
  { header, state }: Fetched,
): Promise<NodeRecord> => {
  const row = decodeState(state).nodes.get(self as NodeId)
  const record: NodeRecord = {
    name: row?.name ?? self,
    clusterId: header.clusterId,
    clusterName: header.clusterName,
    founded: null,
    runtime: row?.runtime ?? 'fake',
    hasLog: true,
  }
  await writeRecord(directory, record)
  return record
}

/** Null: it can be read whole. Throws E_CONFLICT when a node runs in it, and what else is no damage of the log. */
const damageIn = async (
  directory: string,
  { hadLog, log }: { readonly hadLog: boolean; readonly log: Log },
): Promise<string | null> => {
  if (hadLog && !existsSync(join(directory, 'raft.db'))) return 'the log is gone'
  const logStore = openSqliteLog({ directory, log })
  const snapshotStore = openSnapshots({ directory: join(directory, 'snapshots'), log })
  try {
    const { saved } = await loadStartup({
      id: '',
      bootstrap: false,
      logStore,
      snapshotStore,
      mustWrite: false,
    })
    return hadLog && saved.snapshot === null && saved.entries.length === 0 ? 'the log is empty' : null
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'E_DISK_DAMAGED') return thrown.message
    throw thrown
  } finally {
    await logStore.close()
  }
}

const isIntact = (directory: string): Failure =>
  new Failure('E_CONFLICT', {
    message: `the log in ${directory} is intact`,
    why: 'there is nothing to repair, and a repair gives up what is there',
    try: 'tutti start; to give it up all the same: tutti repair --force',
  })

/** Speaks as this node, whose key the members know, without taking part in anything. */
const fetchAsMember = async ({
  directory,
  seed,
  clock,
  log,
}: RepairOptions): Promise<{ readonly fetched: Fetched; readonly self: string }> => {
  const identity = await loadIdentity(directory)
  const known = (await openAddressBook({ directory, log })).peers()
  const transport = await createLibp2pTransport({
    privateKey: identity.privateKey,
    listen: HERE,
    clock,
    log,
  })
  try {
    await transport.start()
    const peers = new Map(known)
    if (seed !== null)
      peers.set((await checkMember(transport, seed.address, parseToken(seed.token))).id, [seed.address])
    transport.admit(new Set(peers.keys()))
    for (const [peer, addresses] of peers) transport.setAddresses(peer, addresses)
    const self = identity.peerId
    const fetched = await firstAnswer([...peers.keys()], peer =>
      fetchState({ api: createPeerApi(transport, clock), peer, self, requestId: randomUUID() }),
    )
    return { fetched, self }
  } finally {
    await transport.stop()
  }
}

/** Reasons for which another member may still answer: only the leader can. */
const NOT_THE_ONE: readonly ErrorCode[] = ['E_NO_LEADER', 'E_UNREACHABLE', 'E_TIMEOUT', 'E_NO_QUORUM']

const firstAnswer = async (
  peers: readonly string[],
  ask: (peer: string) => Promise<Fetched>,
): Promise<Fetched> => {
  const answers: string[] = []
  for (const peer of peers) {
    try {
      return await ask(peer)
    } catch (thrown) {
      if (!(thrown instanceof Failure) || !NOT_THE_ONE.includes(thrown.code)) throw thrown
      answers.push(`${peer.slice(-6)}: ${thrown.message}`)
    }
  }
  throw new Failure('E_NO_LEADER', {
    message: 'no leader of the cluster could be reached; nothing was changed',
    why: answers.length === 0 ? 'this node remembers no other one' : answers.join('; '),
    try: 'start the other nodes, or name one: tutti repair --join HOST:PORT --token TOKEN; with their quorum gone for ever: tutti recover there first',
  })
}

const moveAside = async (directory: string, keptIn: string): Promise<void> => {
  await mkdir(keptIn, { recursive: true, mode: 0o700 })
  for (const name of FILES)
    if (existsSync(join(directory, name))) await rename(join(directory, name), join(keptIn, name))
}

/** It has voted for the present leader in the present term, for what it knows: it must vote for nobody else. */
const layDown = async (directory: string, { header, state, standing }: Fetched, log: Log): Promise<void> => {
  const { leader, term, voters, learners, epoch } = standing
  const snapshot: SnapshotMetadata = {
    index: header.index,
    term: header.term,
    configuration: {
      ...emptyConfiguration,
      voters: [...voters].sort(),
      learners: [...learners].sort(),
      ...(epoch.number === 0 ? {} : { epoch }),
    },
  }
  await openSnapshots({ directory: join(directory, 'snapshots'), log }).save({ meta: snapshot, data: state })
  const store = openSqliteLog({ directory, log })
  try {
    await store.load()
    await store.write({
      hardState: { term, vote: leader, commit: header.index },
      snapshot,
      truncateFrom: null,
      entries: [],
      compact: null,
    })
  } finally {
    await store.close()
  }
}
