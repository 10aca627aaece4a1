/**
 * Who is wrongly held dead: simulated days of a hundred members of which five are slow by two seconds, while a tenth of all
 * messages is lost. The peer is plain SWIM, with Lifeguard switched off. Healthy are those that are not slow: a slow one gave
 * no sign of life for as long as a verdict takes, and is taken back when it does.
 */
import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { type Alarms, type AlarmTrial, alarms } from '../harness/fleet/trials.ts'
import { type BenchOptions, type Result, rowOf } from './row.ts'

const MEMBERS = 100
const HOUR_MS = 3_600_000
/** Each seed has a quarter of an hour, and its own dice, slow members and kind of slowness. */
const HOURS_PER_SEED = 0.25
const KINDS = ['late', 'standing'] as const
/** Plain SWIM is wrong soon enough: this share of the time shows it. */
const PEER_SHARE = 0.1

export const benchFalseAlarms = async ({ days }: BenchOptions): Promise<Result> => {
  const seeds = Math.max(KINDS.length, Math.round((days * 24) / MEMBERS / HOURS_PER_SEED))
  const peerSeeds = Math.max(KINDS.length, Math.round(seeds * PEER_SHARE))
  const ours = await sumOf(seeds, false)
  const peer = await sumOf(peerSeeds, true)
  const row = (name: string, count: (sum: Alarms) => number) =>
    rowOf(`${name} / node-day`, MEMBERS, count(ours) / daysOf(seeds), count(peer) / daysOf(peerSeeds))
  return {
    head: [
      `${daysOf(seeds).toFixed(1)} simulated node-days: ${MEMBERS} members, 5 % of them slow by 2 s, 10 % of all messages lost`,
      `healthy members held dead: ${ours.ofHealthy}`,
      `peer: ${daysOf(peerSeeds).toFixed(1)} node-days without Lifeguard: ${peer.ofHealthy}. Verdicts are counted at each observer`,
    ],
    rows: [
      row('healthy held dead', sum => sum.ofHealthy),
      row('slow held dead', sum => sum.ofSlow),
      row('healthy doubted', sum => sum.doubts),
    ],
  }
}

const daysOf = (seeds: number): number => (seeds * HOURS_PER_SEED * MEMBERS) / 24

/** Every processor takes seeds until none is left. */
const sumOf = async (seeds: number, isLifeguardOff: boolean): Promise<Alarms> => {
  const sum = { ofHealthy: 0, ofSlow: 0, doubts: 0 }
  let next = 0
  const take = async (): Promise<void> => {
    for (let seed = next++; seed < seeds; seed = next++) {
      const found = await inWorker(trialOf(seed, isLifeguardOff))
      for (const name of ['ofHealthy', 'ofSlow', 'doubts'] as const) sum[name] += found[name]
      const kind = `${KINDS[seed % KINDS.length]}${isLifeguardOff ? ', no Lifeguard' : ''}`
      console.log(`  seed ${seed} (${kind}): ${found.ofHealthy} healthy and ${found.ofSlow} slow held dead`)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, take))
  return sum
}

const trialOf = (seed: number, isLifeguardOff: boolean): AlarmTrial => ({
  size: MEMBERS,
  seed,
  lossRate: 0.1,
  forMs: HOURS_PER_SEED * HOUR_MS,
  slowShare: 0.05,
  slowness: { kind: KINDS[seed % KINDS.length] as 'late' | 'standing', ms: 2_000 },
  isLifeguardOff,
})

const inWorker = (trial: AlarmTrial): Promise<Alarms> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: trial })
    worker.once('message', resolve)
    worker.once('error', reject)
  })

if (!isMainThread) parentPort?.postMessage(alarms(workerData as AlarmTrial))
