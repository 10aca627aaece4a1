/** One Swim core at a table with its peers played by the test: says inputs, hears the effects. */
import {
  type Effects,
  type Fact,
  type Input,
  lan,
  type Member,
  type MemberState,
  type Message,
  type NodeId,
  type Options,
  Swim,
  type Timer,
} from '../../../gossip/index.ts'
import { dice, member } from './cluster.ts'

type Said = Input extends infer I ? (I extends Input ? Omit<I, 'nowMs'> : never) : never

export class Table {
  readonly swim: Swim
  nowMs = 0
  sent: Effects['send'][number][] = []
  published: Effects['publish'][number][] = []
  facts: Fact[] = []
  #timers: Timer[] = []

  /** A started node `a` that has admitted `peers`; what it said on starting is forgotten. */
  constructor(peers: readonly NodeId[], options: Options = lan(5)) {
    this.swim = new Swim(member('a'), options, dice(7))
    for (const id of peers) this.say({ type: 'admit', id, addresses: [`${id}:7701`], metadata: {} })
    this.say({ type: 'start' })
    for (const id of peers) this.hears(id, member(id))
    this.forget()
  }

  say(input: Said): void {
    const effects = this.swim.step({ ...input, nowMs: this.nowMs } as Input)
    this.sent.push(...effects.send)
    this.published.push(...effects.publish)
    this.facts.push(...effects.facts)
    this.#timers.push(...effects.timers.map(({ timer }) => timer))
  }

  /** A claim reaches the node by gossip from `from`, vouched for by `by`. */
  hears(from: NodeId, claim: Member, by: NodeId = from): void {
    this.receives(from, { type: 'gossip', rumors: [{ member: claim, by }] })
  }

  receives(from: NodeId, message: Message): void {
    this.say({ type: 'receive', from, message })
  }

  /** Lets time pass; timers fire when due. Nobody answers anything. */
  wait(ms: number): void {
    const endMs = this.nowMs + ms
    for (;;) {
      this.#timers.sort((a, b) => a.dueMs - b.dueMs)
      const next = this.#timers[0]
      if (next === undefined || next.dueMs > endMs) break
      this.#timers.shift()
      this.nowMs = Math.max(this.nowMs, next.dueMs)
      this.say({ type: 'timerFired', timer: next })
    }
    this.nowMs = endMs
  }

  /** The clock jumps while nothing runs, as if the process had been stopped. */
  freeze(ms: number): void {
    this.nowMs += ms
  }

  forget(): void {
    this.sent = []
    this.published = []
    this.facts = []
  }

  member(id: NodeId): Member {
    const found = this.swim.members().find(other => other.id === id)
    if (found === undefined) throw new Error(`no member ${id}`)
    return found
  }

  stateOf(id: NodeId): MemberState {
    return this.member(id).state
  }

  confirmedBy(id: NodeId): readonly NodeId[] {
    return this.swim.status().doubts.find(doubt => doubt.id === id)?.confirmedBy ?? []
  }

  /** Messages of one type sent, to one receiver when named. */
  sentOf<Type extends Message['type']>(type: Type, to?: NodeId): (Message & { type: Type })[] {
    return this.sent
      .filter(({ to: receiver, message }) => message.type === type && (to === undefined || to === receiver))
      .map(({ message }) => message as Message & { type: Type })
  }

  fact<Type extends Fact['type']>(type: Type): (Fact & { type: Type })[] {
    return this.facts.filter((fact): fact is Fact & { type: Type } => fact.type === type)
  }
}
