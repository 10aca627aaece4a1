/** The composition root: flags → configuration → edges → actors → API, and the same in reverse to stop. */
import { randomInt, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lan, local } from '../gossip/index.ts'
import type { SavedState } from '../raft/index.ts'
import { type Author, type NodeFacts, type NodeId, PROTOCOL, type RuntimeKind } from '../scheduler/index.ts'
import { createLogsOf } from './agent/logs.ts'
import { createProber } from './agent/prober.ts'
import { type AuditNotes, createNotes } from './api/audit-notes.ts'
import type { ApiDeps } from './api/deps.ts'
import { isWildcard } from './api/own-hosts.ts'
import { createPeerApi } from './api/proxy.ts'
import { createApi } from './api/server.ts'
import { type AssembledNode, assembleNode } from './assemble.ts'
import { systemClock } from './clock.ts'
import { watchClocks } from './clock-watch.ts'
import { closeAll } from './closing.ts'
import { type NodeConfig, resolveConfig, type StartOptions } from './config.ts'
import { openSnapshots } from './consensus/snapshots.ts'
import { openSqliteLog } from './consensus/sqlite-log.ts'
import type { LogStore } from './consensus/storage.ts'
import { type Entry, enterCluster } from './entry.ts'
import { Failure, messageOf } from './errors.ts'
import { dropStartGarbage, keepCompiled } from './footprint.ts'
import { createLog, type Log } from './log.ts'
import { type LoopLag, watchLoopLag } from './loop-lag.ts'
import { type AddressBook, openAddressBook } from './membership/address-book.ts'
import { startDiscovery } from './membership/discovery.ts'
import { type RefusedJoin, serveJoins } from './membership/join-service.ts'
import { multicast } from './membership/multicast.ts'
import { watchStanding } from './membership/standing.ts'
import { socketPath } from './paths.ts'
import { guardProcess } from './process-guard.ts'
import {
  checkRecord,
  forgetMembership,
  keepRecord,
  makeDataDirectory,
  readRecord,
  wantedRuntime,
  writeRecord,
} from './record.ts'
import { recordedLog } from './recorded-log.ts'
import { keepCopyIn } from './recovery/keep-copy.ts'
import { type DetectedRuntime, detectRuntime } from './runtime/detect.ts'
import type { Runtime } from './runtime/runtime.ts'
import { type HostPort, hostPortOf, textOf } from './transport/host-port.ts'
import { loadIdentity } from './transport/identity.ts'
import { createLibp2pTransport } from './transport/libp2p.ts'
import type { Transport } from './transport/transport.ts'

export type RunningNode = {
  readonly id: string
  readonly name: string
  readonly clusterName: string
  /** How this start came about, for the greeting. */
  readonly origin: 'founded' | 'joined' | 'resumed'
  readonly runtime: RuntimeKind
  /** `host:port` that others join through. */
  readonly peerAddress: string
  readonly apiUrl: string | null
  readonly socketPath: string
  readonly dataDirectory: string
  /** Resolves when the node ended by itself: null after it left, else the reason why it cannot go on. */
  readonly ended: Promise<string | null>
  /** Hands leadership over and stops; containers run on. Idempotent. */
  stop(): Promise<void>
}

const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version
/** After a farewell the reply to `tutti leave` still has to reach its caller. */
const FAREWELL_MS = 500

/** A new member is greeted when it has caught up; after this, whatever keeps it is for `tutti status` to tell. */
const READY_WITHIN_MS = 10_000

type Opened = (() => unknown)[]

const clock = systemClock()

/** Throws Failure; nothing runs then, and nothing new is left but an unused data directory. */
export const startNode = async (options: StartOptions): Promise<RunningNode> => {
  const config = resolveConfig(options)
  makeDataDirectory(config.dataDirectory)
  const log = createLog({
    level: config.logLevel,
    ...(config.logFile === null ? {} : { file: config.logFile }),
  })
  const opened: Opened = []
  try {
    return await open(config, log, opened)
  } catch (thrown) {
    await closeAll(opened, { clock, log })
    throw thrown
  }
}

const open = async (config: NodeConfig, log: Log, opened: Opened): Promise<RunningNode> => {
  const { dataDirectory } = config
  const { promise: ended, resolve: end } = Promise.withResolvers<string | null>()
  opened.push(guardProcess(process, { log, onFatal: end }))
  // Whoever reads the log first owns the directory: everything else in it is read and written afterwards.
  const owned = openSqliteLog({ directory: dataDirectory, log })
  opened.push(() => owned.close())
  const saved = await owned.load()
  const logStore = startingWith(saved, owned)
  const record = readRecord(dataDirectory)
  checkRecord(dataDirectory, record, { hasLog: saved !== null })
  const identity = await loadIdentity(dataDirectory)
  const detected = await detectRuntime({
    wanted: wantedRuntime(config.runtime, record),
    dockerSocket: config.dockerSocket,
    environment: process.env,
    directory: dataDirectory,
    clock,
    log,
  })
  const transport = await createLibp2pTransport({
    privateKey: identity.privateKey,
    listen: textOf(config.listen),
    clock,
    log,
  })
  opened.push(() => transport.stop())
  dropStartGarbage()
  await transport.start()
  const facts = factsOf(config, detected, identity.peerId as NodeId, transport.addresses())
  const book = await openAddressBook({ directory: dataDirectory, log })
  opened.push(() => book.flushed())
  const entry = await enterCluster({ config, record, facts, transport, book, clock })
  if (entry.how !== 'resumed') {
    // Before the record: a member without an address would wait for others that it lets nobody be.
    book.replace(entry.peers)
    await book.flushed()
    await writeRecord(dataDirectory, entry.record)
  }
  const runtime = await detected.open({ cluster: entry.record.clusterId, node: identity.peerId })
  return run({
    config,
    log,
    opened,
    transport,
    logStore,
    keepCopy: keepCopyIn(dataDirectory, owned),
    book,
    entry,
    keepRecord: keepRecord(dataDirectory, entry.how === 'resumed' && record !== null ? record : entry.record),
    runtime,
    detected,
    facts: { ...facts, name: entry.record.name },
    ended,
    end,
  })
}

/** What was read already serves as the first `load`. */
const startingWith = (saved: SavedState | null, store: LogStore): LogStore => {
  let first: Promise<SavedState | null> | null = Promise.resolve(saved)
  return {
    ...store,
    load() {
      const loaded = first ?? store.load()
      first = null
      return loaded
    },
  }
}

/** All `HOST:PORT` under which peers may find this node, best first: one port at several hosts. */
const peerAddressesOf = ({ addresses }: NodeConfig, { peerAddress }: NodeFacts): readonly string[] => {
  const { port } = hostPortOf(peerAddress)
  return addresses.map(host => textOf({ host, port }))
}

const factsOf = (
  config: NodeConfig,
  detected: DetectedRuntime,
  id: NodeId,
  listening: readonly string[],
): NodeFacts => ({
  id,
  name: config.name,
  address: config.address,
  // The port that was bound; the host that others reach.
  peerAddress: textOf({
    host: config.address,
    port: Number(listening[0]?.split(':').at(-1) ?? config.listen.port),
  }),
  apiAddress: config.api === null ? null : textOf(reachable(config.api, config.address)),
  labels: config.labels,
  capacity: detected.capacity,
  runtime: detected.kind,
  portRange: config.portRange,
  version: VERSION,
  protocol: PROTOCOL,
})

type Wiring = {
  readonly config: NodeConfig
  readonly log: Log
  readonly opened: Opened
  readonly transport: Transport
  readonly logStore: LogStore
  readonly keepCopy: (name: string) => Promise<string>
  readonly book: AddressBook
  readonly entry: Entry
  readonly keepRecord: ReturnType<typeof keepRecord>
  readonly runtime: Runtime
  readonly detected: DetectedRuntime
  readonly facts: NodeFacts
  readonly ended: Promise<string | null>
  readonly end: (reason: string | null) => void
}

const run = async (wiring: Wiring): Promise<RunningNode> => {
  const { config, log, opened, transport, entry, runtime, facts, book, ended, end } = wiring
  const clocks = watchClocks({
    peers: createPeerApi(transport, clock),
    connected: () => transport.near(),
    clock,
    random: Math.random,
  })
  opened.push(() => clocks.stop())
  const node = await assembleNode({
    id: facts.id,
    origin:
      entry.record.founded === null
        ? { type: 'member', admission: entry.record.admission ?? null }
        : { type: 'found', cluster: entry.record.founded },
    facts,
    addresses: peerAddressesOf(config, facts),
    clock,
    random: () => randomInt(2 ** 32) / 2 ** 32,
    log,
    transport,
    keepCopy: wiring.keepCopy,
    logStore: recordedLog(wiring.logStore, () => wiring.keepRecord({ hasLog: true })),
    snapshotStore: openSnapshots({ directory: join(config.dataDirectory, 'snapshots'), log }),
    runtime,
    prober: createProber(runtime),
    knownPeers: entry.peers,
    rememberPeers: peers => book.replace(peers),
    onFatal: end,
    clockSkewMs: () => clocks.skewMs(),
    swimOptions: config.isOneMachine ? local : lan,
  })
  opened.push(() => node.stop())
  // Only now does the log know the node under this name, and this disk the cluster.
  void node.ready
    .then(() => wiring.keepRecord({ ...entry.record, founded: null, admission: null, hasLog: true }))
    .catch(thrown => log.warn('the record of this node could not be kept', { error: messageOf(thrown) }))
  const discovery = startDiscovery({
    clusterId: entry.record.clusterId,
    self: facts.id,
    ether: multicast(config.listen.host),
    addresses: () => peerAddressesOf(config, facts),
    isMember: id => node.consensus.state().nodes.has(id as NodeId) || entry.peers.has(id),
    known: id => book.peers().get(id) ?? [],
    transport,
    clock,
    log,
  })
  opened.push(() => discovery.stop())
  const notes = createNotes({ node: facts, consensus: node.consensus, clock, log })
  opened.push(() => notes.stop())
  serveJoins({ transport, consensus: node.consensus, clock, log, onRefused: noteRefusal(notes) })
  const standing = watchStanding({
    transport,
    consensus: node.consensus,
    peers: () => book.peers(),
    clock,
    log,
    onLeft: node.expelled,
  })
  opened.push(() => standing.stop())
  const lag = watchLoopLag()
  opened.push(() => lag.stop())
  const leave = async (by: Author) => {
    await node.leave(by)
    opened.unshift(() => forgetMembership(config.dataDirectory))
    clock.after(FAREWELL_MS, () => end(null))
  }
  const api = createApi(
    {
      socketPath: socketPath(config.dataDirectory),
      listen: config.api === null ? null : textOf(config.api),
      hostNames: [facts.name, facts.address, ...config.addresses],
    },
    apiDeps(wiring, { node, lag, leave, note: notes.note }),
  )
  opened.push(() => api.stop())
  await api.start()
  if (entry.how !== 'resumed') await Promise.race([node.ready, pause(READY_WITHIN_MS)])
  keepCompiled()
  return {
    id: facts.id,
    name: facts.name,
    clusterName: entry.record.clusterName,
    origin: entry.how,
    runtime: facts.runtime,
    peerAddress: facts.peerAddress,
    apiUrl: reachableUrl(api.url(), config.address),
    socketPath: socketPath(config.dataDirectory),
    dataDirectory: config.dataDirectory,
    ended,
    stop: () => closeAll(opened, { clock, log }),
  }
}

type NodeDoors = { readonly node: AssembledNode; readonly lag: LoopLag } & Pick<ApiDeps, 'leave' | 'note'>

const apiDeps = (
  { log, transport, runtime, detected, facts, config }: Wiring,
  { node, lag, leave, note }: NodeDoors,
) => ({
  node: {
    id: facts.id,
    name: facts.name,
    version: VERSION,
    runtime: facts.runtime,
    startedAtMs: clock.monotonicMs(),
    dataDirectory: config.dataDirectory,
  },
  consensus: node.consensus,
  transport,
  members: node.members,
  actors: node.actors,
  seats: node.seats,
  localLogs: createLogsOf({ runtime, clock, state: () => node.consensus.state() }),
  leave,
  note,
  runtimeHealth: async () => {
    try {
      await runtime.capacity()
      return { isReachable: true, text: detected.description }
    } catch (thrown) {
      return { isReachable: false, text: thrown instanceof Failure ? thrown.message : String(thrown) }
    }
  },
  loopLagMs: () => lag.maxMs(),
  clock,
  randomId: () => randomUUID(),
  log,
})

/** A join that was refused, as the audit trail has it. */
const noteRefusal =
  ({ note }: AuditNotes) =>
  ({ peer, host, token, code }: RefusedJoin): void =>
    note({
      trail: 'tried',
      who: token === null ? 'unknown' : `token/${token}`,
      from: host,
      action: 'join',
      target: `peer/${peer}`,
      detail: '',
      outcome: code,
    })

/** Where others find what listens everywhere. */
const reachable = ({ host, port }: HostPort, address: string): HostPort =>
  isWildcard(host) ? { host: address, port } : { host, port }

const reachableUrl = (url: string | null, address: string): string | null => {
  if (url === null) return null
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return `${protocol}//${textOf(reachable({ host, port: Number(port) }, address))}`
}

const pause = (ms: number): Promise<void> =>
  new Promise(resolve => {
    clock.after(ms, resolve)
  })
