/**
 * A large cluster of cores in one process, on a network without faults and disks without delay, that counts what
 * agreement costs its leader: the bytes it sends, encoded as between real nodes, and the time its processor needs.
 */
import { decode, encode } from '../../node/codec.ts'
import { defaultOptions, type Envelope, emptyConfiguration, type Options } from '../../raft/index.ts'
import { prng } from './prng.ts'
import { RaftNode } from './raft-node.ts'

const TICK_MS = 25
const VOTERS = 5
const VALUE_BYTES = 256

/** What the leader has done since the last look. */
export type Cost = { readonly bytes: number; readonly cpuMs: number }

export class RaftFleet {
  readonly nodes: readonly RaftNode[]
  readonly leader: RaftNode
  private readonly byId: ReadonlyMap<string, RaftNode>
  /** Messages between all nodes, by type. */
  readonly sent = new Map<string, number>()
  private network: { readonly to: string; readonly from: string; readonly bytes: Uint8Array }[] = []
  private bytes = 0
  private cpuMs = 0

  constructor(nodeCount: number, options: Partial<Options> = {}) {
    const ids = Array.from(
      { length: nodeCount },
      (_, position) => `node-${String(position).padStart(4, '0')}`,
    )
    const [voters, learners] = [ids.slice(0, VOTERS), ids.slice(VOTERS)]
    const configuration = { ...emptyConfiguration, voters, learners }
    const founded = {
      hardState: { term: 1, vote: null, commit: 1 },
      snapshot: null,
      entries: [{ type: 'configuration', index: 1, term: 1, configuration } as const],
    }
    const world = {
      random: prng(1, 'fleet').random,
      onReady: (node: RaftNode, _: unknown, ready: { readonly sendNow: readonly Envelope[] }) =>
        this.send(node, ready.sendNow),
    }
    const core = { ...defaultOptions(TICK_MS), ...options }
    this.nodes = ids.map(id => new RaftNode(id, founded, core, world))
    this.byId = new Map(this.nodes.map(node => [node.id, node]))
    this.leader = this.nodes[0]!
    while (this.leader.raft!.status().role === 'follower') this.step(this.leader, { type: 'tick' })
    this.settle()
  }

  /** Time passes for everybody. */
  pass(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      for (const node of this.nodes) this.step(node, { type: 'tick' })
      this.settle()
    }
  }

  /** One value after another, one per tick, each on all nodes before the next. */
  commit(count: number): Cost {
    this.bytes = 0
    this.cpuMs = 0
    for (let i = 0; i < count; i++) {
      const data = new Uint8Array(VALUE_BYTES).fill(i)
      this.step(this.leader, { type: 'propose', proposals: [{ key: String(i), data }] })
      this.settle()
      this.pass(1)
    }
    return { bytes: this.bytes / count, cpuMs: this.cpuMs / count }
  }

  /** The leader is asked for linearizable reads, each in a round of its own, all in one moment. */
  read(count: number): void {
    for (let i = 0; i < count; i++) {
      this.step(this.leader, { type: 'read', key: `read ${i}` })
      this.settle()
    }
  }

  private step(node: RaftNode, input: Parameters<RaftNode['step']>[0]): void {
    this.charged(node, () => {
      node.step(input)
      for (let write = node.writes[0]; write !== undefined; write = node.writes[0]) {
        this.send(node, node.flushOne())
        if (write.persist !== null) node.acknowledge(write.persist.sequence)
      }
    })
  }

  private settle(): void {
    while (this.network.length > 0) {
      const arriving = this.network
      this.network = []
      for (const { from, to, bytes } of arriving) {
        const node = this.byId.get(to)!
        const message = this.charged(node, () => decode(bytes) as Envelope['message'])
        this.step(node, { type: 'receive', envelope: { from, to, message } })
      }
    }
  }

  private send(node: RaftNode, envelopes: readonly Envelope[]): void {
    for (const { from, to, message } of envelopes) {
      const bytes = encode(message)
      if (node === this.leader) this.bytes += bytes.byteLength
      this.sent.set(message.type, (this.sent.get(message.type) ?? 0) + 1)
      this.network.push({ from, to, bytes })
    }
  }

  /** The leader's time is counted, all else is the test's. */
  private charged<Result>(node: RaftNode, work: () => Result): Result {
    if (node !== this.leader) return work()
    const before = process.threadCpuUsage()
    const result = work()
    const { user, system } = process.threadCpuUsage(before)
    this.cpuMs += (user + system) / 1_000
    return result
  }
}
