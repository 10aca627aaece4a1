/** One virtual machine: clocks, disk, containers, network card, and the node program that runs on it, if any. */
import { type AssembledNode, assembleNode, type Origin } from '../../node/assemble.ts'
import type { Clock } from '../../node/clock.ts'
import type { ConsensusOptions } from '../../node/consensus/create.ts'
import type { LogWrite } from '../../node/consensus/storage.ts'
import type { Log } from '../../node/log.ts'
import { type Discovery, startDiscovery } from '../../node/membership/discovery.ts'
import { createFakeRuntime } from '../../node/runtime/fake.ts'
import { type BehaviorOf, FakeHost } from '../../node/runtime/fake-host.ts'
import type { MemoryNetwork } from '../../node/transport/memory.ts'
import type { Channel, Transport } from '../../node/transport/transport.ts'
import { type Cluster, type NodeFacts, type NodeId, PROTOCOL } from '../../scheduler/index.ts'
import type { Prng } from '../harness/prng.ts'
import { SimulatedDisk } from './disk.ts'
import type { VirtualEther } from './ether.ts'
import { virtualProber } from './prober.ts'
import { createMachineClock, createProgramClock, type ProgramClock, type Timeline } from './timeline.ts'
import { zoneOf } from './writes.ts'

/** One life of the node program. `node` is null until its disk is read and its actors are assembled. */
export type Program = {
  readonly life: number
  node: AssembledNode | null
  readonly transport: Transport
  readonly kill: () => void
}

export type MachineParts = {
  readonly position: number
  readonly timeline: Timeline
  readonly network: MemoryNetwork
  readonly dice: Prng
  readonly cluster: Cluster
  readonly diskFactor: number
  readonly behaviorOf: BehaviorOf
  readonly consensusOptions: ConsensusOptions
  readonly watcher: MachineWatcher
  /** What its beacon is heard by; null: it has none. */
  readonly ether: VirtualEther | null
}

/** What the world learns of a machine; called synchronously. */
export type MachineWatcher = {
  logOf(machine: Machine, life: number): Log
  sent(machine: Machine, to: string, channel: Channel, message: unknown): void
  /** Its program is assembled and about to take part. */
  assembled(machine: Machine, program: Program): void
  /** Its program ended by itself. */
  gaveUp(machine: Machine, reason: string): void
  /** The disk begins to carry out writes. */
  writing(machine: Machine, writes: readonly LogWrite[]): void
}

const placeOf = (address: string): Pick<NodeFacts, 'address' | 'peerAddress'> => ({
  address,
  peerAddress: `${address}:7701`,
})

const PORTS = { first: 20_000, count: 200 }

export class Machine {
  readonly position: number
  readonly id: NodeId
  readonly name: string
  facts: NodeFacts
  readonly clock: ProgramClock
  readonly disk: SimulatedDisk
  /** How slow its disk is when nothing is wrong with it. */
  readonly diskFactor: number
  readonly host: FakeHost
  program: Program | null = null
  hasPower = true
  isPaused = false
  /** Admitted to the cluster: it may be started. */
  isMember = false
  /** The founder's cluster is in the log. */
  hasFounded = false
  readonly #parts: MachineParts
  readonly #machineClock: Clock
  #knownPeers: ReadonlyMap<string, readonly string[]> = new Map()
  #lifeCount = 0

  constructor(parts: MachineParts) {
    const { position, timeline, dice } = parts
    this.#parts = parts
    this.position = position
    this.name = `n${position + 1}`
    this.id = `node-${position + 1}` as NodeId
    this.clock = createProgramClock(timeline)
    this.#machineClock = createMachineClock(timeline, this.clock)
    this.disk = new SimulatedDisk(this.#machineClock, dice.fork('disk'), writes =>
      parts.watcher.writing(this, writes),
    )
    this.diskFactor = parts.diskFactor
    this.disk.setSlowness(parts.diskFactor)
    const capacity = { cpuMillis: 2_000 + 1_000 * dice.between(0, 2), memoryBytes: 4 * 1024 ** 3 }
    this.host = new FakeHost({ clock: this.#machineClock, behaviorOf: parts.behaviorOf, capacity })
    this.facts = {
      id: this.id,
      name: this.name,
      ...placeOf(`10.0.0.${position + 1}`),
      apiAddress: null,
      labels: { zone: zoneOf(position) },
      capacity,
      runtime: 'fake',
      portRange: [PORTS.first, PORTS.first + PORTS.count - 1],
      version: 'simulated',
      protocol: PROTOCOL,
    }
  }

  /** The running node, or null while the program is down or still assembling. */
  get node(): AssembledNode | null {
    return this.program?.node ?? null
  }

  /** What a join reply would have told. */
  learnPeers(peers: ReadonlyMap<string, readonly string[]>): void {
    this.#knownPeers = peers
  }

  /** It is found under another address from its next start on. */
  moveTo(address: string): void {
    this.facts = { ...this.facts, ...placeOf(address) }
  }

  start(): void {
    if (this.program !== null || !this.hasPower) return
    const { network, dice, cluster, watcher, consensusOptions } = this.#parts
    const life = ++this.#lifeCount
    const log = watcher.logOf(this, life)
    const transport = network.transport({ self: this.id, listen: this.facts.peerAddress, log })
    this.#tap(transport)
    const runtime = createFakeRuntime(this.host, { cluster: cluster.id, node: this.id })
    let beacon: Discovery | null = null
    const kill = () => {
      beacon?.stop()
      transport.kill()
      void runtime.close()
    }
    const program: Program = { life, transport, node: null, kill }
    this.program = program
    const origin: Origin =
      this.position === 0 && !this.hasFounded ? { type: 'found', cluster } : { type: 'member' }
    const ownDice = dice.fork(`life ${life}`)
    // As `main.ts` does: the port is bound before the disk is read.
    const isBound = transport.start()
    const assembled = assembleNode({
      id: this.id,
      origin,
      facts: this.facts,
      clock: this.clock,
      random: () => ownDice.random(),
      log,
      transport,
      logStore: this.disk.logStore(),
      snapshotStore: this.disk.snapshotStore(),
      runtime,
      prober: virtualProber(this.host, this.#machineClock),
      knownPeers: this.#knownPeers,
      rememberPeers: peers => {
        if (this.program === program) this.#knownPeers = peers
      },
      yieldTo: this.clock.turns(),
      onFatal: reason => watcher.gaveUp(this, reason),
      consensusOptions,
    })
    Promise.all([assembled, isBound]).then(
      ([node]) => {
        if (this.program !== program) return
        program.node = node
        beacon = this.#announce(node, transport, log)
        watcher.assembled(this, program)
      },
      thrown => {
        if (this.program === program) watcher.gaveUp(this, String(thrown))
      },
    )
  }

  /** As `main.ts` does. */
  #announce(node: AssembledNode, transport: Transport, log: Log): Discovery | null {
    const { ether, cluster } = this.#parts
    if (ether === null) return null
    return startDiscovery({
      clusterId: cluster.id,
      self: this.id,
      ether: ether.of(this.id, () => this.facts.address),
      addresses: () => [this.facts.peerAddress],
      isMember: id => node.consensus.state().nodes.has(id as NodeId) || this.#knownPeers.has(id),
      known: id => this.#knownPeers.get(id) ?? [],
      transport,
      clock: this.clock,
      log,
    })
  }

  /** kill -9: nothing of the program acts any more; its containers run on. */
  kill(): void {
    this.#end()
    this.disk.crash()
  }

  /** The plug is pulled: program and containers are gone, and nobody answers. */
  cutPower(): void {
    this.hasPower = false
    this.#end()
    this.disk.crash()
    this.host.crash()
  }

  #end(): void {
    const { program } = this
    this.program = null
    this.isPaused = false
    this.clock.end()
    program?.kill()
  }

  #tap(transport: Transport): void {
    const send = transport.send.bind(transport)
    transport.send = (to, channel, message) => {
      this.#parts.watcher.sent(this, to, channel, message)
      return send(to, channel, message)
    }
  }
}
