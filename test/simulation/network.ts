/** The virtual network's weather: who can be reached by whom, what is lost, doubled and late. One per world. */
import type { MemoryFaults, TrafficKind } from '../../node/transport/memory-wire.ts'
import type { Prng } from '../harness/prng.ts'
import type { Trace } from './trace.ts'

export type Partition = { readonly group: ReadonlySet<string>; readonly isOneWay: boolean }

export type BadWeather = {
  readonly dropRate: number
  readonly duplicateRate: number
  readonly delayMsMax: number
}

/** What a machine whose node program stands still answers: its kernel takes what it is sent, the program does nothing. */
const NEEDS_THE_PROGRAM: ReadonlySet<TrafficKind> = new Set<TrafficKind>(['dial', 'ping', 'gossip'])

export class Weather implements MemoryFaults {
  readonly #dice: Prng
  readonly #trace: Trace
  readonly #off = new Set<string>()
  readonly #frozen = new Set<string>()
  readonly #partitions = new Set<Partition>()
  readonly #severed = new Set<{ readonly one: string; readonly others: ReadonlySet<string> }>()
  readonly #storms = new Set<BadWeather>()

  constructor(dice: Prng, trace: Trace) {
    this.#dice = dice
    this.#trace = trace
  }

  deliver(from: string, to: string, kind: TrafficKind): readonly number[] {
    const delaysMs = this.#isCut(from, to, kind) ? [] : this.#draw()
    this.#trace.mark(`${from}>${to} ${kind} ${delaysMs.join()}`)
    return delaysMs
  }

  setPower(machine: string, isOn: boolean): void {
    if (isOn) this.#off.delete(machine)
    else this.#off.add(machine)
  }

  setFrozen(machine: string, isFrozen: boolean): void {
    if (isFrozen) this.#frozen.add(machine)
    else this.#frozen.delete(machine)
  }

  /** The returned function heals it. */
  part(partition: Partition): () => void {
    this.#partitions.add(partition)
    return () => this.#partitions.delete(partition)
  }

  /** Nothing passes between the one machine and the others, either way. The returned function heals it. */
  sever(one: string, others: readonly string[]): () => void {
    const cut = { one, others: new Set(others) }
    this.#severed.add(cut)
    return () => this.#severed.delete(cut)
  }

  /** The returned function ends it. */
  storm(storm: BadWeather): () => void {
    this.#storms.add(storm)
    return () => this.#storms.delete(storm)
  }

  clear(): void {
    this.#partitions.clear()
    this.#severed.clear()
    this.#storms.clear()
  }

  #isCut(from: string, to: string, kind: TrafficKind): boolean {
    if (this.#off.has(from) || this.#off.has(to)) return true
    if (NEEDS_THE_PROGRAM.has(kind) && (this.#frozen.has(from) || this.#frozen.has(to))) return true
    for (const { one, others } of this.#severed)
      if ((from === one && others.has(to)) || (to === one && others.has(from))) return true
    for (const { group, isOneWay } of this.#partitions) {
      const isLeaving = group.has(from) && !group.has(to)
      const isEntering = !group.has(from) && group.has(to)
      if (isLeaving || (isEntering && !isOneWay)) return true
    }
    return false
  }

  #draw(): readonly number[] {
    const calmMs = 0.2 + this.#dice.random()
    let delayMs = calmMs
    let isDoubled = false
    for (const { dropRate, duplicateRate, delayMsMax } of this.#storms) {
      if (this.#dice.chance(dropRate)) return []
      delayMs += this.#dice.random() * delayMsMax
      isDoubled ||= this.#dice.chance(duplicateRate)
    }
    return isDoubled ? [delayMs, delayMs + this.#dice.random() * 200] : [delayMs]
  }
}
