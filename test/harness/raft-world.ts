/** A raft cluster in a hostile world, all of it drawn from one seed: loss, delay, doubling, crashes, partitions, changes. */
import {
  defaultOptions,
  type Envelope,
  emptyConfiguration,
  joinerState,
  type Options,
} from '../../raft/index.ts'
import { type Prng, prng } from './prng.ts'
import { RaftChecker } from './raft-checker.ts'
import { RaftNode } from './raft-node.ts'

export type WorldOptions = {
  readonly voters: readonly string[]
  readonly learners: readonly string[]
  readonly joiners: readonly string[]
  readonly changesMembership: boolean
  readonly hasLeases?: boolean
}

/** Small limits, so that each of them is reached, and short timeouts, so that much happens. */
/** Time between two events, where time counts: elections fit into a lease, or there would be nothing for it to prevent. */
const EVENT_TICKS = 0.015

const OPTIONS: Options = {
  ...defaultOptions(50),
  electionTicksMin: 4,
  electionTicksMax: 8,
  heartbeatTicks: 1,
  appendBytesMax: 60,
  inflightMessagesMax: 3,
  inflightBytesMax: 200,
  uncommittedBytesMax: 2000,
  applyBytesMax: 100,
  snapshotChunkBytes: 32,
  heldBytesMax: 400,
  readsPendingMax: 8,
}

/** Messages under way are few on a real network; more than this means a flood, and the oldest are lost. */
const NETWORK_MAX = 400

export class RaftWorld {
  readonly nodes: RaftNode[]
  readonly checker = new RaftChecker()
  private readonly dice: Prng
  private readonly options: WorldOptions
  private network: Envelope[] = []
  private cuts = new Set<string>()
  private count = 0
  /** In ticks of a clock that is right. */
  private now = 0
  private readonly tickedAt = new Map<RaftNode, number>()
  private readonly stalledUntil = new Map<RaftNode, number>()
  /** How hostile this world is: drawn once, so that some worlds hardly lose a message and others hardly keep a leader. */
  private readonly mix: { incidents: number; crashes: number; losses: number; delays: number }

  constructor(seed: number, options: WorldOptions) {
    this.dice = prng(seed, 'raft world')
    this.options = options
    this.mix = {
      incidents: this.dice.pick([0.1, 0.3, 0.6]),
      crashes: this.dice.pick([0, 0.05, 0.2]),
      losses: this.dice.pick([0, 0.01, 0.1]),
      delays: this.dice.pick([0, 0.05, 0.3]),
    }
    const voters = [...options.voters].sort()
    const configuration = { ...emptyConfiguration, voters, learners: [...options.learners].sort() }
    const relays = this.dice.fork('relays')
    const core = {
      ...OPTIONS,
      leaseTicks: options.hasLeases === true ? 2 : 0,
      directLearnersMax: relays.between(0, 2),
      relayFanOut: relays.between(1, 2),
    }
    const founded = {
      hardState: { term: 1, vote: null, commit: 1 },
      snapshot: null,
      entries: [{ type: 'configuration', index: 1, term: 1, configuration } as const],
    }
    const world = {
      random: this.dice.fork('elections').random,
      onReady: (node, input, ready) => {
        this.checker.onReady(node, input, ready)
        this.send(node, ready.sendNow)
      },
    } satisfies ConstructorParameters<typeof RaftNode>[3]
    this.nodes = [
      ...[...options.voters, ...options.learners].map(id => new RaftNode(id, founded, core, world)),
      ...options.joiners.map(id => new RaftNode(id, joinerState(), core, world)),
    ]
  }

  get leader(): RaftNode | undefined {
    const leaders = this.living.filter(node => node.raft!.status().role === 'leader')
    return leaders.sort((a, b) => b.raft!.status().term - a.raft!.status().term)[0]
  }

  /** One thing happens somewhere. */
  disturb(): void {
    const { dice } = this
    const node = dice.pick(this.nodes)
    const chance = dice.random()
    this.now += EVENT_TICKS
    if (chance < 0.55) this.deliverOne()
    else if (chance < 0.67) this.tick(node)
    else if (chance < 0.87) this.flush(node)
    else if (chance < 0.91) this.propose(dice.chance(0.8) ? (this.leader ?? node) : node)
    else if (chance < 0.95) this.read(this.someLeader(node))
    else if (dice.chance(this.mix.incidents)) this.incident(node)
    else if (!node.raft) node.start()
    else if (dice.chance(this.mix.crashes)) this.crash(node)
  }

  /** All faults end and everybody comes back; time passes fairly. */
  calm(rounds: number): void {
    this.cuts.clear()
    for (const node of this.nodes) if (!node.raft) node.start()
    for (let round = 0; round < rounds; round++) {
      this.now += 1
      for (const node of this.nodes) this.tick(node)
      for (let i = 0; i < 4; i++) this.settleOnce()
    }
  }

  propose(node: RaftNode): string {
    const text = `x${this.count++}`
    node.step({ type: 'propose', proposals: [{ key: text, data: new TextEncoder().encode(text) }] })
    return text
  }

  /** A word given under a lease is measured by ticks, so that with leases none comes early. */
  private tick(node: RaftNode): void {
    const { now } = this
    const notBefore = Math.max(this.stalledUntil.get(node) ?? 0, (this.tickedAt.get(node) ?? 0) + 1)
    if (this.options.hasLeases === true && now < notBefore) return
    this.tickedAt.set(node, now)
    node.step({ type: 'tick', now })
  }

  private read(node: RaftNode): void {
    node.step({ type: 'read', key: `r${this.count++}`, now: this.now })
  }

  private get living(): RaftNode[] {
    return this.nodes.filter(node => node.raft)
  }

  /** Often one that believes to lead, rightly or not; else the given node. */
  private someLeader(node: RaftNode): RaftNode {
    const leaders = this.living.filter(candidate => candidate.raft!.status().role === 'leader')
    return leaders.length > 0 && this.dice.chance(0.6) ? this.dice.pick(leaders) : node
  }

  private incident(node: RaftNode): void {
    const { dice, leader } = this
    if (this.options.hasLeases === true && dice.chance(0.5)) return this.usurp(this.someLeader(node))
    const other = dice.pick(this.nodes)
    const chance = dice.random()
    if (chance < 0.25) this.cutSomething(this.someLeader(node))
    else if (chance < 0.55) this.cuts.clear()
    else if (chance < 0.62 && node !== other) node.step({ type: 'peerDisconnected', peer: other.id })
    else if (chance < 0.66 && node !== other) node.step({ type: 'unreachable', peer: other.id })
    else if (chance < 0.7)
      leader?.step({ type: 'transferLeadership', to: dice.chance(0.5) ? other.id : null })
    else if (chance < 0.85) this.compact(node)
    else if (chance < 0.89) node.step({ type: 'reluctance', isReluctant: dice.chance(0.5) })
    else if (this.options.changesMembership) this.change(leader ?? node)
  }

  /** The others are rid of the leader and know it at once; it may stand still meanwhile, or all be heard again too soon. */
  private usurp(leader: RaftNode): void {
    const { dice } = this
    for (const other of this.living) {
      if (other === leader) continue
      this.cuts.add(`${leader.id}->${other.id}`)
      if (dice.chance(0.7)) this.cuts.add(`${other.id}->${leader.id}`)
      if (dice.chance(0.2)) {
        other.crash()
        other.start()
      } else if (dice.chance(0.8)) other.step({ type: 'peerDisconnected', peer: leader.id })
    }
    if (dice.chance(0.5)) this.stalledUntil.set(leader, this.now + dice.between(1, 12))
  }

  private compact(node: RaftNode): void {
    if (!node.raft) return
    const { appliedIndex, snapshot } = node.raft.status()
    if (appliedIndex > (snapshot?.index ?? 0)) node.compact(this.dice.pick([0, 0, 2, 5]))
  }

  private change(node: RaftNode): void {
    const { dice } = this
    const changes = dice
      .shuffle(this.nodes)
      .slice(0, dice.between(1, 3))
      .map(({ id }) => ({ node: id, role: dice.pick(['voter', 'voter', 'learner', 'removed'] as const) }))
    node.step({ type: 'proposeConfiguration', key: `c${this.count++}`, changes, autoLeave: true })
  }

  private crash(node: RaftNode): void {
    // Some of the waiting writes may have made it, in order; nobody was told.
    for (let i = this.dice.between(0, node.writes.length); i > 0; i--) node.flushOne()
    node.crash()
  }

  private cutSomething(node: RaftNode): void {
    const kind = this.dice.random()
    for (const other of this.nodes) {
      if (kind < 0.7 || this.dice.chance(0.5)) this.cuts.add(`${node.id}->${other.id}`)
      if (kind < 0.7 || this.dice.chance(0.5)) this.cuts.add(`${other.id}->${node.id}`)
    }
  }

  private send(node: RaftNode, envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) {
      this.checker.onSend(node, envelope)
      if (!this.cuts.has(`${envelope.from}->${envelope.to}`)) this.network.push(envelope)
    }
    if (this.network.length > NETWORK_MAX) this.network = this.network.slice(-NETWORK_MAX)
  }

  private flush(node: RaftNode): void {
    if (!node.raft) return
    const count = this.dice.between(1, 3)
    let sequence: number | undefined
    for (let i = 0; i < count; i++) {
      sequence = node.writes[0]?.persist?.sequence ?? sequence
      this.send(node, node.flushOne())
    }
    if (sequence !== undefined) node.acknowledge(sequence)
  }

  private deliverOne(): void {
    if (this.network.length === 0) return
    const { dice } = this
    // Mostly in order, sometimes not; sometimes twice, sometimes never.
    const position = dice.chance(this.mix.delays) ? dice.between(0, this.network.length - 1) : 0
    const envelope = this.network[position]!
    if (!dice.chance(this.mix.losses)) this.network.splice(position, 1)
    if (!dice.chance(this.mix.losses)) this.receive(envelope)
  }

  private settleOnce(): void {
    for (const node of this.nodes) this.flush(node)
    const arriving = this.network
    this.network = []
    for (const envelope of arriving) this.receive(envelope)
  }

  private receive(envelope: Envelope): void {
    const node = this.nodes.find(candidate => candidate.id === envelope.to)
    node?.step({ type: 'receive', envelope })
  }
}
