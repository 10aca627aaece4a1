/** The other admitted members: what we believe of each, whose turn it is to be probed, and random choices. */
import { isRunning, type Member, type NodeId } from './member.ts'

export class Peers {
  readonly #random: () => number
  readonly #members = new Map<NodeId, Member>()
  /** When we last received anything from a peer itself. */
  readonly #heardMs = new Map<NodeId, number>()
  /** The order of this round of probes: every member once, then shuffled anew (SWIM §4.3). */
  #ring: NodeId[] = []
  #turn = 0

  constructor(random: () => number) {
    this.#random = random
  }

  get(id: NodeId): Member | undefined {
    return this.#members.get(id)
  }

  has(id: NodeId): boolean {
    return this.#members.has(id)
  }

  /** Sorted by id, so the order depends on nothing else. */
  all(): Member[] {
    return [...this.#members.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  count(matches: (member: Member) => boolean): number {
    let count = 0
    for (const member of this.#members.values()) if (matches(member)) count++
    return count
  }

  set(member: Member): void {
    if (!this.#members.has(member.id)) {
      // A newcomer takes a random place in the running round, so that many newcomers do not wait in a row.
      this.#ring.splice(this.#below(this.#ring.length + 1), 0, member.id)
    }
    this.#members.set(member.id, member)
  }

  forget(id: NodeId): void {
    this.#members.delete(id)
    this.#heardMs.delete(id)
    this.#ring = this.#ring.filter(other => other !== id)
  }

  hear(id: NodeId, nowMs: number): void {
    this.#heardMs.set(id, nowMs)
  }

  /** Milliseconds since that peer last spoke to us; Infinity when it never did. */
  silentMs(id: NodeId, nowMs: number): number {
    return nowMs - (this.#heardMs.get(id) ?? Number.NEGATIVE_INFINITY)
  }

  /** The next running member in the round, or undefined when there is none. */
  nextToProbe(): Member | undefined {
    for (let step = 0; step <= this.#members.size; step++) {
      if (this.#turn >= this.#ring.length) {
        this.#ring = this.#shuffled([...this.#members.keys()])
        this.#turn = 0
      }
      const id = this.#ring[this.#turn]
      this.#turn++
      const member = id === undefined ? undefined : this.#members.get(id)
      if (member !== undefined && isRunning(member)) return member
    }
    return undefined
  }

  /** Up to `count` different members that match, in random order. */
  pick(count: number, matches: (member: Member) => boolean): Member[] {
    return this.#shuffled([...this.#members.values()].filter(matches)).slice(0, count)
  }

  #shuffled<Item>(items: Item[]): Item[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.#below(i + 1)
      const swapped = items[i] as Item
      items[i] = items[j] as Item
      items[j] = swapped
    }
    return items
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
}
