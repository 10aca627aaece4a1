/** A cluster of Swim cores on virtual time and an unreliable network, for the properties of the protocol. */
import {
  type Effects,
  type Fact,
  type Input,
  type Member,
  type Message,
  type NodeId,
  type Options,
  type Rumor,
  Swim,
} from '../../../gossip/index.ts'
import { prng } from '../../harness/prng.ts'

export const dice = (seed: number): (() => number) => prng(seed).random

export const member = (id: NodeId, change: Partial<Member> = {}): Member => ({
  id,
  incarnation: 1,
  state: 'alive',
  addresses: [`${id}:7701`],
  metadata: { name: id },
  ...change,
})

type Node = { readonly id: NodeId; swim: Swim; isUp: boolean; pausedInputs: Input[] | null; life: number }
type Event = { readonly atMs: number; readonly order: number; readonly run: () => void }
/** An input without its time, which is taken when it is delivered. */
type Said = Input extends infer I ? (I extends Input ? Omit<I, 'nowMs'> : never) : never

export type Witnessed = { readonly atMs: number; readonly by: NodeId; readonly fact: Fact }

export class Cluster {
  readonly nodes = new Map<NodeId, Node>()
  readonly witnessed: Witnessed[] = []
  nowMs = 0
  lossRate = 0
  latencyMsMax = 5
  hasPubSub = true
  sentCount = 0
  /** Sees every message as it is sent. */
  onSend: (from: NodeId, to: NodeId, message: Message) => void = () => {}
  onFact: (by: NodeId, fact: Fact) => void = () => {}
  /** Whether a message may pass from one node to another. */
  mayPass: (from: NodeId, to: NodeId) => boolean = () => true
  readonly #random: () => number
  readonly #options: Options
  #events: Event[] = []
  #order = 0

  constructor(seed: number, options: Options) {
    this.#random = dice(seed)
    this.#options = options
  }

  /** All ids admitted everywhere, each node started within the first probe interval. */
  startAll(ids: readonly NodeId[]): void {
    for (const id of ids) this.add(id)
    for (const id of ids) {
      for (const other of ids) this.tell(id, { type: 'admit', id: other, addresses: [], metadata: {} })
      this.tell(id, { type: 'start' })
    }
  }

  add(id: NodeId): Node {
    const node: Node = {
      id,
      swim: this.#newSwim(id),
      isUp: true,
      pausedInputs: null,
      life: (this.nodes.get(id)?.life ?? 0) + 1,
    }
    this.nodes.set(id, node)
    return node
  }

  /** Silent death: as a power cut, nobody is told. */
  kill(id: NodeId): void {
    this.node(id).isUp = false
  }

  /** The process dies and its host says so: connections close, dials are refused. */
  crash(id: NodeId): void {
    this.kill(id)
    for (const other of this.nodes.keys()) {
      if (other === id) continue
      this.later(1, () => {
        this.tell(other, { type: 'peerDisconnected', id })
        this.tell(other, { type: 'peerUnreachable', id })
      })
    }
  }

  /** Comes back as a new process that remembers nothing but the roster. */
  restart(id: NodeId): void {
    this.add(id)
    for (const other of this.nodes.keys())
      this.tell(id, { type: 'admit', id: other, addresses: [], metadata: {} })
    this.tell(id, { type: 'start' })
  }

  /** SIGSTOP for a while: inputs wait, timers first as an event loop would run them. */
  pause(id: NodeId, forMs: number): void {
    const node = this.node(id)
    node.pausedInputs = []
    this.later(forMs, () => {
      const waiting = node.pausedInputs ?? []
      node.pausedInputs = null
      const isTimer = (input: Input) => input.type === 'timerFired'
      for (const input of [...waiting.filter(isTimer), ...waiting.filter(input => !isTimer(input))])
        this.#deliver(node, node.life, input)
    })
  }

  tell(id: NodeId, input: Said): void {
    const node = this.node(id)
    this.#deliver(node, node.life, { ...input, nowMs: this.nowMs } as Input)
  }

  later(afterMs: number, run: () => void): void {
    this.#events.push({ atMs: this.nowMs + afterMs, order: this.#order++, run })
  }

  run(forMs: number): void {
    const endMs = this.nowMs + forMs
    for (;;) {
      this.#events.sort((a, b) => a.atMs - b.atMs || a.order - b.order)
      const next = this.#events[0]
      if (next === undefined || next.atMs > endMs) break
      this.#events.shift()
      this.nowMs = next.atMs
      next.run()
    }
    this.nowMs = endMs
  }

  node(id: NodeId): Node {
    const node = this.nodes.get(id)
    if (node === undefined) throw new Error(`no node ${id}`)
    return node
  }

  up(): Node[] {
    return [...this.nodes.values()].filter(node => node.isUp)
  }

  /** What `observer` believes of `subject`. */
  stateOf(observer: NodeId, subject: NodeId): string {
    return (
      this.node(observer)
        .swim.members()
        .find(({ id }) => id === subject)?.state ?? 'unknown'
    )
  }

  facts(type: Fact['type']): Witnessed[] {
    return this.witnessed.filter(({ fact }) => fact.type === type)
  }

  #newSwim(id: NodeId): Swim {
    return new Swim(member(id), this.#options, this.#random)
  }

  #deliver(node: Node, life: number, input: Input): void {
    const current = this.nodes.get(node.id)
    if (current !== node || !node.isUp || node.life !== life) return
    if (node.pausedInputs !== null) {
      node.pausedInputs.push(input)
      return
    }
    this.#carryOut(node, node.swim.step({ ...input, nowMs: this.nowMs }))
  }

  #carryOut(node: Node, effects: Effects): void {
    const life = node.life
    for (const fact of effects.facts) {
      this.witnessed.push({ atMs: this.nowMs, by: node.id, fact })
      this.onFact(node.id, fact)
    }
    for (const { to, message } of effects.send) {
      this.sentCount++
      this.onSend(node.id, to, message)
      this.#transmit(node.id, to, nowMs => ({
        type: 'receive',
        nowMs,
        from: node.id,
        message: copy<Message>(message),
      }))
    }
    for (const rumor of effects.publish) {
      if (!this.hasPubSub) break
      for (const to of this.nodes.keys())
        if (to !== node.id)
          this.#transmit(node.id, to, nowMs => ({
            type: 'rumorReceived',
            nowMs,
            from: node.id,
            rumor: copy<Rumor>(rumor),
          }))
    }
    for (const { afterMs, timer } of effects.timers)
      this.later(afterMs, () => this.#deliver(node, life, { type: 'timerFired', nowMs: this.nowMs, timer }))
  }

  #transmit(from: NodeId, to: NodeId, input: (nowMs: number) => Input): void {
    if (!this.mayPass(from, to) || this.#random() < this.lossRate) return
    this.later(1 + this.#random() * this.latencyMsMax, () => {
      const target = this.nodes.get(to)
      if (target !== undefined) this.#deliver(target, target.life, input(this.nowMs))
    })
  }
}

/** Through JSON and back, so that nothing but plain data travels and nothing is shared. */
const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
