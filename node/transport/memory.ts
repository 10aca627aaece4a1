/**
 * A network in memory, for tests and simulation: the same rules of admission, dialling, order, limits and events as over
 * libp2p, on an injected clock and with injected faults. Deterministic for the same clock, faults and dice.
 */
import type { Clock } from '../clock.ts'
import { Failure } from '../errors.ts'
import { hostPortOf } from './host-port.ts'
import type { DialAnswer, MemoryTransportOptions, Switchboard } from './memory-switchboard.ts'
import { MemoryTransport } from './memory-transport.ts'
import { Air, connect, type MemoryFaults } from './memory-wire.ts'
import type { PeerId } from './transport.ts'

const DIAL_MS_MAX = 4_000
const FREE_PORT_FIRST = 40_000

export type MemoryNetworkOptions = {
  readonly clock: Clock
  /** Default: everything arrives at once, once. */
  readonly faults?: MemoryFaults
  /** 0 ≤ x < 1; for back-off. */
  readonly random?: () => number
}

/** Who listens where. One network is one simulated world. */
export class MemoryNetwork implements Switchboard<MemoryTransport> {
  readonly air: Air
  readonly random: () => number
  readonly #bound = new Map<string, MemoryTransport>()
  /** Who was last seen at an address: a dial to a dead node still crosses the network to its host. */
  readonly #owners = new Map<string, PeerId>()
  #nextPort = FREE_PORT_FIRST

  constructor({ clock, faults, random }: MemoryNetworkOptions) {
    this.air = new Air(clock, faults ?? { deliver: () => [0] })
    this.random = random ?? (() => 0.5)
  }

  transport(options: MemoryTransportOptions): MemoryTransport {
    return new MemoryTransport(this, options)
  }

  bind(listen: string, transport: MemoryTransport): string {
    const { host, port } = hostPortOf(listen)
    const address = port === 0 ? `${host}:${this.#nextPort++}` : listen
    if (this.#bound.has(address)) {
      throw new Failure(
        'E_PORT_IN_USE',
        {
          message: `cannot listen on ${address} for peers`,
          why: `another program, perhaps another node, listens on port ${port}`,
          try: `tutti start --listen ${host}:${port + 1}`,
        },
        { facts: { listen: address, port } },
      )
    }
    this.#bound.set(address, transport)
    this.#owners.set(address, transport.self)
    return address
  }

  unbind(address: string, transport: MemoryTransport): void {
    if (this.#bound.get(address) === transport) this.#bound.delete(address)
  }

  dial(
    from: MemoryTransport,
    address: string,
    expected: PeerId | null,
    answer: (answer: DialAnswer) => void,
  ): void {
    const { air } = this
    const to = this.#bound.get(address)?.self ?? this.#owners.get(address) ?? expected ?? address
    let isAnswered = false
    const answerOnce = (given: () => DialAnswer) => {
      if (isAnswered) return
      isAnswered = true
      cancel()
      answer(given())
    }
    const cancel = air.clock.after(DIAL_MS_MAX, () => answerOnce(() => ({ type: 'failed' })))
    const reply = (given: () => DialAnswer) => air.transmit(to, from.self, 'dial', () => answerOnce(given))
    let hasArrived = false
    air.transmit(from.self, to, 'dial', () => {
      if (hasArrived) return
      hasArrived = true
      const host = this.#bound.get(address)
      if (host === undefined || air.faults.refuses?.(from.self, host.self) === true) {
        reply(() => ({ type: 'refused' }))
        return
      }
      const isExpected = expected === null || host.self === expected
      const kind = isExpected ? host.welcome(from, expected === null ? 'guest' : 'member') : null
      if (kind === null) {
        reply(() => ({ type: 'failed' }))
        return
      }
      reply(() => {
        const dialer = { air, owner: from, peer: host.self, kind, isDialer: true }
        return {
          type: 'connected',
          end: connect(dialer, { air, owner: host, peer: from.self, kind, isDialer: false }),
        }
      })
    })
  }
}

export const memoryNetwork = (options: MemoryNetworkOptions): MemoryNetwork => new MemoryNetwork(options)
