/** A cluster for a named play: calm until the play itself breaks something, with all checkers watching. */
import type { Command, NodeId, Outcome, WorkloadSpec } from '../../scheduler/index.ts'
import { prng } from '../harness/prng.ts'
import type { Check } from './checkers/checker.ts'
import { unsettled } from './checkers/converges.ts'
import type { Machine } from './machine.ts'
import { allChecks } from './play.ts'
import { World } from './world.ts'

const SETTLE_MS_MAX = 30_000
const SUBMIT_MS = 3_000

export type StageOptions = {
  readonly seed?: number
  /** Beside those that every play has. */
  readonly checks?: readonly Check[]
  /** The machines announce themselves to each other, as real ones do on one network. */
  readonly hasBeacon?: boolean
}

export class Stage {
  readonly world: World

  constructor(machineCount: number, { seed = 7, checks = [], hasBeacon = false }: StageOptions = {}) {
    this.world = new World({
      dice: prng(seed, 'stage'),
      machineCount,
      diskFactor: 1,
      snapshotEntries: 40,
      tickMs: 25,
      appendBytesMax: 4 * 1024,
      directLearnersMax: 8,
      relayFanOut: 16,
      votersMax: 5,
      checks: allChecks(checks),
      only: null,
      print: null,
      isVerbose: false,
      hasBeacon,
    })
  }

  /** A cluster in which everybody has joined but those in `absent`, by position, who do so when they are told to. */
  static async raise(
    machineCount: number,
    absent: readonly number[] = [],
    options: StageOptions = {},
  ): Promise<Stage> {
    const stage = new Stage(machineCount, options)
    const isAbsent = (machine: Machine) => absent.includes(machine.position)
    stage.world.found(
      stage.world.machines.map(machine => (isAbsent(machine) ? Number.POSITIVE_INFINITY : 300)),
    )
    const present = stage.world.machines.filter(machine => !isAbsent(machine))
    await stage.until('all have joined', () => present.every(machine => machine.node?.isReady() === true))
    // Everywhere: while a change is under way, the death of an old voter may still stop everything.
    await stage.until('voters are chosen', () =>
      present.every(machine => {
        const status = machine.node?.consensus.status()
        const wanted = present.length >= 5 ? 5 : present.length >= 3 ? 3 : 1
        return status?.voters.length === wanted && !status.isJoint
      }),
    )
    return stage
  }

  leader(): Machine | null {
    return this.world.leader()
  }

  machine(id: NodeId | string): Machine {
    const found = this.world.machines.find(machine => machine.id === id)
    if (found === undefined) throw new Error(`there is no machine ${id}`)
    return found
  }

  async pass(ms: number): Promise<void> {
    await this.world.run(this.world.timeline.nowMs() + ms)
    this.check()
  }

  async until(what: string, isSo: () => boolean, withinMs = SETTLE_MS_MAX): Promise<void> {
    const isDone = await this.world.run(this.world.timeline.nowMs() + withinMs, isSo)
    this.check()
    if (!isDone) throw new Error(`waited ${withinMs} ms in vain until ${what}`)
  }

  /** Everything is as asked, and every checker agrees. */
  async settled(): Promise<void> {
    const untilMs = this.world.timeline.nowMs() + SETTLE_MS_MAX
    while (unsettled(this.world) !== null && this.world.timeline.nowMs() < untilMs) await this.pass(100)
    this.world.notify(checker => checker.atEnd?.(this.world))
    this.check()
  }

  /** Brings a machine back that was killed or lost power. */
  revive(machine: Machine): void {
    machine.hasPower = true
    this.world.weather.setPower(machine.id, true)
    this.world.start(machine)
  }

  /** What becomes of a promise when time goes on. */
  async answer<T>(promise: Promise<T>): Promise<T> {
    let isOver = false
    const finish = () => {
      isOver = true
    }
    promise.then(finish, finish)
    await this.until('there is an answer', () => isOver)
    return promise
  }

  submit(machine: Machine | null, command: Command, requestId?: string): Promise<Outcome> {
    if (machine?.node == null) throw new Error('only a running node takes a command')
    return machine.node.consensus.submit(command, {
      timeoutMs: SUBMIT_MS,
      ...(requestId === undefined ? {} : { requestId }),
    })
  }

  /** Asks for `count` pods of a service named web. */
  apply(machine: Machine | null, count: number): Promise<Outcome> {
    const atMs = machine?.clock.wallMs() ?? 0
    return this.submit(machine, { type: 'workload/Apply', atMs, spec: web(count), checkIndex: null })
  }

  /** The containers that really run on a machine. */
  running(machine: Machine): readonly string[] {
    return machine.host
      .containers()
      .filter(({ state }) => state.state === 'running')
      .map(({ state }) => state.key.podName)
      .sort()
  }

  /** Throws what a checker found. */
  check(): void {
    const { failed } = this.world
    if (failed !== null) throw new Error(`${failed.checker}: ${failed.what}`)
  }
}

const web = (count: number): WorkloadSpec => ({
  name: 'web',
  kind: 'service',
  count,
  pod: {
    labels: {},
    containers: [
      {
        name: 'main',
        image: 'registry/web:1',
        command: [],
        env: {},
        ports: [],
        resources: { cpuMillis: 100, memoryBytes: 0 },
        health: null,
      },
    ],
  },
  place: { strategy: 'spread', constraints: [], spread: [], maxPerNode: null },
  restart: { policy: 'always', backoffMs: 200, backoffMsMax: 5_000, attemptsMax: null },
  update: { parallelism: 1, order: 'stop-first' },
})
