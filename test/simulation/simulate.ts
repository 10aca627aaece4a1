/**
 * Command line of the simulation. `simulate.ts SEED` replays one seed with its timeline (`--verbose`: with the nodes' logs),
 * `simulate.ts --seeds N [--from K]` plays many in two processes, `--plant NAME` plays them on a node with that bug, up to
 * the first seed that catches it. Exit code 1 when any seed fails, 2 for a wrong command line.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Played } from './play.ts'

const JOBS = 2
const PROGRESS_MS = 2_000

type Range = { readonly from: number; readonly count: number; readonly plant: string | null }

const replayOf = (seed: number, plant: string | null): string =>
  `npm run simulate -- ${seed}${plant === null ? '' : ` --plant ${plant}`}`

type Play = typeof import('./play.ts')['play']

/** The nodes' code is loaded only after the plant is in the ground. */
const loadPlay = async (name: string | null): Promise<Play> => {
  const plant = name === null ? null : (await import('./planting.ts')).plantBug(name)
  const { play } = await import('./play.ts')
  return (seed, options) => play(seed, { ...options, only: plant?.only ?? null })
}

const replay = async (seed: number, plant: string | null, isVerbose: boolean): Promise<boolean> => {
  const play = await loadPlay(plant)
  const played = await play(seed, { print: line => console.log(line), isVerbose })
  console.log(
    `seed ${seed}: ${played.machineCount} machines, ${played.faultCount} faults, ${played.acknowledgedCount} writes acknowledged, ${played.eventCount} events in ${(played.virtualMs / 1_000).toFixed(1)} virtual seconds, history ${played.hash}`,
  )
  console.log(verdictOf(played, plant))
  return played.failed === null
}

const verdictOf = (played: Played, plant: string | null): string =>
  played.failed === null
    ? `passed; as asked ${played.convergedAfterMs} ms after the last fault`
    : `failed: ${played.failed.checker} at ${(played.failed.atMs / 1_000).toFixed(3)} s: ${played.failed.what}\nreplay: ${replayOf(played.seed, plant)}`

/** In a worker process: plays each seed that comes, and answers with what came of it. */
const work = async (plant: string | null): Promise<void> => {
  const play = await loadPlay(plant)
  process.on('message', async (seed: number) => {
    process.send?.(await play(seed))
  })
  process.on('disconnect', () => process.exit(0))
  process.send?.('ready')
}

/** Plays the range; with a plant, up to the first failure. */
const playMany = async (range: Range, told: (played: Played) => void): Promise<void> => {
  const end = range.from + range.count
  let next = range.from
  let isOver = false
  const seats = Array.from(
    { length: Math.min(JOBS, range.count) },
    () =>
      new Promise<void>((resolve, reject) => {
        const args = ['--worker', ...(range.plant === null ? [] : ['--plant', range.plant])]
        const worker = fork(fileURLToPath(import.meta.url), args, { execArgv: ['--no-warnings'] })
        const feed = (): void => {
          if (isOver || next >= end) worker.disconnect()
          else worker.send(next++)
        }
        worker.on('message', (message: Played | 'ready') => {
          if (message !== 'ready') {
            told(message)
            if (range.plant !== null && message.failed !== null) isOver = true
          }
          feed()
        })
        worker.on('error', reject)
        worker.on('exit', code => (code === 0 ? resolve() : reject(new Error('a worker process failed'))))
      }),
  )
  await Promise.all(seats)
}

const playRange = async (range: Range): Promise<boolean> => {
  const startedMs = performance.now()
  const failures: Played[] = []
  let count = 0
  const seconds = (): number => (performance.now() - startedMs) / 1_000
  const progress = setInterval(
    () =>
      console.log(`${count} of ${range.count} seeds, ${failures.length} failed, ${seconds().toFixed(0)} s`),
    process.stdout.isTTY ? PROGRESS_MS : 5 * PROGRESS_MS,
  )
  try {
    await playMany(range, played => {
      count++
      if (played.failed === null) return
      failures.push(played)
      console.log(`seed ${played.seed} ${verdictOf(played, range.plant)}`)
    })
  } finally {
    clearInterval(progress)
  }
  failures.sort((a, b) => a.seed - b.seed)
  console.log(
    `${count} seeds, ${failures.length} failed, ${((60 * count) / seconds()).toFixed(0)} seeds per minute`,
  )
  for (const { seed, failed } of failures)
    console.log(`  ${failed?.checker}  replay: ${replayOf(seed, range.plant)}`)
  return failures.length === 0
}

const USAGE = `usage: npm run simulate -- SEED [--verbose] [--plant NAME]
       npm run simulate -- --seeds N [--from K] [--plant NAME]`

const numberOf = (text: string | undefined): number | null => {
  const number = Number(text)
  return text !== undefined && Number.isSafeInteger(number) && number >= 0 ? number : null
}

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seeds: { type: 'string' },
      from: { type: 'string' },
      plant: { type: 'string' },
      verbose: { type: 'boolean' },
      worker: { type: 'boolean' },
    },
  })
  const plant = values.plant ?? null
  if (values.worker === true) return work(plant)
  const seed = numberOf(positionals[0])
  const count = numberOf(values.seeds)
  if (seed === null && count === null) {
    console.error(USAGE)
    process.exit(2)
  }
  const hasPassed =
    seed === null
      ? await playRange({ from: numberOf(values.from) ?? 1, count: count ?? 0, plant })
      : await replay(seed, plant, values.verbose === true)
  process.exit(hasPassed ? 0 : 1)
}

await main()
