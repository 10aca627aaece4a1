/** From `kill -9` of the leader to the first accepted write of those that a survivor is asked for from then on. */
import { type Contender, NODES, pause } from './contender.ts'

const ASK_EVERY_MS = 10
const GIVE_UP_MS = 15_000
/** A cluster that has just healed gets this long to come to rest. */
const REST_MS = 300

/** The time it took, in milliseconds. The killed node is back afterwards. */
export const failOver = async (contender: Contender): Promise<number> => {
  const leader = await contender.settledLeader()
  await pause(REST_MS)
  const killedMs = performance.now()
  contender.kill(leader)
  await firstAccepted(contender, (leader + 1) % NODES)
  const tookMs = performance.now() - killedMs
  await contender.revive(leader)
  return tookMs
}

/** A new write every 10 ms, none waits for another. */
const firstAccepted = async (contender: Contender, survivor: number): Promise<void> => {
  const controller = new AbortController()
  const isOver = (): boolean => controller.signal.aborted
  const startedMs = performance.now()
  try {
    await new Promise<void>((resolve, reject) => {
      const ask = async (): Promise<void> => {
        while (!isOver()) {
          if (performance.now() - startedMs > GIVE_UP_MS) return reject(new Error('no write was accepted'))
          contender.writeOnce(survivor, controller.signal).then(resolve, () => undefined)
          await pause(ASK_EVERY_MS)
        }
      }
      void ask()
    })
  } finally {
    controller.abort()
  }
}

export const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((left, right) => left - right)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
