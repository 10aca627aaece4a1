/** A whole virtual cluster: machines on one timeline and one network, watched by checkers. */

import type { Log } from '../../node/log.ts'
import { MemoryNetwork } from '../../node/transport/memory.ts'
import type { Channel } from '../../node/transport/transport.ts'
import { defaultOptions, type Entry, type Message } from '../../raft/index.ts'
import type { Cluster, State } from '../../scheduler/index.ts'
import type { Prng } from '../harness/prng.ts'
import { drawBehaviors } from './behaviors.ts'
import type { Check, Checker } from './checkers/checker.ts'
import { Customer } from './customer.ts'
import { VirtualEther } from './ether.ts'
import { Machine, type MachineWatcher, type Program } from './machine.ts'
import { Weather } from './network.ts'
import { Registers } from './registers.ts'
import { createTimeline, Spinning, type Timeline } from './timeline.ts'
import { createTrace, type Trace } from './trace.ts'
import type { Moment } from './trouble/faults.ts'

export type WorldOptions = {
  readonly dice: Prng
  readonly machineCount: number
  /** How slow the disks are when nothing is wrong with them. */
  readonly diskFactor: number
  /** Entries between two snapshots: few, so that logs are cut and snapshots sent. */
  readonly snapshotEntries: number
  readonly tickMs: number
  /** Reads are answered under leases, by clocks that do not quite agree. */
  readonly hasLeases?: boolean
  /** Machines announce themselves to each other. */
  readonly hasBeacon?: boolean
  /** Entries in one message, in bytes: little, so that logs meet in the middle. */
  readonly appendBytesMax: number
  /** Learners that the leader feeds itself: few, so that there are relays in clusters that are small. */
  readonly directLearnersMax: number
  readonly relayFanOut: number
  /** All further nodes are learners. */
  readonly votersMax: number
  readonly checks: readonly Check[]
  /** Whose complaints count, while all others look away; null: everybody's. */
  readonly only: string | null
  readonly print: ((line: string) => void) | null
  readonly isVerbose: boolean
}

export type Failed = { readonly checker: string; readonly what: string; readonly atMs: number }

const CLUSTER: Cluster = {
  id: 'simulated-cluster',
  name: 'simulated',
  publicKey: 'none',
  privateKey: 'none',
  createdAtMs: Date.UTC(2026, 0, 1),
}
const TOKEN = { id: 'token-1', secretHash: 'secret-1' }
/** The one error that a broken machine accounts for; every other is the program's own. */
const DISK_REFUSES = 'this node votes and writes no more'
const START_RETRY_MS = 500
/** Of the shortest election timeout: the longest lease that a node takes. */
const LEASE_SHARE = 0.8
const DRIFT_MAX = 0.03
const JOIN_RETRY_MS = 200

export class World {
  readonly timeline: Timeline = createTimeline()
  readonly dice: Prng
  readonly trace: Trace
  readonly weather: Weather
  readonly machines: readonly Machine[]
  readonly customer: Customer
  readonly registers: Registers
  failed: Failed | null = null
  /** Containers misbehave. */
  isTrouble = false
  /** Nothing is wrong with any machine nor with the network. */
  isCalm = false
  /** Told of the moments that strikes wait for. */
  onMoment: (moment: Moment, machine: Machine) => void = () => undefined
  readonly #checkers: readonly Checker[]
  readonly #only: string | null
  /** Programs that were told to stop and have not yet. */
  readonly #ending = new Map<Machine, { readonly isWantedAgain: boolean }>()
  /** How far each machine's present program was seen to have applied. */
  readonly #seenIndex = new Map<Machine, number>()
  /** The last term in which each machine has spoken as the leader. */
  readonly #reigns = new Map<Machine, number>()
  #electedTerm = 0
  #leader: Machine | null = null

  constructor(options: WorldOptions) {
    const { dice, tickMs, snapshotEntries } = options
    this.dice = dice.fork('world')
    this.trace = createTrace({
      nowMs: () => this.timeline.nowMs(),
      print: options.print,
      isVerbose: options.isVerbose,
    })
    this.weather = new Weather(dice.fork('weather'), this.trace)
    const networkDice = dice.fork('network')
    const network = new MemoryNetwork({
      clock: {
        wallMs: () => this.timeline.nowMs(),
        monotonicMs: () => this.timeline.nowMs(),
        after: (delayMs, action) => this.timeline.plan(delayMs, action),
      },
      faults: this.weather,
      random: () => networkDice.random(),
    })
    const behaviors = dice.fork('behaviors')
    const core = defaultOptions(tickMs)
    const leases = dice.fork('leases')
    const ether = options.hasBeacon === true ? new VirtualEther(this.timeline, this.weather) : null
    this.machines = Array.from({ length: options.machineCount }, (_, position) => {
      const own = dice.fork(`machine ${position}`)
      const machine = new Machine({
        position,
        timeline: this.timeline,
        network,
        dice: own,
        cluster: { ...CLUSTER, votersMax: options.votersMax },
        diskFactor: options.diskFactor,
        behaviorOf: drawBehaviors(behaviors, () => this.isTrouble),
        consensusOptions: {
          tickMs,
          snapshotEntries,
          core: {
            ...core,
            leaseTicks: options.hasLeases === true ? Math.floor(LEASE_SHARE * core.electionTicksMin) : 0,
            appendBytesMax: options.appendBytesMax,
            directLearnersMax: options.directLearnersMax,
            relayFanOut: options.relayFanOut,
            snapshotChunkBytes: 8 * 1024,
          },
        },
        watcher: this.#watcher(),
        ether,
      })
      if (options.hasLeases === true) machine.clock.setRate(1 + DRIFT_MAX * (2 * leases.random() - 1))
      return machine
    })
    this.customer = new Customer(this, dice.fork('customer'))
    this.registers = new Registers(this, dice.fork('registers'))
    this.#only = options.only
    this.#checkers = options.checks.map(check => {
      const checker: Checker = check(what => this.fail(checker.name, what))
      return checker
    })
    this.notify(checker => checker.begin?.(this))
  }

  /** The first failure ends the run. */
  fail(checker: string, what: string): void {
    const isHeard = this.#only === null || checker === this.#only || checker === 'progress'
    if (this.failed !== null || !isHeard) return
    this.failed = { checker, what, atMs: this.timeline.nowMs() }
    this.trace.tell('CHECK', `${checker}: ${what}`)
  }

  notify(tell: (checker: Checker) => void): void {
    for (const checker of this.#checkers) tell(checker)
  }

  /** Runs the world; false when time ran out before `isDone` held. A failed check ends it, and so does what is thrown. */
  async run(untilMs: number, isDone: () => boolean = () => false): Promise<boolean> {
    const onRejected = (thrown: unknown) => this.fail('crashes', `nobody caught ${describe(thrown)}`)
    process.on('unhandledRejection', onRejected)
    try {
      return await this.timeline.run(untilMs, () => this.failed !== null || isDone())
    } catch (thrown) {
      this.fail(thrown instanceof Spinning ? 'progress' : 'crashes', describe(thrown))
      return true
    } finally {
      process.off('unhandledRejection', onRejected)
    }
  }

  /** Whoever leads, and if several believe so, the one of the latest term. */
  leader(): Machine | null {
    let leader: Machine | null = null
    let term = -1
    for (const machine of this.machines) {
      const status = machine.node?.consensus.status()
      if (status?.role !== 'leader' || status.term <= term) continue
      term = status.term
      leader = machine
    }
    return leader
  }

  start(machine: Machine): void {
    // A program that is still ending, perhaps because its machine stands still, is started again when it has ended.
    if (this.#ending.has(machine)) this.#ending.set(machine, { isWantedAgain: true })
    if (machine.program !== null || !machine.hasPower) return
    this.trace.tell(machine.name, 'starts')
    this.notify(checker => checker.restarted?.(machine))
    machine.start()
  }

  kill(machine: Machine): void {
    if (machine.program === null) return
    this.trace.tell(machine.name, 'is killed')
    this.#forget(machine)
    machine.kill()
  }

  cutPower(machine: Machine): void {
    this.trace.tell(machine.name, 'loses power')
    this.#forget(machine)
    this.weather.setPower(machine.id, false)
    machine.cutPower()
  }

  /** SIGTERM: the program ends by itself. */
  stop(machine: Machine): void {
    const { program } = machine
    if (program?.node == null) return this.kill(machine)
    this.trace.tell(machine.name, 'is told to stop')
    this.#ending.set(machine, { isWantedAgain: false })
    program.node.stop().then(
      () => {
        if (machine.program !== program) return
        this.trace.tell(machine.name, 'has stopped')
        const isWantedAgain = this.#ending.get(machine)?.isWantedAgain === true
        this.#forget(machine)
        machine.kill()
        if (isWantedAgain) this.start(machine)
      },
      thrown => this.fail('stop', `${machine.id} failed to stop: ${String(thrown)}`),
    )
  }

  /** Founds the cluster on the first machine and lets the others join, each from its time on. */
  found(joinAtMs: readonly number[]): void {
    const [first] = this.machines
    if (first === undefined) return
    first.isMember = true
    this.start(first)
    const token = { ...TOKEN, kind: 'join', role: 'admin', labels: {}, uses: null } as const
    const expiresAtMs = Date.UTC(2027, 0, 1)
    void this.#insist('token', () => ({
      type: 'token/Create',
      atMs: first.clock.wallMs(),
      token: { ...token, expiresAtMs },
    }))
    for (const machine of this.machines.slice(1))
      this.timeline.plan(joinAtMs[machine.position] ?? 0, () => void this.join(machine))
  }

  /** Has a machine admitted, however long it takes, and starts it. */
  async join(machine: Machine): Promise<void> {
    const { id: tokenId, secretHash } = TOKEN
    await this.#insist(`join ${machine.id}`, () => ({
      type: 'node/Join',
      atMs: machine.clock.wallMs(),
      node: machine.facts,
      tokenId,
      secretHash,
    }))
    const members = this.machines.filter(other => other.isMember)
    machine.learnPeers(new Map(members.map(({ id, facts }) => [id, [facts.peerAddress]])))
    machine.isMember = true
    this.start(machine)
  }

  /** Writes until it is accepted. */
  async #insist(name: string, command: () => Parameters<Customer['write']>[0]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.customer.write(command(), `${name} ${attempt}`)
      if (outcome?.ok === true) return
      await new Promise<void>(resolve => void this.timeline.plan(JOIN_RETRY_MS, resolve))
    }
  }

  #forget(machine: Machine): void {
    this.#ending.delete(machine)
    this.weather.setFrozen(machine.id, false)
    this.#seenIndex.delete(machine)
    if (this.#leader === machine) this.#leader = null
  }

  #watcher(): MachineWatcher {
    return {
      logOf: (machine, life) => this.#logOf(machine, life, ''),
      sent: (machine, to, channel, message) => this.#sent(machine, to, channel, message),
      writing: (machine, writes) => {
        this.notify(checker => checker.writing?.({ machine, writes }))
        if (writes.some(({ entries }) => entries.length > 0) && this.#leader === machine)
          this.onMoment('append', machine)
        if (writes.some(({ compact }) => compact !== null)) this.onMoment('compaction', machine)
      },
      assembled: (machine, program) => this.#assembled(machine, program),
      gaveUp: (machine, reason) => {
        // A disk that is full when the program starts ends it; whoever supervises it starts it again.
        if (!reason.includes('the disk is full')) this.fail('crashes', `${machine.id} gave up: ${reason}`)
        this.kill(machine)
        this.timeline.plan(START_RETRY_MS, () => this.start(machine))
      },
    }
  }

  #assembled(machine: Machine, program: Program): void {
    const { consensus } = program.node as NonNullable<Program['node']>
    this.trace.tell(machine.name, `runs, as of entry ${consensus.state().index}`)
    consensus.subscribe(({ state }) => {
      if (machine.program === program) this.#applied(machine, program, state)
    })
    this.#applied(machine, program, consensus.state())
  }

  #applied(machine: Machine, { life }: Program, state: State): void {
    const before = this.#seenIndex.get(machine) ?? 0
    this.#seenIndex.set(machine, state.index)
    if (state.cluster !== null) machine.hasFounded = true
    this.trace.mark(`${machine.name} applied ${state.index}`)
    const entries = appliedEntries(machine.disk.durable()?.entries ?? [], before, state)
    this.notify(checker => checker.applied?.({ machine, life, state, entries }))
  }

  #sent(machine: Machine, to: string, channel: Channel, sent: unknown): void {
    if (channel !== 'raft') return
    const message = sent as Message
    const { type, term } = message
    const atMs = this.timeline.nowMs()
    this.notify(checker => checker.sent?.({ machine, to, message, atMs }))
    if (type === 'voteResult' && message.granted) {
      this.notify(checker => checker.voted?.({ machine, to, term }))
      this.onMoment('vote', machine)
    }
    if (type === 'append' && term > (this.#reigns.get(machine) ?? 0)) {
      this.#reigns.set(machine, term)
      this.onMoment('election', machine)
    }
    if (type === 'appended' || type === 'report')
      this.notify(checker => checker.received?.({ machine, match: message.match }))
    if (type === 'appended') this.onMoment('receipt', machine)
    if (type === 'installSnapshot') {
      const receiver = this.machines.find(({ id }) => id === to)
      if (receiver !== undefined) this.onMoment('snapshot', receiver)
    }
  }

  #heard(machine: Machine, message: string, fields: Readonly<Record<string, unknown>>): void {
    if (message !== 'raft') return
    this.notify(checker => checker.noted?.({ machine, type: String(fields.type), fields }))
    if (fields.type === 'becameLeader') {
      const term = Number(fields.term)
      this.#electedTerm = Math.max(this.#electedTerm, term)
      if (term === this.#electedTerm) this.#leader = machine
      this.trace.tell(machine.name, `leads in term ${term}`)
      this.notify(checker => checker.elected?.(machine, term))
    }
    if (fields.type === 'becameFollower' && this.#leader === machine) this.#leader = null
  }

  #logOf(machine: Machine, life: number, who: string): Log {
    const say =
      (level: string) =>
      (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
        if (machine.program?.life !== life) return
        this.trace.mark(`${machine.name} ${level} ${message} ${String(fields.type ?? '')}`)
        this.trace.whisper(machine.name, () => `${level} ${who} ${message} ${JSON.stringify(fields)}`)
        if (level === 'error' && message !== DISK_REFUSES) {
          const what = `${String(fields.actor ?? who)}: ${message}: ${String(fields.error ?? '')}`
          this.trace.whisper(machine.name, () => String(fields.stack))
          this.notify(checker => checker.crashed?.(machine, what))
        }
        this.#heard(machine, message, fields)
      }
    return {
      error: say('error'),
      warn: say('warn'),
      info: say('info'),
      debug: say('debug'),
      child: fields => this.#logOf(machine, life, String(fields.actor ?? who)),
    }
  }
}

const describe = (thrown: unknown): string =>
  thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)

/**
 * What was applied after `before`, as the disk has it. Nothing when a snapshot was installed: then the disk still holds
 * what the snapshot is about to replace, perhaps entries that were never committed.
 */
const appliedEntries = (stored: readonly Entry[], before: number, state: State): readonly Entry[] => {
  const first = stored[0]?.index ?? 0
  if (stored[state.index - first]?.term !== state.term) return []
  return stored.slice(Math.max(0, before + 1 - first), state.index + 1 - first)
}
