/** Is it there? One probe: direct, then through helpers, then a charge. And the helper's side of it. */
import type { Core } from './core.ts'
import { rumorsFor } from './core.ts'
import type { Timer } from './effects.ts'
import { isRunning, type NodeId } from './member.ts'
import { suspect } from './suspicion.ts'

/** The helper says "no answer" at this share of the probe timeout, so that its word arrives in time (Lifeguard §IV.A). */
const NACK_SHARE = 0.8

type Probe = {
  readonly target: NodeId
  readonly startMs: number
  /** The life of the target that we knew when it began. */
  readonly incarnation: number
  readonly helpers: Set<NodeId>
  readonly silentHelpers: Set<NodeId>
  /** When it ends; timers set before it was put off carry an earlier time. */
  deadlineMs: number
  isIndirect: boolean
  /** The transport says that the direct way is closed. */
  isRefused: boolean
  /** We stood still during this probe, and have waited once more. */
  hasGrace: boolean
}

/** A probe made for `origin`, under our own sequence. */
type Relay = {
  readonly origin: NodeId
  readonly originSequence: number
  readonly target: NodeId
  hasRefused: boolean
}

export class Probes {
  readonly #core: Core
  readonly #probes = new Map<number, Probe>()
  readonly #relays = new Map<number, Relay>()

  constructor(core: Core) {
    this.#core = core
  }

  get count(): number {
    return this.#probes.size
  }

  forget(id: NodeId): void {
    for (const [sequence, probe] of this.#probes) if (probe.target === id) this.#probes.delete(sequence)
    for (const [sequence, relay] of this.#relays)
      if (relay.target === id || relay.origin === id) this.#relays.delete(sequence)
  }

  clear(): void {
    this.#probes.clear()
    this.#relays.clear()
  }

  /** Does nothing while a probe of the same member is under way. */
  begin(target: NodeId): void {
    const { options, awareness, nowMs } = this.#core
    for (const probe of this.#probes.values()) if (probe.target === target) return
    const sequence = this.#core.nextNumber++
    const deadlineMs = nowMs + awareness.scale(options.probeDeadlineMs)
    this.#probes.set(sequence, {
      target,
      startMs: nowMs,
      incarnation: this.#core.peers.get(target)?.incarnation ?? 0,
      helpers: new Set(),
      silentHelpers: new Set(),
      deadlineMs,
      isIndirect: false,
      isRefused: false,
      hasGrace: false,
    })
    this.#ping(target, sequence)
    this.#startTimer('direct-timeout', sequence, nowMs + awareness.scale(options.probeTimeoutMs))
  }

  directTimedOut(timer: Timer & { type: 'direct-timeout' }, isLate: boolean): void {
    const probe = this.#probes.get(timer.sequence)
    if (probe === undefined || probe.isIndirect) return
    if (isLate && this.#grant(probe, timer.sequence)) return
    this.#askHelpers(timer.sequence, probe)
  }

  deadlineReached(timer: Timer & { type: 'probe-deadline' }, isLate: boolean): void {
    const probe = this.#probes.get(timer.sequence)
    if (probe?.deadlineMs !== timer.dueMs) return
    if (isLate && this.#grant(probe, timer.sequence)) return
    this.#fail(timer.sequence, probe)
  }

  /** An answer to our own probe, or one that we pass on to the node we help. */
  acknowledged(from: NodeId, sequence: number): void {
    const relay = this.#relays.get(sequence)
    if (relay !== undefined && relay.target === from) {
      this.#relays.delete(sequence)
      const rumors = rumorsFor(this.#core, relay.origin)
      this.#core.out.send(relay.origin, { type: 'ack', sequence: relay.originSequence, rumors })
    }
    const probe = this.#probes.get(sequence)
    if (probe === undefined || !(probe.target === from || probe.helpers.has(from))) return
    this.#probes.delete(sequence)
    this.#changeAwareness('improve')
  }

  /** A helper is well but reached nobody. When all helpers say so of a refused target, there is nothing to wait for. */
  refused(from: NodeId, sequence: number): void {
    const probe = this.#probes.get(sequence)
    if (!probe?.silentHelpers.delete(from)) return
    if (probe.isRefused && probe.silentHelpers.size === 0) this.#fail(sequence, probe)
  }

  /** The transport could not deliver to `id`: go on to the next phase at once. */
  unreachable(id: NodeId): void {
    for (const relay of this.#relays.values()) if (relay.target === id) this.#refuse(relay)
    for (const [sequence, probe] of this.#probes) {
      if (probe.target !== id || probe.isRefused) continue
      probe.isRefused = true
      if (!probe.isIndirect) this.#askHelpers(sequence, probe)
      if (probe.silentHelpers.size === 0) this.#fail(sequence, probe)
    }
  }

  /** Probes `target` in the place of `origin`. */
  help(origin: NodeId, originSequence: number, target: NodeId): void {
    if (!this.#core.peers.has(target)) {
      this.#core.out.send(origin, { type: 'nack', sequence: originSequence, rumors: [] })
      return
    }
    const sequence = this.#core.nextNumber++
    const relay: Relay = { origin, originSequence, target, hasRefused: false }
    this.#relays.set(sequence, relay)
    this.#ping(target, sequence)
    // It just refused us as well: the answer need not wait.
    if (this.#isRefusing(target)) this.#refuse(relay)
    const waitMs = NACK_SHARE * this.#core.options.probeTimeoutMs
    this.#startTimer('relay-deadline', sequence, this.#core.nowMs + waitMs)
  }

  /** First says "no answer", then waits once more, because a late answer is still worth passing on. */
  relayTimedOut(timer: Timer & { type: 'relay-deadline' }): void {
    const relay = this.#relays.get(timer.sequence)
    if (relay === undefined) return
    if (relay.hasRefused) {
      this.#relays.delete(timer.sequence)
      return
    }
    this.#refuse(relay)
    const dueMs = this.#core.nowMs + this.#core.options.probeDeadlineMs
    this.#startTimer('relay-deadline', timer.sequence, dueMs)
  }

  #isRefusing(target: NodeId): boolean {
    for (const probe of this.#probes.values()) if (probe.target === target && probe.isRefused) return true
    return this.#core.suspicions.get(target)?.accusers.includes(this.#core.self.id) ?? false
  }

  #refuse(relay: Relay): void {
    if (relay.hasRefused) return
    relay.hasRefused = true
    const rumors = rumorsFor(this.#core, relay.origin)
    this.#core.out.send(relay.origin, { type: 'nack', sequence: relay.originSequence, rumors })
  }

  #askHelpers(sequence: number, probe: Probe): void {
    const { peers, options, out } = this.#core
    probe.isIndirect = true
    // Once more: a single lost message should not need the others.
    if (!probe.isRefused) this.#ping(probe.target, sequence)
    const who = probe.isRefused ? 'near' : 'both'
    for (const helper of peers.pickHelpers(options.helperCount, probe.target, who)) {
      probe.helpers.add(helper.id)
      probe.silentHelpers.add(helper.id)
      const rumors = rumorsFor(this.#core, helper.id)
      out.send(helper.id, { type: 'ping-request', sequence, target: probe.target, rumors })
    }
    this.#startTimer('probe-deadline', sequence, probe.deadlineMs)
  }

  #fail(sequence: number, probe: Probe): void {
    const { peers, out, self, nowMs } = this.#core
    this.#probes.delete(sequence)
    const known = peers.get(probe.target)
    if (known === undefined || !isRunning(known)) return
    // It has spoken since, to us or in a newer life to others: what we asked may be lost, it is not.
    if (known.incarnation > probe.incarnation) return
    if (peers.silentMs(probe.target, nowMs) < nowMs - probe.startMs) return
    out.report({ type: 'probe-failed', id: probe.target, helpers: [...probe.helpers] })
    // Not one helper answered: more likely our own fault. One that did vouches for our own link (Lifeguard §IV.A).
    if (probe.helpers.size > 0 && probe.silentHelpers.size === probe.helpers.size)
      this.#changeAwareness('worsen')
    const { isRefused } = probe
    suspect(this.#core, { claim: known, by: self.id, accuser: self.id, isRefused, verdict: 'dead' })
  }

  #grant(probe: Probe, sequence: number): boolean {
    if (probe.hasGrace) return false
    const { options, nowMs } = this.#core
    probe.hasGrace = true
    probe.deadlineMs = nowMs + options.probeDeadlineMs
    if (probe.isIndirect) this.#startTimer('probe-deadline', sequence, probe.deadlineMs)
    else this.#startTimer('direct-timeout', sequence, nowMs + options.probeTimeoutMs)
    return true
  }

  #changeAwareness(change: 'improve' | 'worsen'): void {
    const { awareness, out } = this.#core
    const before = awareness.score
    awareness[change]()
    if (awareness.score !== before) out.report({ type: 'awareness-changed', score: awareness.score })
  }

  #ping(target: NodeId, sequence: number): void {
    const rumors = rumorsFor(this.#core, target)
    this.#core.out.send(target, { type: 'ping', sequence, rumors })
  }

  #startTimer(
    type: 'direct-timeout' | 'probe-deadline' | 'relay-deadline',
    sequence: number,
    dueMs: number,
  ): void {
    this.#core.out.startTimer({ type, sequence, dueMs }, this.#core.nowMs)
  }
}
