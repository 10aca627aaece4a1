/**
 * Who is wrongly held dead: simulated days of a hundred members of which five are slow by two seconds, while a tenth of all
 * messages is lost. The peer is the same with Lifeguard switched off. Healthy are those that are not slow: a slow one gave
 * no sign of life for as long as a verdict takes, and is taken back when it does.
 */
import { type Alarms, alarms } from '../harness/fleet/trials.ts'
import { type BenchOptions, type Result, rowOf } from './row.ts'

const MEMBERS = 100
const HOUR_MS = 3_600_000
/** Each seed has an hour, and its own slow members, dice and kind of slowness. */
const HOURS_PER_SEED = 1
const KINDS = ['late', 'standing'] as const

export const benchFalseAlarms = async ({ days }: BenchOptions): Promise<Result> => {
  const seeds = Math.max(1, Math.round((days * 24) / MEMBERS / HOURS_PER_SEED))
  const [ours, peer] = [false, true].map(isLifeguardOff => sumOf(seeds, isLifeguardOff)) as [Alarms, Alarms]
  const nodeDays = (seeds * HOURS_PER_SEED * MEMBERS) / 24
  return {
    head: [
      `${nodeDays.toFixed(1)} simulated node-days: ${MEMBERS} members, 5 % of them slow by 2 s, 10 % of all messages lost`,
      'peer: the same with Lifeguard switched off; verdicts are counted at each observer',
    ],
    rows: [
      rowOf('verdicts upon healthy members', MEMBERS, ours.ofHealthy, peer.ofHealthy),
      rowOf('verdicts upon slow members', MEMBERS, ours.ofSlow, peer.ofSlow),
      rowOf('doubts about healthy members', MEMBERS, ours.doubts, peer.doubts),
    ],
  }
}

const sumOf = (seeds: number, isLifeguardOff: boolean): Alarms => {
  const sum = { ofHealthy: 0, ofSlow: 0, doubts: 0, events: 0 }
  for (let seed = 0; seed < seeds; seed++) {
    const found = alarms({
      size: MEMBERS,
      seed,
      lossRate: 0.1,
      forMs: HOURS_PER_SEED * HOUR_MS,
      slowShare: 0.05,
      slowness: { kind: KINDS[seed % KINDS.length] as 'late' | 'standing', ms: 2_000 },
      isLifeguardOff,
    })
    for (const name of ['ofHealthy', 'ofSlow', 'doubts', 'events'] as const) sum[name] += found[name]
    console.log(
      `  seed ${seed}${isLifeguardOff ? ' without Lifeguard' : ''}: ${found.ofHealthy} healthy, ${found.ofSlow} slow held dead; ${found.doubts} doubts`,
    )
  }
  return sum
}
