/** The beacon's way between virtual machines: a word of one is heard by all that listen, as the weather lets it. */
import type { Ether } from '../../node/membership/discovery.ts'
import type { Weather } from './network.ts'
import type { Timeline } from './timeline.ts'

export class VirtualEther {
  readonly #timeline: Timeline
  readonly #weather: Weather
  readonly #ears = new Map<string, (bytes: Uint8Array) => void>()

  constructor(timeline: Timeline, weather: Weather) {
    this.#timeline = timeline
    this.#weather = weather
  }

  /** What one machine has of it; `host` is read whenever it speaks. */
  of(machine: string, host: () => string): Ether {
    return {
      hosts: () => [host()],
      open: (_host, on) => {
        this.#ears.set(machine, on.heard)
        return {
          send: text => this.#spread(machine, Buffer.from(text)),
          close: () => {
            if (this.#ears.get(machine) === on.heard) this.#ears.delete(machine)
          },
        }
      },
    }
  }

  #spread(from: string, bytes: Uint8Array): void {
    for (const [to, hear] of this.#ears) {
      if (to === from) continue
      for (const delayMs of this.#weather.deliver(from, to, 'dial'))
        this.#timeline.plan(delayMs, () => this.#ears.get(to) === hear && hear(bytes))
    }
  }
}
