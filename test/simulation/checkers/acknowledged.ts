/** A write that was acknowledged is in every later state, once, with the outcome that the customer was told. */
import type { Acknowledged, Check } from './checker.ts'

export const acknowledged: Check = fail => {
  const writes: Acknowledged[] = []
  const byRequest = new Map<string, Acknowledged>()
  /** How many of the writes each life of each machine was found to have. */
  const found = new Map<string, number>()

  return {
    name: 'acknowledged',
    acknowledged(write) {
      const before = byRequest.get(write.requestId)
      if (before !== undefined && before.outcome.index !== write.outcome.index)
        fail(
          `${write.requestId} was acknowledged at entry ${before.outcome.index} and at ${write.outcome.index}`,
        )
      if (before !== undefined) return
      byRequest.set(write.requestId, write)
      writes.push(write)
    },
    applied({ machine, life, state }) {
      const key = `${machine.id} ${life}`
      let count = found.get(key) ?? 0
      for (let write = writes[count]; write !== undefined; write = writes[++count]) {
        if (write.outcome.index > state.index) break
        const outcome = state.requests.get(write.requestId)
        if (outcome?.index !== write.outcome.index || outcome.ok !== write.outcome.ok)
          fail(
            `${machine.id} at entry ${state.index} knows ${write.requestId} as ${JSON.stringify(outcome)}; acknowledged was ${JSON.stringify(write.outcome)}`,
          )
      }
      found.set(key, count)
    },
    atEnd(world) {
      for (const { id, node } of world.machines)
        for (const { requestId, outcome } of writes) {
          const kept = node?.consensus.state().requests.get(requestId)
          if (kept?.index !== outcome.index)
            fail(`${id} has lost ${requestId}, which was acknowledged at entry ${outcome.index}`)
        }
    },
  }
}
