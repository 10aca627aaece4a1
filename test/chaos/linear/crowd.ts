/**
 * Clients of the registers: each does one thing at a time through any node, on few keys at once, so that they meet, and
 * comes back to each key much later. Everything that they do and are told is recorded on one monotonic clock.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { socketPath } from '../../../node/paths.ts'
import type { Act, Operation, Value } from '../../harness/operation.ts'
import type { Prng } from '../../harness/prng.ts'
import type { Host } from '../host.ts'
import { type Answer, Register, type Version } from './register.ts'

/** Keys in use at one moment, of all; the window moves on by one key each time that so much was done. */
const KEYS_HOT = 8
const KEYS_ALL = 200
const OPERATIONS_PER_MOVE = 100
const THINK_MS_MAX = 20
/** What a bounded read may miss. */
const BOUND_MS = 500
/** A client that was turned away does not come back at once. */
const OFFENDED_MS = 50

export type Recorded = Operation & {
  readonly node: string
  /** The log index that the answer named; null without one. */
  readonly index: number | null
}

export class Crowd {
  readonly history: Recorded[] = []
  /** How many operations ended in which way. */
  readonly counts = { done: 0, conflict: 0, refused: 0, unknown: 0 }
  /** The longest time in which no write was acknowledged, and when it ended. */
  longestGap = { ms: 0, endedAtMs: 0 }
  /** What a client was answered that no node may answer. */
  fault: unknown = null
  readonly #hosts: readonly Host[]
  readonly #dice: Prng
  #isOpen = true
  #acknowledgedAtMs = performance.now()

  constructor(hosts: readonly Host[], dice: Prng) {
    this.#hosts = hosts
    this.#dice = dice
  }

  /** Works until `close` is called. */
  async open(clientCount: number): Promise<void> {
    this.#acknowledgedAtMs = performance.now()
    await Promise.all(
      Array.from({ length: clientCount }, (_, client) =>
        this.#work(client).catch(thrown => {
          this.fault ??= thrown
        }),
      ),
    )
  }

  close(): void {
    this.#isOpen = false
  }

  get keys(): readonly string[] {
    return [...new Set(this.history.map(({ key }) => key))]
  }

  /** Since a write was acknowledged. */
  silentMs(): number {
    return performance.now() - this.#acknowledgedAtMs
  }

  /** Reads every key through every node, one client for each node. Throws unless all of them are answered. */
  async readAll(): Promise<ReadonlyMap<string, Version>> {
    const versions = new Map<string, Version>()
    await Promise.all(
      this.#hosts.map(async host => {
        const register = registerOf(host)
        for (const key of this.keys) {
          const answer = await this.#read({ client: 1_000 + host.number, host, register, key }, 0)
          if (answer.type !== 'done') throw new Error(`${host.name} answers no read of ${key} at the end`)
          versions.set(key, answer.version)
        }
        register.close()
      }),
    )
    return versions
  }

  async #work(client: number): Promise<void> {
    const dice = this.#dice.fork(`client ${client}`)
    const registers = this.#hosts.map(host => ({ host, register: registerOf(host) }))
    for (let number = 1; this.#isOpen; number++) {
      const place = { client, key: this.#pickKey(dice), ...dice.pick(registers) }
      const answer = await this.#act(place, dice, `${client}-${number}`)
      await pause(answer.type === 'done' ? dice.between(0, THINK_MS_MAX) : OFFENDED_MS)
    }
    for (const { register } of registers) register.close()
  }

  #pickKey(dice: Prng): string {
    const first = Math.floor(this.history.length / OPERATIONS_PER_MOVE)
    return `k-${(first + dice.between(0, KEYS_HOT - 1)) % KEYS_ALL}`
  }

  async #act(place: Place, dice: Prng, value: string): Promise<Answer> {
    const roll = dice.random()
    if (roll < 0.3) return this.#read(place, 0)
    if (roll < 0.4) return this.#read(place, BOUND_MS)
    if (roll < 0.7) return this.#write(place, value, null)
    const seen = await this.#read(place, 0)
    return seen.type === 'done' ? this.#write(place, value, seen.version) : seen
  }

  /** With a bound, it may see what was there that long ago: as if it had been called then. */
  async #read(place: Place, boundMs: number): Promise<Answer> {
    const calledAt = performance.now() - boundMs
    const consistency = boundMs === 0 ? 'linear' : `bounded:${boundMs}ms`
    const answer = await place.register.read(place.key, consistency)
    if (answer.type === 'done')
      this.#record(place, calledAt, { type: 'read', value: answer.version.value }, answer)
    this.counts[answer.type]++
    return answer
  }

  async #write(place: Place, value: string, seen: Version | null): Promise<Answer> {
    const calledAt = performance.now()
    const answer = await place.register.write(place.key, value, seen?.index ?? null)
    const isDone = answer.type !== 'conflict'
    const act: Act =
      seen === null ? { type: 'write', value } : { type: 'cas', expected: seen.value, value, isDone }
    if (answer.type !== 'refused') this.#record(place, calledAt, act, answer)
    if (answer.type === 'done') this.#acknowledged()
    this.counts[answer.type]++
    return answer
  }

  #record({ client, key, host }: Place, calledAt: number, act: Act, answer: Answer): void {
    const answeredAt = answer.type === 'unknown' ? null : performance.now()
    const index = answer.type === 'done' ? answer.version.index : null
    this.history.push({ client, key, calledAt, answeredAt, act, node: host.name, index })
  }

  #acknowledged(): void {
    const nowMs = performance.now()
    const ms = nowMs - this.#acknowledgedAtMs
    if (ms > this.longestGap.ms) this.longestGap = { ms, endedAtMs: nowMs }
    this.#acknowledgedAtMs = nowMs
  }
}

type Place = {
  readonly client: number
  readonly key: string
  readonly host: Host
  readonly register: Register
}

const registerOf = (host: Host): Register => new Register(socketPath(host.dataDirectory))

/** Acknowledged writes that the final versions do not account for: neither they nor a later one is there. */
export const lostWrites = (
  history: readonly Recorded[],
  versions: ReadonlyMap<string, { readonly value: Value; readonly index: number }>,
): readonly Recorded[] =>
  history.filter(({ key, act, index }) => {
    if (index === null || act.type === 'read') return false
    const last = versions.get(key)
    return last === undefined || last.index < index || (last.index === index && last.value !== act.value)
  })
