/**
 * Nobody helps to depose a leader that it hears (thesis §4.2.3, §9.6), but when that leader itself hands over; and whoever
 * says that leadership was handed to it speaks the truth.
 */
import type { Check } from './checker.ts'

/** An election timeout lasts at least 500 ms; two ticks less, since the machine's ticks fall between our looks. */
const HEARD_MS = 400

export const stickiness: Check = fail => {
  /** When each machine last answered a heartbeat, in which term. */
  const heard = new Map<string, { readonly atMs: number; readonly term: number }>()
  /** Machines that know a leader. */
  const led = new Set<string>()
  const handedOver = new Set<string>()
  return {
    name: 'stickiness',
    noted({ machine, type, fields }) {
      if (type !== 'leaderChanged') return
      if (fields.leader === null) led.delete(machine.id)
      else led.add(machine.id)
    },
    sent({ machine, to, message, atMs }) {
      switch (message.type) {
        case 'heartbeatResult':
          heard.set(machine.id, { atMs, term: message.term })
          return
        case 'timeoutNow':
          handedOver.add(`${to} ${message.term}`)
          return
        case 'preVoteResult': {
          const last = heard.get(machine.id)
          if (!message.granted || last === undefined || !led.has(machine.id)) return
          if (atMs - last.atMs < HEARD_MS)
            fail(
              `${machine.id} would vote for ${to} in term ${message.term}, ${atMs - last.atMs} ms after it heard the leader of term ${last.term}`,
            )
          return
        }
        case 'vote':
          if (message.isTransfer && !handedOver.has(`${machine.id} ${message.term - 1}`))
            fail(`${machine.id} campaigns in term ${message.term} as if leadership had been handed to it`)
          return
      }
    },
    restarted(machine) {
      led.delete(machine.id)
      heard.delete(machine.id)
    },
  }
}
