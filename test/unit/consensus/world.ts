/** A few nodes' consensus on virtual time, virtual disks and a network that tests can cut. */
import { type ActorSystem, createActorSystem } from '../../../node/actor/system.ts'
import {
  type ConsensusOptions,
  createConsensus,
  type RunningConsensus,
} from '../../../node/consensus/create.ts'
import { failureOfTrouble, troubleOf } from '../../../node/consensus/disk-failure.ts'
import type { LogStore, SnapshotStore } from '../../../node/consensus/storage.ts'
import { Failure } from '../../../node/errors.ts'
import { silentLog } from '../../../node/log.ts'
import { memoryNetwork } from '../../../node/transport/memory.ts'
import type { MemoryTransport } from '../../../node/transport/memory-transport.ts'
import type { Command } from '../../../scheduler/index.ts'
import { prng } from '../../harness/prng.ts'
import { SimulatedDisk } from '../../simulation/disk.ts'
import {
  createMachineClock,
  createProgramClock,
  createTimeline,
  type ProgramClock,
} from '../../simulation/timeline.ts'

export type TestNode = {
  readonly id: string
  readonly disk: SimulatedDisk
  readonly clock: ProgramClock
  readonly system: ActorSystem
  readonly random: () => number
  readonly consensus: RunningConsensus
  readonly transport: MemoryTransport
  /** Each change of leadership of this node, in order. */
  readonly leadership: boolean[]
}

export type World = {
  readonly nodes: Map<string, TestNode>
  start(id: string, options?: { readonly bootstrap?: boolean }): Promise<TestNode>
  /** The process dies; connections to it are reset unless `silently`. */
  kill(id: string, options?: { readonly silently: boolean }): void
  /** Cuts both ways, without a reset; heals what is not named. */
  cut(...pairs: readonly (readonly [string, string])[]): void
  /** How many writes shared each fsync of this node so far. */
  syncs(id: string): readonly number[]
  /** From now on each fsync of this node fails. */
  breakDisk(id: string): void
  /** The next snapshot of this node cannot be synced. */
  breakSnapshots(id: string): void
  /** Every k-th message of the `propose` channel is lost. */
  losePropositions(every: number): void
  /** Says something on the `propose` channel in the name of `from`, and resolves with the next thing said back. */
  propose(from: string, to: string, message: unknown): Promise<unknown>
  until(what: string, isSo: () => boolean, withinMs?: number): Promise<void>
  pass(ms: number): Promise<void>
  leader(): TestNode
  /** Runs the world until the promise settles. */
  settle<T>(promise: Promise<T>, withinMs?: number): Promise<T>
}

const LATENCY_MS = 1
const PORT = 7701

export const createWorld = (options: ConsensusOptions = {}, seed = 1): World => {
  const timeline = createTimeline()
  const dice = prng(seed, 'consensus world')
  const nodes = new Map<string, TestNode>()
  const disks = new Map<string, SimulatedDisk>()
  let cuts: ReadonlySet<string> = new Set()
  const broken = new Set<string>()
  const unsynced = new Set<string>()
  const syncs = new Map<string, readonly number[]>()
  const replies = new Map<string, (message: unknown) => void>()
  let loseEvery = 0
  let proposeCount = 0
  const isUnlucky = (): boolean => loseEvery > 0 && ++proposeCount % loseEvery === 0
  const isCut = (from: string, to: string): boolean => cuts.has(`${from} ${to}`) || cuts.has(`${to} ${from}`)
  const network = memoryNetwork({
    clock: createMachineClock(timeline, createProgramClock(timeline)),
    faults: {
      deliver: (from, to, kind) =>
        isCut(from, to) || (kind === 'propose' && isUnlucky()) ? [] : [LATENCY_MS + dice.random()],
    },
    random: dice.fork('network').random,
  })

  const transportOf = (id: string): MemoryTransport => {
    const transport = network.transport({ self: id, listen: `${hostOf(id)}:${PORT}`, log: silentLog })
    const onMessage = transport.onMessage.bind(transport)
    transport.onMessage = (channel, handler) =>
      onMessage(channel, (from, message) => {
        if (channel === 'propose') replies.get(id)?.(message)
        handler(from, message)
      })
    transport.admit(new Set(PEERS))
    for (const peer of PEERS) transport.setAddresses(peer, [`${hostOf(peer)}:${PORT}`])
    return transport
  }

  const world: World = {
    nodes,
    async start(id, { bootstrap = false } = {}) {
      const clock = createProgramClock(timeline)
      const disk =
        disks.get(id) ??
        new SimulatedDisk(createMachineClock(timeline, clock), dice.fork(`disk of ${id}`), writes =>
          syncs.set(id, [...(syncs.get(id) ?? []), writes.length]),
        )
      disks.set(id, disk)
      const transport = transportOf(id)
      const random = dice.fork(`${id} ${timeline.nowMs()}`).random
      const system = createActorSystem({ clock, random, log: silentLog, yieldTo: clock.turns() })
      const creating = createConsensus({
        system,
        transport,
        clock,
        random,
        log: silentLog,
        logStore: breakable(disk.logStore(), () => broken.has(id)),
        snapshotStore: unsyncable(disk.snapshotStore(), () => unsynced.has(id)),
        id,
        bootstrap,
        options,
      })
      const consensus = await world.settle(creating)
      const node: TestNode = { id, disk, clock, system, random, consensus, transport, leadership: [] }
      consensus.onLeadership(isLeading => node.leadership.push(isLeading))
      await world.settle(transport.start())
      nodes.set(id, node)
      return node
    },
    kill(id, { silently } = { silently: false }) {
      const node = nodes.get(id)
      nodes.delete(id)
      node?.clock.end()
      node?.disk.crash()
      if (silently) cuts = new Set(PEERS.map(other => `${id} ${other}`))
      node?.transport.kill()
    },
    cut(...pairs) {
      cuts = new Set(pairs.map(([from, to]) => `${from} ${to}`))
    },
    syncs: id => syncs.get(id) ?? [],
    breakDisk: id => void broken.add(id),
    breakSnapshots: id => void unsynced.add(id),
    losePropositions(every) {
      loseEvery = every
    },
    propose(from, to, message) {
      nodes.get(from)!.transport.send(to, 'propose', message)
      return new Promise(resolve => replies.set(from, resolve))
    },
    async until(what, isSo, withinMs = 10_000) {
      if (!(await timeline.run(timeline.nowMs() + withinMs, isSo))) throw new Error(`waited in vain: ${what}`)
    },
    async pass(ms) {
      await timeline.run(timeline.nowMs() + ms)
    },
    leader() {
      const leading = [...nodes.values()].filter(node => node.consensus.status().role === 'leader')
      const newest = leading.sort((a, b) => b.consensus.status().term - a.consensus.status().term)[0]
      if (newest === undefined) throw new Error('nobody leads')
      return newest
    },
    async settle(promise, withinMs = 30_000) {
      let isDone = false
      const done = promise.finally(() => {
        isDone = true
      })
      done.catch(() => undefined)
      if (!(await timeline.run(timeline.nowMs() + withinMs, () => isDone))) throw new Error('never settled')
      return done
    },
  }
  return world
}

const breakable = (logStore: LogStore, isBroken: () => boolean): LogStore => ({
  ...logStore,
  write: one =>
    isBroken() ? Promise.reject(new Failure('E_DISK_FAILED', 'the disk failed')) : logStore.write(one),
})

const unsyncable = (snapshots: SnapshotStore, isBroken: () => boolean): SnapshotStore => ({
  ...snapshots,
  save: one => {
    const eio = Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO', syscall: 'fsync' })
    return isBroken() ? Promise.reject(failureOfTrouble(troubleOf('snapshots', eio))) : snapshots.save(one)
  },
})

const PEERS = ['a', 'b', 'c', 'd', 'e']

const hostOf = (id: string): string => `10.0.0.${1 + PEERS.indexOf(id)}`

/** Node `a` founds, the others are added, first as learners, then as voters. */
export const createCluster = async (
  ids: readonly string[],
  options: ConsensusOptions = {},
  seed = 1,
): Promise<World> => {
  const world = createWorld(options, seed)
  const first = await world.start(ids[0]!, { bootstrap: true })
  for (const id of ids.slice(1)) await world.start(id)
  await world.until('the founder leads', () => first.leadership.at(-1) === true)
  if (ids.length > 1) {
    await world.settle(first.consensus.changeConfiguration({ voters: [first.id], learners: ids.slice(1) }))
    await world.until('all have caught up', () => hasCaughtUp(world))
    await world.settle(first.consensus.changeConfiguration({ voters: ids, learners: [] }))
  }
  return world
}

export const hasCaughtUp = (world: World): boolean => {
  const indexes = [...world.nodes.values()].map(node => node.consensus.state().index)
  return Math.min(...indexes) === Math.max(...indexes) && Math.min(...indexes) > 0
}

let tokenCount = 0

/** A small command that always holds. */
export const tokenCommand = (id = `t${++tokenCount}`): Command => ({
  type: 'token/Create',
  atMs: 1_000,
  token: {
    id,
    kind: 'join',
    secretHash: 'x'.repeat(64),
    role: 'viewer',
    labels: {},
    uses: 1,
    expiresAtMs: 9_000_000,
  },
})
