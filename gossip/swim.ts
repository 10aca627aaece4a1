/** The protocol: one verb, `step(input)`, that answers with everything to be done. */
import assert from 'node:assert'
import { Awareness } from './awareness.ts'
import { announceSelf, hear, sayFarewell } from './claims.ts'
import { type Core, gossipRound, rumorsFor, spreadingOf } from './core.ts'
import { type Effects, Outbox, type Timer } from './effects.ts'
import type { Input } from './input.ts'
import { contentOf, isRunning, type Member, type NodeId } from './member.ts'
import type { Message } from './message.ts'
import { checkOptions, type Options } from './options.ts'
import { Peers } from './peers.ts'
import { Probes } from './probe.ts'
import { Rumors } from './rumors.ts'
import { doubtsOf, type SwimStatus } from './status.ts'
import { endSuspicion, testifyNow } from './suspicion.ts'
import { askForEverything, askToJoin, compareWith, receiveSync, syncWithDead, syncWithLive } from './sync.ts'

const SEQUENCE_START_MAX = 2 ** 31

export class Swim {
  readonly #core: Core
  readonly #probes: Probes
  #phase: SwimStatus['phase'] = 'new'
  #hasJoined = false
  #isGossiping = false
  /** Rounds of an earlier start carry an older token. */
  #token = 0
  #stalledMs = Number.NEGATIVE_INFINITY

  /** `random` gives 0 ≤ x < 1. The incarnation of `self` may be that of a former life or 0: others correct it. */
  constructor(self: Member, options: Options, random: () => number) {
    checkOptions(options)
    this.#core = {
      options,
      random,
      peers: new Peers(self.id, random),
      rumors: new Rumors(),
      awareness: new Awareness(options.awarenessMax),
      suspicions: new Map(),
      probeSoon: new Set(),
      // Incarnation 0 is what the roster alone knows of a member; the member's own first word beats it.
      self: { ...self, state: 'alive', incarnation: Math.max(1, self.incarnation) },
      spreading: 'press',
      nowMs: 0,
      out: new Outbox(),
      nextNumber: Math.floor(random() * SEQUENCE_START_MAX),
    }
    this.#probes = new Probes(this.#core)
  }

  /** Synchronous and deterministic; never throws for what peers say. Carry out all effects, in any order. */
  step(input: Input): Effects {
    const core = this.#core
    core.out = new Outbox()
    core.nowMs = input.nowMs
    core.spreading = spreadingOf(input)
    if (this.#phase === 'running') this.#stepRunning(input)
    else this.#stepAside(input)
    if (this.#phase === 'running') {
      for (const id of core.probeSoon) if (core.peers.has(id)) this.#probes.begin(id)
      if (core.rumors.isPressing && !this.#isGossiping) this.#startGossiping()
    }
    core.probeSoon.clear()
    return core.out.effects()
  }

  /** Ourselves and all admitted members, whatever their state, sorted by id. */
  members(): readonly Member[] {
    return [this.#core.self, ...this.#core.peers.all()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** Whom to keep a connection to; null: to every member, whatever its state. Others are spoken to seldom. */
  neighbours(): ReadonlySet<NodeId> | null {
    const { peers } = this.#core
    return peers.isFullMesh ? null : peers.neighbours
  }

  status(): SwimStatus {
    return {
      phase: this.#phase,
      self: this.#core.self,
      hasJoined: this.#isJoined(),
      awareness: this.#core.awareness.score,
      doubts: doubtsOf(this.#core),
      rumorCount: this.#core.rumors.size,
      probeCount: this.#probes.count,
    }
  }

  /** Before the start, after leaving or being expelled: only the tables are kept. */
  #stepAside(input: Input): void {
    switch (input.type) {
      case 'start':
        if (this.#phase !== 'expelled') this.#start()
        break
      case 'join':
        this.#learn(input.members)
        break
      case 'admit':
        if (input.id === this.#core.self.id && this.#phase === 'expelled') this.#phase = 'new'
        else this.#admit(input)
        break
      case 'expel':
        this.#expel(input.id)
        break
      case 'setAddresses':
        this.#core.self = { ...this.#core.self, addresses: [...input.addresses] }
        break
      case 'setMetadata':
        this.#core.self = { ...this.#core.self, metadata: { ...input.metadata } }
        break
      case 'setOptions':
        this.#setOptions(input.options)
        break
      case 'receive':
      case 'rumorReceived':
      case 'timerFired':
      case 'leave':
      case 'peerDisconnected':
      case 'peerConnected':
      case 'peerUnreachable':
        break
      default:
        unreachable(input)
    }
  }

  #stepRunning(input: Input): void {
    const core = this.#core
    switch (input.type) {
      case 'start':
        break
      case 'receive':
        if (core.peers.has(input.from)) this.#receive(input.from, input.message)
        break
      case 'rumorReceived':
        if (core.peers.has(input.from)) hear(core, input.rumor, input.from)
        break
      case 'timerFired':
        this.#fire(input.timer)
        break
      case 'join':
        this.#learn(input.members)
        if (!this.#isJoined()) askToJoin(core)
        break
      case 'leave':
        this.#leave()
        break
      case 'setAddresses':
        this.#renew({ ...core.self, addresses: [...input.addresses] })
        break
      case 'setMetadata':
        this.#renew({ ...core.self, metadata: { ...input.metadata } })
        break
      case 'setOptions':
        this.#setOptions(input.options)
        break
      case 'peerDisconnected':
        if (this.#isRunningPeer(input.id)) core.probeSoon.add(input.id)
        break
      case 'peerConnected': {
        const state = core.peers.get(input.id)?.state
        if (state === undefined) break
        if (!this.#isJoined()) askForEverything(core, input.id)
        else if (state !== 'alive') compareWith(core, input.id)
        break
      }
      case 'peerUnreachable':
        // A probe dials, and a refused dial comes back as this input: our own charge ends the circle.
        if (this.#isRunningPeer(input.id) && !this.#isCharged(input.id)) this.#probes.begin(input.id)
        this.#probes.unreachable(input.id)
        break
      case 'admit':
        this.#admit(input)
        break
      case 'expel':
        this.#expel(input.id)
        break
      default:
        unreachable(input)
    }
  }

  #receive(from: NodeId, message: Message): void {
    const core = this.#core
    core.peers.hear(from, core.nowMs)
    if (message.type === 'sync') {
      if (!message.wantsReply && !this.#hasJoined) {
        this.#hasJoined = true
        core.out.report({ type: 'joined', through: from })
      }
      return receiveSync(core, from, message)
    }
    for (const rumor of message.rumors) hear(core, rumor, from)
    switch (message.type) {
      case 'ping':
        core.out.send(from, { type: 'ack', sequence: message.sequence, rumors: rumorsFor(core, from) })
        return
      case 'ping-request':
        return this.#probes.help(from, message.sequence, message.target)
      case 'ack':
        this.#probes.acknowledged(from, message.sequence)
        break
      case 'nack':
        this.#probes.refused(from, message.sequence)
        break
      case 'gossip':
        break
      default:
        unreachable(message)
    }
    // Whoever speaks to us while we hold it dead is told, so that it can refute.
    if (core.peers.get(from)?.state === 'dead')
      core.out.send(from, { type: 'gossip', rumors: rumorsFor(core, from) })
  }

  #fire(timer: Timer): void {
    const core = this.#core
    const isLate = this.#noteStall(timer)
    switch (timer.type) {
      case 'probe-round': {
        if (timer.token !== this.#token) break
        const target = core.peers.nextToProbe()
        if (target !== undefined) this.#probes.begin(target.id)
        this.#startRound('probe-round', core.awareness.scale(core.options.probeIntervalMs))
        break
      }
      case 'direct-timeout':
        this.#probes.directTimedOut(timer, isLate)
        break
      case 'probe-deadline':
        this.#probes.deadlineReached(timer, isLate)
        break
      case 'relay-deadline':
        this.#probes.relayTimedOut(timer)
        break
      case 'suspicion-deadline':
        endSuspicion(core, timer, isLate)
        break
      case 'testimony':
        testifyNow(core, timer)
        break
      case 'gossip-round':
        if (timer.token !== this.#token) break
        this.#isGossiping = false
        gossipRound(core)
        break
      case 'sync-round':
        if (timer.token !== this.#token) break
        if (this.#isJoined()) syncWithLive(core)
        else askToJoin(core)
        this.#startRound('sync-round', this.#syncDelayMs())
        break
      case 'revive-round':
        if (timer.token !== this.#token) break
        syncWithDead(core)
        this.#startRound('revive-round', this.#jitter(core.options.reviveIntervalMs))
        break
      default:
        unreachable(timer)
    }
  }

  /** A timer that comes late shows that we stood still: one point of ill health for each standstill, not each timer. */
  #noteStall(timer: Timer): boolean {
    const { nowMs, options, awareness, out } = this.#core
    const lateMs = nowMs - timer.dueMs
    if (lateMs < options.stallMs) return false
    if (nowMs - this.#stalledMs > options.probeIntervalMs) {
      awareness.worsen()
      out.report({ type: 'stalled', lateMs })
    }
    this.#stalledMs = nowMs
    return true
  }

  #start(): void {
    const core = this.#core
    const isReturning = this.#phase === 'left'
    this.#phase = 'running'
    this.#token = core.nextNumber++
    this.#isGossiping = false
    core.self = {
      ...core.self,
      state: 'alive',
      incarnation: core.self.incarnation + (isReturning ? 1 : 0),
    }
    announceSelf(core)
    askToJoin(core)
    this.#startRound('probe-round', core.random() * core.options.probeIntervalMs)
    this.#startRound('sync-round', this.#syncDelayMs())
    this.#startRound('revive-round', this.#jitter(core.options.reviveIntervalMs))
  }

  #leave(): void {
    sayFarewell(this.#core)
    this.#rest('left')
  }

  #setOptions(options: Options): void {
    checkOptions(options)
    this.#core.options = options
  }

  /** Only a change bumps the incarnation. */
  #renew(self: Member): void {
    if (contentOf(self) === contentOf(this.#core.self)) return
    this.#core.self = { ...self, incarnation: self.incarnation + 1 }
    this.#core.out.report({ type: 'member-changed', member: this.#core.self })
    announceSelf(this.#core)
  }

  #learn(members: readonly Member[]): void {
    const { peers, self, out } = this.#core
    for (const member of members) {
      if (member.id !== self.id && !peers.has(member.id) && member.state === 'alive') {
        peers.set(member)
        out.report({ type: 'member-alive', member, before: null })
        continue
      }
      this.#admit(member)
      hear(this.#core, { member, by: member.id }, null)
    }
  }

  #admit(entry: Pick<Member, 'id' | 'addresses' | 'metadata'>): void {
    const { peers, self, out } = this.#core
    if (entry.id === self.id || peers.has(entry.id)) return
    const member: Member = {
      id: entry.id,
      incarnation: 0,
      state: 'alive',
      addresses: [...entry.addresses],
      metadata: { ...entry.metadata },
    }
    peers.set(member)
    out.report({ type: 'member-alive', member, before: null })
  }

  #expel(id: NodeId): void {
    const { peers, self, out, rumors, suspicions } = this.#core
    if (id === self.id) {
      if (this.#phase === 'expelled') return
      out.report({ type: 'self-expelled' })
      return this.#rest('expelled')
    }
    if (!peers.has(id)) return
    peers.forget(id)
    rumors.forget(id)
    suspicions.delete(id)
    this.#probes.forget(id)
    out.report({ type: 'member-expelled', id })
  }

  /** No probes, no rumours; all running timers become stale. */
  #rest(phase: 'left' | 'expelled'): void {
    this.#phase = phase
    this.#token = this.#core.nextNumber++
    this.#probes.clear()
    this.#core.rumors.clear()
  }

  #isRunningPeer(id: NodeId): boolean {
    const known = this.#core.peers.get(id)
    return known !== undefined && isRunning(known)
  }

  #isCharged(id: NodeId): boolean {
    const { suspicions, self } = this.#core
    return suspicions.get(id)?.accusers.includes(self.id) ?? false
  }

  #isJoined(): boolean {
    return this.#hasJoined || this.#core.peers.size === 0
  }

  #syncDelayMs(): number {
    const { syncIntervalMs, probeIntervalMs } = this.#core.options
    return this.#isJoined() ? this.#jitter(syncIntervalMs) : probeIntervalMs
  }

  /** Between 3/4 and 5/4, so that nodes started together do not act together. */
  #jitter(ms: number): number {
    return ms * (0.75 + this.#core.random() / 2)
  }

  #startGossiping(): void {
    this.#isGossiping = true
    this.#startRound('gossip-round', this.#core.options.gossipIntervalMs)
  }

  #startRound(type: 'probe-round' | 'gossip-round' | 'sync-round' | 'revive-round', afterMs: number): void {
    const { out, nowMs } = this.#core
    out.startTimer({ type, token: this.#token, dueMs: nowMs + afterMs }, nowMs)
  }
}

function unreachable(value: never): never {
  assert.fail(`no such case: ${JSON.stringify(value)}`)
}
