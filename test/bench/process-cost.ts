/** What a process costs while it does nothing that it was asked for: memory, processor time, bytes on its sockets. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { pause } from './contender.ts'

/** Of /proc's processor times. */
const TICK_MS = 10

export type Cost = {
  /** Resident, pages that it shares with others included; in MB of 10^6 bytes. */
  readonly rssMB: number
  /** Resident, each shared page counted in parts among those that share it. */
  readonly pssMB: number
  /** Of one core. */
  readonly cpuShare: number
  /** On its TCP connections, both directions, without the headers of packets. */
  readonly bytesPerSecond: number
  readonly connections: number
}

/** One cost per process, over the same span of time. */
export const costOf = async (pids: readonly number[], forMs: number): Promise<readonly Cost[]> => {
  const [cpuBefore, trafficBefore] = [pids.map(cpuMsOf), trafficOf(pids)]
  const startedMs = performance.now()
  await pause(forMs)
  const tookMs = performance.now() - startedMs
  const [cpuAfter, trafficAfter] = [pids.map(cpuMsOf), trafficOf(pids)]
  return pids.map((pid, position) => ({
    ...memoryOf(pid),
    cpuShare: (cpuAfter[position]! - cpuBefore[position]!) / tookMs,
    bytesPerSecond: (bytesBetween(trafficBefore.get(pid), trafficAfter.get(pid)) / tookMs) * 1_000,
    connections: trafficAfter.get(pid)?.size ?? 0,
  }))
}

const cpuMsOf = (pid: number): number => {
  // The program's name, in brackets, may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

const memoryOf = (pid: number): Pick<Cost, 'rssMB' | 'pssMB'> => {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const mb = (name: string): number =>
    (Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1]) * 1_024) / 1e6
  return { rssMB: mb('Rss'), pssMB: mb('Pss') }
}

/** Bytes of each established TCP connection so far, by process and by its two addresses. */
type Traffic = ReadonlyMap<number, ReadonlyMap<string, number>>

const trafficOf = (pids: readonly number[]): Traffic => {
  const listed = spawnSync('ss', ['-tinpHO', 'state', 'established'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (listed.status !== 0)
    throw new Error(`ss (of iproute2) is needed: ${listed.error?.message ?? listed.stderr}`)
  const traffic = new Map(pids.map(pid => [pid, new Map<string, number>()]))
  for (const line of listed.stdout.split('\n')) {
    const ofProcess = traffic.get(Number(/\bpid=(\d+)/.exec(line)?.[1]))
    const [, , local, remote] = line.trim().split(/ +/)
    const count = (name: string): number => Number(new RegExp(`\\b${name}:(\\d+)`).exec(line)?.[1] ?? 0)
    ofProcess?.set(`${local} ${remote}`, count('bytes_sent') + count('bytes_received'))
  }
  return traffic
}

/** A connection that ended meanwhile counts as silent, one that began from nothing. */
const bytesBetween = (
  before: ReadonlyMap<string, number> | undefined,
  after: ReadonlyMap<string, number> | undefined,
): number =>
  [...(after ?? [])].reduce((sum, [connection, bytes]) => sum + bytes - (before?.get(connection) ?? 0), 0)
