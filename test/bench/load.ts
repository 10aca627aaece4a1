/** The generator: closed-loop writers against one contender, and what came of it. */
import { readFileSync } from 'node:fs'
import { type Contender, pause } from './contender.ts'

/** What is still under way when the time is up gets as long again, at least this. */
const PATIENCE_MS = 10_000

export type Load = {
  readonly latenciesMs: readonly number[]
  readonly tookMs: number
  /** Processor time per write in microseconds: of all nodes, and of the generator itself. */
  readonly nodeMicros: number
  readonly ownMicros: number
}

export type Figures = Pick<Load, 'nodeMicros' | 'ownMicros'> & {
  readonly perSecond: number
  readonly p99Ms: number
}

export const load = async (contender: Contender, clients: number, forMs: number): Promise<Load> => {
  const writers = await contender.writers(clients)
  const latenciesMs: number[] = []
  const ownBefore = process.cpuUsage()
  const nodesBefore = microsOf(contender.pids())
  const startedMs = performance.now()
  const client = async (number: number): Promise<void> => {
    for (let count = 0; ; count++) {
      const sentMs = performance.now()
      if (sentMs - startedMs >= forMs) return
      await writers.write(number, count)
      latenciesMs.push(performance.now() - sentMs)
    }
  }
  const late = pause(2 * forMs + PATIENCE_MS).then(() =>
    Promise.reject(new Error('a write was not answered')),
  )
  try {
    await Promise.race([late, Promise.all(Array.from({ length: clients }, (_, number) => client(number)))])
  } finally {
    writers.close()
  }
  const tookMs = performance.now() - startedMs
  const own = process.cpuUsage(ownBefore)
  const nodesMicros = microsOf(contender.pids()) - nodesBefore
  return {
    latenciesMs,
    tookMs,
    nodeMicros: nodesMicros / latenciesMs.length,
    ownMicros: (own.user + own.system) / latenciesMs.length,
  }
}

/** Processor time that these processes have used, from /proc in ticks of 10 ms. */
const microsOf = (pids: readonly number[]): number => {
  const ticks = pids.flatMap(pid => {
    // The program's name, in brackets, may hold spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return [Number(fields[11]), Number(fields[12])]
  })
  return ticks.reduce((sum, one) => sum + one, 0) * 10_000
}

/** Of several turns taken together. */
export const figuresOf = (turns: readonly Load[]): Figures => {
  const latenciesMs = turns.flatMap(turn => turn.latenciesMs).sort((a, b) => a - b)
  const tookMs = turns.reduce((sum, turn) => sum + turn.tookMs, 0)
  return {
    perSecond: (latenciesMs.length / tookMs) * 1_000,
    p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? Number.NaN,
    nodeMicros: meanOf(turns.map(turn => turn.nodeMicros)),
    ownMicros: meanOf(turns.map(turn => turn.ownMicros)),
  }
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
