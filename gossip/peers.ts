/** The other admitted members: what we believe of each, whose turn it is to be probed, and random choices. */
import { Digest } from './digest.ts'
import { isRunning, type Member, type MemberState, type NodeId } from './member.ts'
import { neighboursOf } from './neighbours.ts'

export class Peers {
  readonly #self: NodeId
  readonly #random: () => number
  readonly #members = new Map<NodeId, Member>()
  readonly #counts: Record<MemberState, number> = { alive: 0, suspect: 0, dead: 0, left: 0 }
  /** Kept up with every change, so that comparing views costs nothing that grows with their size. */
  readonly digest = new Digest()
  /** When we last received anything from a peer itself. */
  readonly #heardMs = new Map<NodeId, number>()
  /** The order of this round of probes: every neighbour once, then shuffled anew (SWIM §4.3). Others are passed over. */
  #ring: NodeId[] = []
  #turn = 0
  /** Made when asked for, void after a change. */
  #sorted: Member[] | null = null
  /** Void when somebody begins or ceases to run. */
  #neighbours: ReadonlySet<NodeId> | null = null

  constructor(self: NodeId, random: () => number) {
    this.#self = self
    this.#random = random
  }

  get(id: NodeId): Member | undefined {
    return this.#members.get(id)
  }

  has(id: NodeId): boolean {
    return this.#members.has(id)
  }

  get size(): number {
    return this.#members.size
  }

  get aliveCount(): number {
    return this.#counts.alive
  }

  get deadCount(): number {
    return this.#counts.dead
  }

  /** Suspects still run. */
  get runningCount(): number {
    return this.#counts.alive + this.#counts.suspect
  }

  /** Sorted by id, so the order depends on nothing else. */
  all(): readonly Member[] {
    this.#sorted ??= [...this.#members.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    return this.#sorted
  }

  /** Those who run and keep in touch with us: all of them in a small cluster. */
  get neighbours(): ReadonlySet<NodeId> {
    this.#neighbours ??= neighboursOf(this.#self, this.#runningIds(this.#self))
    return this.#neighbours
  }

  get isFullMesh(): boolean {
    return this.neighbours.size === this.runningCount
  }

  set(member: Member): void {
    const before = this.#members.get(member.id)
    if (isRunning(member) !== (before !== undefined && isRunning(before))) this.#neighbours = null
    if (before === undefined) {
      // A newcomer takes a random place in the running round, so that many newcomers do not wait in a row.
      this.#ring.splice(this.#below(this.#ring.length + 1), 0, member.id)
    } else this.#lose(before)
    this.#counts[member.state]++
    this.digest.add(member)
    this.#members.set(member.id, member)
    this.#sorted = null
  }

  forget(id: NodeId): void {
    const known = this.#members.get(id)
    if (known === undefined) return
    this.#lose(known)
    this.#members.delete(id)
    this.#heardMs.delete(id)
    this.#neighbours = null
    const place = this.#ring.indexOf(id)
    this.#ring.splice(place, 1)
    if (place < this.#turn) this.#turn--
    this.#sorted = null
  }

  hear(id: NodeId, nowMs: number): void {
    this.#heardMs.set(id, nowMs)
  }

  /** Milliseconds since that peer last spoke to us; Infinity when it never did. */
  silentMs(id: NodeId, nowMs: number): number {
    return nowMs - (this.#heardMs.get(id) ?? Number.NEGATIVE_INFINITY)
  }

  /** The next neighbour in the round, or undefined when there is none. */
  nextToProbe(): Member | undefined {
    // To the end of this round, and once through the next.
    for (let step = 0; step < 2 * this.#members.size; step++) {
      if (this.#turn >= this.#ring.length) {
        this.#ring = this.#shuffled([...this.#members.keys()])
        this.#turn = 0
      }
      const id = this.#ring[this.#turn]
      this.#turn++
      const member = id === undefined ? undefined : this.#members.get(id)
      if (member !== undefined && isRunning(member) && this.neighbours.has(member.id)) return member
    }
    return undefined
  }

  /** Up to `count` different members that match, in random order. */
  pick(count: number, matches: (member: Member) => boolean): Member[] {
    return this.#pickByThrows(count, matches) ?? this.#shuffled(this.all().filter(matches)).slice(0, count)
  }

  /** The same among neighbours, to whom there is a connection. */
  pickNear(count: number, matches: (member: Member) => boolean): Member[] {
    return this.isFullMesh
      ? this.pick(count, matches)
      : this.#shuffled(this.#known(this.neighbours).filter(matches)).slice(0, count)
  }

  /**
   * Who is to look for `target` in our place: in equal parts neighbours of ours, who hear us at once, and neighbours of the
   * target's, who reach it if anybody does. `near`: only those who hear us at once, for a refusal needs no connection.
   */
  pickHelpers(count: number, target: NodeId, who: 'near' | 'both'): Member[] {
    const isFit = (member: Member) => member.state === 'alive' && member.id !== target
    if (this.isFullMesh || who === 'near') return this.pickNear(count, isFit)
    const ours = this.pickNear(Math.ceil(count / 2), isFit)
    const near = neighboursOf(target, [this.#self, ...this.#runningIds(target)])
    const theirs = this.#known(near).filter(member => isFit(member) && !ours.includes(member))
    return [...ours, ...this.#shuffled(theirs).slice(0, count - ours.length)]
  }

  #known(ids: ReadonlySet<NodeId>): Member[] {
    return [...ids].flatMap(id => this.#members.get(id) ?? [])
  }

  #runningIds(without: NodeId): NodeId[] {
    const running = [...this.#members.values()].filter(member => member.id !== without && isRunning(member))
    return running.map(({ id }) => id)
  }

  /** Among many members, of which most match as a rule, a few throws do; null when they did not. */
  #pickByThrows(count: number, matches: (member: Member) => boolean): Member[] | null {
    const throwsMax = THROWS_PER_PICK * count
    if (this.#ring.length < throwsMax) return null
    const picked: Member[] = []
    for (let thrown = 0; thrown < throwsMax && picked.length < count; thrown++) {
      const member = this.#members.get(this.#ring[this.#below(this.#ring.length)] as NodeId)
      if (member !== undefined && matches(member) && !picked.includes(member)) picked.push(member)
    }
    return picked.length === count ? picked : null
  }

  #lose(member: Member): void {
    this.#counts[member.state]--
    this.digest.remove(member)
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

const THROWS_PER_PICK = 6
