/**
 * Clients of a few registers, through the gateway of any node: each writes, sets on condition or reads, one thing at a time,
 * repeats a write under the same request id when no answer comes, and tells the checkers what it did and saw. A register is
 * a workload of no pods whose environment carries the value.
 */
import { createGateway, type Gateway } from '../../node/api/gateway.ts'
import { Failure } from '../../node/errors.ts'
import type { State, WorkloadSpec } from '../../scheduler/index.ts'
import type { Act, Value } from '../harness/operation.ts'
import type { Prng } from '../harness/prng.ts'
import { EXPECTED } from './customer.ts'
import type { Program } from './machine.ts'
import type { Scene } from './scene.ts'

const CLIENT_COUNT = 3
const KEYS = ['register-1', 'register-2'] as const
/** Between two operations of one client: a seed has its own. */
const PACE_MS_MIN = 100
const PACE_MS_MAX = 600
const ATTEMPTS_MAX = 3
const TIMEOUT_MS = 1_500
/** A program that was killed answers nothing: the client gives up on it by itself. */
const PATIENCE_MS = 2_000
/** What a bounded read may miss. */
const BOUND_MS = 500
/** So small a part of a millisecond that what happens in one is told apart, in its order. */
const MOMENT_MS = 1e-6

type Version = { readonly value: Value; readonly index: number }

/** A result, or nothing: no node to ask, no answer in time, or one that does not say what became of it. */
type Answer<Result> = { readonly result: Result } | null

export class Registers {
  readonly #world: Scene
  readonly #dice: Prng
  readonly #gateways = new WeakMap<Program, Gateway>()
  #isOpen = true
  #momentCount = 0
  /** Operations under way. */
  waitingCount = 0

  constructor(world: Scene, dice: Prng) {
    this.#world = world
    this.#dice = dice
  }

  /** Works from now on, until `close`. */
  open(): void {
    const paceMs = this.#dice.between(PACE_MS_MIN, PACE_MS_MAX)
    for (let client = 0; client < CLIENT_COUNT; client++) void this.#work(client, paceMs)
  }

  close(): void {
    this.#isOpen = false
  }

  async #work(client: number, paceMs: number): Promise<void> {
    for (let number = 1; ; number++) {
      await this.#pause(this.#dice.between(1, 2 * paceMs))
      if (!this.#isOpen) return
      this.waitingCount++
      await this.#act(client, this.#dice.pick(KEYS), `${client}-${number}`)
      this.waitingCount--
    }
  }

  async #act(client: number, key: string, value: string): Promise<void> {
    const roll = this.#dice.random()
    if (roll < 0.3) return void (await this.#read(client, key, 0))
    if (roll < 0.4) return void (await this.#read(client, key, BOUND_MS))
    if (roll < 0.7) return this.#write(client, key, value, null)
    const seen = await this.#read(client, key, 0)
    if (seen !== null) await this.#write(client, key, value, seen.result)
  }

  /** With a bound, it may see what was there that long ago: as if it had been called then. */
  async #read(client: number, key: string, boundMs: number): Promise<Answer<Version>> {
    const calledAt = this.#now() - boundMs
    const consistency = boundMs === 0 ? 'linear' : { ageMsMax: boundMs }
    const answer = await this.#ask(async gateway =>
      versionIn(await gateway.read(consistency, TIMEOUT_MS), key),
    )
    if (answer !== null)
      this.#tell({ client, key, calledAt }, { type: 'read', value: answer.result.value }, true)
    return answer
  }

  async #write(client: number, key: string, value: string, seen: Version | null): Promise<void> {
    const calledAt = this.#now()
    const intent = {
      type: 'workload/Apply',
      spec: specOf(key, value),
      checkIndex: seen?.index ?? null,
    } as const
    const by = { who: 'token/register', from: `client-${client}` }
    const write = { requestId: `register ${value}`, timeoutMs: TIMEOUT_MS, by }
    let answer: Answer<boolean> = null
    for (let attempt = 0; answer === null && attempt < ATTEMPTS_MAX; attempt++)
      answer = await this.#ask(gateway => gateway.submit(intent, write).then(() => true, conflictIsFalse))
    const isDone = answer === null || answer.result
    const act: Act =
      seen === null ? { type: 'write', value } : { type: 'cas', expected: seen.value, value, isDone }
    this.#tell({ client, key, calledAt }, act, answer !== null)
  }

  #tell(
    call: { readonly client: number; readonly key: string; readonly calledAt: number },
    act: Act,
    isAnswered: boolean,
  ): void {
    const operation = { ...call, answeredAt: isAnswered ? this.#now() : null, act }
    this.#world.trace.mark(`register ${JSON.stringify(operation)}`)
    this.#world.notify(checker => checker.operated?.(operation))
  }

  #ask<Result>(act: (gateway: Gateway) => Promise<Result>): Promise<Answer<Result>> {
    const running = this.#world.machines.filter(machine => machine.node !== null)
    const machine = running.length === 0 ? null : this.#dice.pick(running)
    const program = machine?.program ?? null
    if (machine === null || program?.node == null) return Promise.resolve(null)
    const { consensus } = program.node
    const gateway = this.#gateways.get(program) ?? createGateway({ consensus, clock: machine.clock })
    this.#gateways.set(program, gateway)
    return new Promise(resolve => {
      const cancel = this.#world.timeline.plan(PATIENCE_MS, () => resolve(null))
      const settle = (answer: Answer<Result>): void => {
        // What a dead program would have said, nobody hears.
        if (machine.program !== program) return
        cancel()
        resolve(answer)
      }
      act(gateway).then(
        result => settle({ result }),
        thrown => {
          if (!(thrown instanceof Failure) || !EXPECTED.has(thrown.code))
            this.#world.fail('registers', `${machine.id} answered with ${String(thrown)}`)
          settle(null)
        },
      )
    })
  }

  #now(): number {
    return this.#world.timeline.nowMs() + ++this.#momentCount * MOMENT_MS
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => void this.#world.timeline.plan(ms, resolve))
  }
}

const conflictIsFalse = (thrown: unknown): false => {
  if (thrown instanceof Failure && thrown.code === 'E_CONFLICT') return false
  throw thrown
}

const versionIn = (state: State, key: string): Version => {
  const workload = state.workloads.get(key)
  if (workload === undefined) return { value: null, index: 0 }
  return {
    value: workload.spec.pod.containers[0]?.env.VALUE ?? null,
    index: workload.modifiedIndex,
  }
}

const specOf = (name: string, value: string): WorkloadSpec => ({
  name,
  kind: 'service',
  count: 0,
  pod: {
    labels: {},
    containers: [
      {
        name: 'main',
        image: 'registry/register:1',
        command: [],
        env: { VALUE: value },
        ports: [],
        resources: { cpuMillis: 0, memoryBytes: 0 },
        health: null,
      },
    ],
  },
  place: { strategy: 'spread', constraints: [], spread: [], maxPerNode: null },
  restart: { policy: 'always', backoffMs: 200, backoffMsMax: 5_000, attemptsMax: null },
  update: { parallelism: 1, order: 'stop-first' },
})
