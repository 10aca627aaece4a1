/**
 * The very same swim actors with ten or a hundred members on virtual time: mailbox, timers, the door for malformed
 * messages and the encoding of the wire included. Dearer than the bare cores of `swim-fleet.ts`, with which it must agree.
 */
import { type Fact, lan, type NodeId } from '../../../gossip/index.ts'
import type { ActorRef } from '../../../node/actor/actor.ts'
import { createActorSystem } from '../../../node/actor/system.ts'
import type { Clock } from '../../../node/clock.ts'
import { decode, encode } from '../../../node/codec.ts'
import { silentLog } from '../../../node/log.ts'
import { SWIM_SPAWN, type SwimMessage, swimActor } from '../../../node/membership/swim.actor.ts'
import type { Transport } from '../../../node/transport/transport.ts'
import { type Prng, prng } from '../prng.ts'
import { meshOf } from './mesh.ts'
import { TimeWheel } from './time-wheel.ts'

type Event = { atMs: number; readonly act: () => void }
type Door = (from: NodeId, message: unknown) => void

export type ActorMember = {
  readonly id: NodeId
  readonly index: number
  isFrozen: boolean
  swim: ActorRef<SwimMessage> | null
  onMessage: Door
  onPublished: Door
  /** Indices of those to whom it passes on what is published. */
  readonly mesh: readonly number[]
}

const LATENCY_MS_MAX = 5

export class ActorFleet {
  readonly members: readonly ActorMember[]
  onFact: (by: ActorMember, fact: Fact) => void = () => {}
  readonly #byId: ReadonlyMap<NodeId, ActorMember>
  readonly #dice: Prng
  readonly #lossRate: number
  readonly #wheel = new TimeWheel<Event>(event => event.act())

  constructor(settings: { readonly size: number; readonly seed: number; readonly lossRate: number }) {
    this.#dice = prng(settings.seed, 'actors')
    this.#lossRate = settings.lossRate
    const ids = Array.from({ length: settings.size }, (_, index) => `node-${index}`)
    this.members = meshOf(ids, this.#dice.random).map(({ mesh }, index) => ({
      id: `node-${index}`,
      index,
      isFrozen: false,
      swim: null,
      onMessage: () => {},
      onPublished: () => {},
      mesh,
    }))
    this.#byId = new Map(this.members.map(member => [member.id, member]))
    for (const member of this.members) this.#start(member)
  }

  get nowMs(): number {
    return this.#wheel.nowMs
  }

  run(forMs: number, isDone?: () => boolean): boolean {
    return this.#wheel.run(this.nowMs + forMs, isDone)
  }

  freeze(member: ActorMember): void {
    member.isFrozen = true
  }

  #start(member: ActorMember): void {
    const system = createActorSystem({
      clock: this.#clockOf(member),
      random: this.#dice.fork(member.id).random,
      log: silentLog,
      yieldTo: turn => this.#plan(0, member, turn),
    })
    const roster = this.members.map(({ id }) => ({
      id,
      addresses: [`${id}:7701`],
      metadata: { name: id },
      isAdmitted: true,
    }))
    const actor = swimActor({
      options: lan,
      transport: this.#transportOf(member),
      self: () => ({
        id: member.id,
        incarnation: 1,
        state: 'alive',
        addresses: [`${member.id}:7701`],
        metadata: { name: member.id },
      }),
      roster: () => roster,
      known: () => [],
      listener: (_, facts) => {
        for (const fact of facts) this.onFact(member, fact)
      },
    })
    member.swim = system.spawn('swim', actor.create, SWIM_SPAWN)
    actor.listen(member.swim, {
      onMessage: (_, door) => {
        member.onMessage = door
      },
      onPublished: (_, door) => {
        member.onPublished = door
      },
      onPeer: () => {},
    })
  }

  #transportOf(member: ActorMember): Pick<Transport, 'send' | 'publish' | 'setAddresses'> {
    return {
      send: (to, _, message) => {
        const target = this.#byId.get(to)
        if (target !== undefined)
          this.#carry(target, encode(message), bytes => target.onMessage(member.id, decode(bytes)))
        return target !== undefined
      },
      publish: (_, message) => this.#flood(member, member.id, encode(message), new Set([member.index])),
      setAddresses: () => {},
    }
  }

  #flood(member: ActorMember, from: NodeId, published: Uint8Array, seen: Set<number>): void {
    for (const index of member.mesh) {
      const target = this.members[index] as ActorMember
      this.#carry(target, published, bytes => {
        if (seen.has(index)) return
        seen.add(index)
        this.#flood(target, from, bytes, seen)
        target.onPublished(from, decode(bytes))
      })
    }
  }

  #carry(target: ActorMember, bytes: Uint8Array, arrive: (bytes: Uint8Array) => void): void {
    if (this.#dice.random() < this.#lossRate) return
    this.#plan(1 + this.#dice.random() * LATENCY_MS_MAX, target, () => arrive(bytes))
  }

  #clockOf(member: ActorMember): Clock {
    return {
      wallMs: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      after: (delayMs, action) => {
        let isCancelled = false
        this.#plan(delayMs, member, () => {
          if (!isCancelled) action()
        })
        return () => {
          isCancelled = true
        }
      },
    }
  }

  /** Nothing happens any more at a frozen member. */
  #plan(delayMs: number, member: ActorMember, act: () => void): void {
    const unlessFrozen = () => {
      if (!member.isFrozen) act()
    }
    this.#wheel.plan(delayMs, { atMs: 0, act: unlessFrozen })
  }
}
