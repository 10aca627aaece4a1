/** Replicas agree: at the same index every node has the same state, and every command the same outcome. */
import { isDeepStrictEqual } from 'node:util'
import { fingerprintOf } from '../fingerprint.ts'
import type { History } from '../history.ts'
import type { Check } from './checker.ts'

/** Every so many entries the whole state is compared; outcomes are compared at each. */
const STRIDE = 4

export const state =
  (history: History): Check =>
  fail => {
    const fingerprints = new Map<number, { readonly fingerprint: string; readonly by: string }>()
    /** The last state that each life of each machine was seen with. */
    const seen = new Map<string, number>()
    return {
      name: 'state',
      applied({ machine, life, state: replica, entries }) {
        const { index } = replica
        const key = `${machine.id} ${life}`
        const before = seen.get(key)
        seen.set(key, index)
        if (before !== undefined && before > index)
          fail(`${machine.id} went back from entry ${before} to ${index}`)
        for (const entry of entries) {
          const requestId = history.requestIdAt(entry.index)
          if (requestId === undefined) continue
          const mine = replica.requests.get(requestId)
          const reference = history.state.requests.get(requestId)
          if (!isDeepStrictEqual(mine, reference))
            fail(
              `${machine.id} has ${JSON.stringify(mine)} as the outcome of entry ${entry.index}, not ${JSON.stringify(reference)}`,
            )
        }
        const isNew = before === undefined || index > before + entries.length
        if (index % STRIDE !== 0 && !isNew) return
        if (!fingerprints.has(index) && history.state.index === index)
          fingerprints.set(index, { fingerprint: fingerprintOf(history.state), by: 'the reference' })
        const fingerprint = fingerprintOf(replica)
        const other = fingerprints.get(index)
        if (other === undefined) fingerprints.set(index, { fingerprint, by: machine.id })
        else if (other.fingerprint !== fingerprint)
          fail(`at entry ${index} ${machine.id} has another state than ${other.by}`)
      },
      atEnd(world) {
        const digests = new Map(
          world.machines.flatMap(({ id, node }) => (node === null ? [] : [[node.consensus.digest(), id]])),
        )
        if (digests.size > 1) fail(`the states differ at the end: ${[...digests.values()].join(', ')}`)
      },
    }
  }
