/**
 * The very same gossip core with 10, 100 or 1,000 members on virtual time: messages are lost and delayed, members are
 * frozen, crashed, or slow. Connections stand between neighbours only: to others a message waits for a dial. Pub/sub floods a
 * mesh among neighbours, as gossipsub does. One seed gives one history.
 */
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
import { neighboursOf } from '../../../gossip/neighbours.ts'
import { encode } from '../../../node/codec.ts'
import { type Prng, prng } from '../prng.ts'
import { meshOf, someOf } from './mesh.ts'
import { TimeWheel } from './time-wheel.ts'

/**
 * `late`: whatever reaches the member and whatever is due there is handled so much later, in order.
 * `standing`: it stands still for so long, comes to itself for a moment, and stands still again; when it wakes its
 * timers run before it reads its sockets, as after a long turn of an event loop.
 */
export type Slowness = { readonly kind: 'late' | 'standing'; readonly ms: number }

export type FleetOptions = {
  readonly seed: number
  readonly options: Options
  /** Of each message, and of each hop of pub/sub. */
  readonly lossRate?: number
  readonly latencyMsMax?: number
  /** What becomes of a message on its way; null drops it. For a protocol that lacks something. */
  readonly censor?: (message: Message, to: NodeId) => Message | null
}

export type FleetMember = {
  readonly id: NodeId
  readonly index: number
  swim: Swim
  state: 'up' | 'frozen' | 'crashed'
  slow: Slowness | null
  /** Set while it stands still. */
  waiting: Input[] | null
  /** Indices of those it has a connection to. */
  readonly neighbours: number[]
  /** Those of them that pass published rumours on. */
  readonly mesh: number[]
  /** Members that know already that this one refuses connections. */
  readonly refusedTo: Set<NodeId>
  /** Sent by this member while bytes are counted. */
  bytes: number
}

type Flood = {
  readonly rumor: Rumor
  readonly from: NodeId
  readonly bytes: number
  readonly seen: Uint8Array
}
type Event = { atMs: number } & (
  | { readonly type: 'input'; readonly member: FleetMember; readonly input: Input }
  | { readonly type: 'flood'; readonly member: FleetMember; readonly flood: Flood; readonly via: number }
  | { readonly type: 'act'; readonly act: () => void }
)

type Said = Input extends infer I ? (I extends Input ? Omit<I, 'nowMs'> : never) : never

/** How long a member that stands still comes to itself between two standstills. */
const BREATHER_MS_MAX = 1_000
/** A frame's length, and the encryption of the stream. */
const FRAME_OVERHEAD_BYTES = 24
/** TCP, the handshake and the negotiation of the stream, in crossings. */
const DIAL_CROSSINGS = 7
const INDEX_MAX = 2 ** 20
/** Connections of a newcomer that join gossipsub's mesh. */
const MESH_LINKS = 6
/** The signature, key, topic and sequence of gossipsub. */
const PUBLISH_OVERHEAD_BYTES = 180

export class SwimFleet {
  readonly members: FleetMember[] = []
  readonly byId = new Map<NodeId, FleetMember>()
  onFact: (by: FleetMember, fact: Fact) => void = () => {}
  isCounting = false
  #isFounding = false
  readonly #settings: Required<FleetOptions>
  readonly #dice: Prng
  /** Pairs beside the neighbours that have a connection, as one number. */
  readonly #dialled = new Set<number>()
  readonly #wheel: TimeWheel<Event>

  constructor(settings: FleetOptions) {
    this.#settings = { lossRate: 0, latencyMsMax: 5, censor: message => message, ...settings }
    this.#dice = prng(settings.seed, 'fleet')
    this.#wheel = new TimeWheel(event => this.#happen(event))
  }

  get nowMs(): number {
    return this.#wheel.nowMs
  }

  /** A cluster whose members have known each other for long: nothing that they say on starting is heard. */
  found(size: number): void {
    for (let index = 0; index < size; index++) this.add(index)
    const ids = this.members.map(({ id }) => id)
    for (const [index, links] of meshOf(ids, this.#dice.random).entries()) {
      this.members[index]!.neighbours.push(...links.neighbours)
      this.members[index]!.mesh.push(...links.mesh)
    }
    const all = this.members.map(({ swim }) => swim.status().self)
    const told: Message = { type: 'sync', wantsReply: false, rumors: [] }
    this.#isFounding = true
    for (const member of this.members) {
      this.tell(member, { type: 'join', members: all.filter(({ id }) => id !== member.id) })
      this.tell(member, { type: 'start' })
      const from = all[(member.index + 1) % size]!.id
      this.tell(member, { type: 'receive', from, message: told })
    }
    this.#isFounding = false
  }

  /** A newcomer that the roster of everybody admits; it knows who is admitted, and has heard nobody yet. */
  join(): FleetMember {
    const size = this.members.length
    const newcomer = this.add(size)
    const others = this.members.slice(0, size).map(({ id }) => id)
    const near = [...neighboursOf(newcomer.id, others)].map(id => this.byId.get(id)!.index)
    for (const index of near) this.link('neighbours', newcomer.index, index)
    for (const index of someOf(near, MESH_LINKS, this.#dice.random)) this.link('mesh', newcomer.index, index)
    for (const { id } of this.members)
      if (id !== newcomer.id) this.tell(newcomer, { type: 'admit', id, addresses: [], metadata: {} })
    for (const member of this.members)
      if (member !== newcomer)
        this.tell(member, { type: 'admit', id: newcomer.id, addresses: [], metadata: {} })
    this.tell(newcomer, { type: 'start' })
    return newcomer
  }

  add(index: number): FleetMember {
    const id = `12D3KooW${String(index).padStart(44, '0')}`
    const random = this.#dice.fork(id).random
    const member: FleetMember = {
      id,
      index,
      swim: new Swim(portrait(id, index), this.#settings.options, random),
      state: 'up',
      slow: null,
      waiting: null,
      neighbours: [],
      mesh: [],
      refusedTo: new Set(),
      bytes: 0,
    }
    this.members.push(member)
    this.byId.set(id, member)
    return member
  }

  link(kind: 'neighbours' | 'mesh', one: number, other: number): void {
    if (one === other || this.members[one]![kind].includes(other)) return
    this.members[one]![kind].push(other)
    this.members[other]![kind].push(one)
  }

  /** Pairs that have spoken to each other without being neighbours. */
  get dialledCount(): number {
    return this.#dialled.size
  }

  run(forMs: number, isDone?: () => boolean): boolean {
    return this.#wheel.run(this.nowMs + forMs, isDone)
  }

  /** No word from it and no answer, and its connections stay open: SIGSTOP, or a power cut. */
  freeze(member: FleetMember): void {
    member.state = 'frozen'
  }

  /** kill -9: its connections close, and its host refuses new ones. */
  crash(member: FleetMember): void {
    member.state = 'crashed'
    for (const index of member.neighbours)
      this.#wheel.plan(1 + this.#dice.random() * this.#settings.latencyMsMax, {
        atMs: 0,
        type: 'act',
        act: () => {
          this.tell(this.members[index]!, { type: 'peerDisconnected', id: member.id })
          this.#refuse(member, this.members[index]!)
        },
      })
  }

  slow(member: FleetMember, slowness: Slowness): void {
    member.slow = slowness
    if (slowness.kind === 'standing') this.#standStill(member, slowness.ms)
  }

  tell(member: FleetMember, said: Said): void {
    this.#step(member, { ...said, nowMs: this.nowMs } as Input)
  }

  /** Speaks in a member's name, whatever its core would say. */
  forge(from: FleetMember, to: FleetMember, message: Message): void {
    this.#transmit(from, to, { type: 'receive', nowMs: 0, from: from.id, message })
  }

  /** Publishes in a member's name. */
  forgePublished(from: FleetMember, rumor: Rumor): void {
    this.#publish(from, rumor)
  }

  #happen(event: Event): void {
    if (event.type === 'act') return event.act()
    if (event.type === 'flood') return this.#flood(event)
    this.#reach(event.member, event.input)
  }

  /** A slow member gets to it later. */
  #reach(member: FleetMember, input: Input): void {
    if (member.state !== 'up') return
    if (member.waiting !== null) member.waiting.push(input)
    else if (member.slow?.kind === 'late')
      this.#wheel.plan(member.slow.ms, { atMs: 0, type: 'act', act: () => this.#step(member, input) })
    else this.#step(member, input)
  }

  #standStill(member: FleetMember, ms: number): void {
    member.waiting = []
    const wake = () => {
      const waiting = member.waiting ?? []
      member.waiting = null
      const isTimer = (input: Input) => input.type === 'timerFired'
      for (const input of waiting.filter(isTimer)) this.#step(member, input)
      for (const input of waiting.filter(input => !isTimer(input))) this.#step(member, input)
      const act = () => this.#standStill(member, ms)
      this.#wheel.plan(this.#dice.random() * BREATHER_MS_MAX, { atMs: 0, type: 'act', act })
    }
    this.#wheel.plan(ms, { atMs: 0, type: 'act', act: wake })
  }

  #step(member: FleetMember, input: Input): void {
    if (member.state !== 'up') return
    // The one place that sets the time: when the input is handled, not when it was made.
    const handled: { nowMs: number } = input
    handled.nowMs = this.nowMs
    this.#carryOut(member, member.swim.step(input))
  }

  #carryOut(member: FleetMember, effects: Effects): void {
    for (const { afterMs, timer } of effects.timers) {
      const input: Input = { type: 'timerFired', nowMs: 0, timer }
      this.#wheel.plan(afterMs, { atMs: 0, type: 'input', member, input })
    }
    if (this.#isFounding) return
    for (const { to, message } of effects.send) {
      if (this.isCounting) member.bytes += encode(message).byteLength + FRAME_OVERHEAD_BYTES
      const target = this.byId.get(to)
      const passed = this.#settings.censor(message, to)
      if (target === undefined || passed === null) continue
      this.#transmit(member, target, { type: 'receive', nowMs: 0, from: member.id, message: passed })
    }
    for (const rumor of effects.publish) this.#publish(member, rumor)
    for (const fact of effects.facts) this.onFact(member, fact)
  }

  #transmit(from: FleetMember, to: FleetMember, input: Input): void {
    if (to.state === 'crashed') return this.#refuse(to, from)
    if (this.#isLost()) return
    this.#wheel.plan(this.#dialMs(from, to) + this.#latencyMs(), {
      atMs: 0,
      type: 'input',
      member: to,
      input,
    })
  }

  /** Between those who are not neighbours the first message waits for a connection. */
  #dialMs(from: FleetMember, to: FleetMember): number {
    const pair = Math.min(from.index, to.index) * INDEX_MAX + Math.max(from.index, to.index)
    if (this.#dialled.has(pair) || (from.swim.neighbours()?.has(to.id) ?? true)) return 0
    this.#dialled.add(pair)
    let dialMs = 0
    for (let crossing = 0; crossing < DIAL_CROSSINGS; crossing++) dialMs += this.#latencyMs()
    return dialMs
  }

  /** Told once to each, as the transport does it. */
  #refuse(crashed: FleetMember, dialler: FleetMember): void {
    if (crashed.refusedTo.has(dialler.id)) return
    crashed.refusedTo.add(dialler.id)
    const input: Input = { type: 'peerUnreachable', nowMs: 0, id: crashed.id }
    this.#wheel.plan(this.#latencyMs(), { atMs: 0, type: 'input', member: dialler, input })
  }

  #publish(member: FleetMember, rumor: Rumor): void {
    const seen = new Uint8Array(this.members.length)
    seen[member.index] = 1
    const bytes = this.isCounting ? encode(rumor).byteLength + PUBLISH_OVERHEAD_BYTES : 0
    this.#spread(member, member.neighbours, { rumor, from: member.id, bytes, seen }, member.index)
  }

  #flood(event: Event & { type: 'flood' }): void {
    const { member, flood, via } = event
    if (member.state !== 'up' || flood.seen[member.index] === 1) return
    flood.seen[member.index] = 1
    const act = () => this.#spread(member, member.mesh, flood, via)
    if (member.slow === null) act()
    else this.#wheel.plan(member.slow.ms, { atMs: 0, type: 'act', act })
    const { rumor, from } = flood
    this.#reach(member, { type: 'rumorReceived', nowMs: 0, from, rumor })
  }

  #spread(member: FleetMember, to: readonly number[], flood: Flood, via: number): void {
    for (const index of to) {
      if (index === via) continue
      member.bytes += flood.bytes
      const target = this.members[index]!
      // Whoever has it already would ignore it.
      if (flood.seen[index] === 1 || this.#isLost()) continue
      this.#wheel.plan(this.#latencyMs(), {
        atMs: 0,
        type: 'flood',
        member: target,
        flood,
        via: member.index,
      })
    }
  }

  #isLost(): boolean {
    return this.#settings.lossRate > 0 && this.#dice.random() < this.#settings.lossRate
  }

  #latencyMs(): number {
    return 1 + this.#dice.random() * this.#settings.latencyMsMax
  }
}

/** As large as a real member's. */
const portrait = (id: NodeId, index: number): Member => ({
  id,
  incarnation: 1,
  state: 'alive',
  addresses: [`10.0.${index >> 8}.${index & 255}:7701`],
  metadata: { name: `node-${index}`, api: `10.0.${index >> 8}.${index & 255}:7700`, zone: `z${index % 3}` },
})
