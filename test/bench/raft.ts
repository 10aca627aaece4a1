/**
 * Writes through the public API of three real nodes with fsync, closed loop. The peer is the floor of this machine's
 * disk in the same run: single durable sqlite commits of the same size, one after another, by one process. Then the
 * fail-over of the same cluster.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { socketPath } from '../../node/paths.ts'
import { LocalCluster } from '../harness/local-cluster.ts'
import { benchFailover } from './failover.ts'
import { post, specOf, VALUE_BYTES } from './load.ts'
import type { Row } from './row.ts'

const CLIENTS = [1, 16, 64, 256] as const

export const benchRaft = async (seconds: number): Promise<readonly Row[]> => {
  const cluster = await LocalCluster.start(3)
  try {
    const rows: Row[] = []
    for (const clients of CLIENTS) {
      const floor = diskFloor(seconds * 1_000)
      const ours = await load(cluster, clients, seconds * 1_000)
      rows.push(
        row('commits/s', clients, ours.perSecond, floor.perSecond),
        row('p99 ms', clients, ours.p99Ms, floor.p99Ms),
      )
    }
    return [...rows, ...(await benchFailover(cluster))]
  } finally {
    await cluster.stop()
  }
}

const row = (name: string, clients: number, ours: number, peer: number): Row => ({
  name,
  clients,
  ours,
  peer,
  ratio: ours / peer,
})

type Figures = { readonly perSecond: number; readonly p99Ms: number }

const figures = (latenciesMs: number[], tookMs: number): Figures => {
  latenciesMs.sort((a, b) => a - b)
  return {
    perSecond: (latenciesMs.length / tookMs) * 1_000,
    p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? Number.NaN,
  }
}

const diskFloor = (forMs: number): Figures => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-bench-'))
  try {
    const database = new DatabaseSync(join(directory, 'floor.db'))
    database.exec(
      'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE floor (id INTEGER PRIMARY KEY, value BLOB)',
    )
    const insert = database.prepare('INSERT INTO floor (value) VALUES (?)')
    const value = Buffer.alloc(VALUE_BYTES, 7)
    const latenciesMs: number[] = []
    const startedMs = performance.now()
    for (let nowMs = startedMs; nowMs - startedMs < forMs; ) {
      insert.run(value)
      const doneMs = performance.now()
      latenciesMs.push(doneMs - nowMs)
      nowMs = doneMs
    }
    database.close()
    return figures(latenciesMs, performance.now() - startedMs)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const load = async (cluster: LocalCluster, clients: number, forMs: number): Promise<Figures> => {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const latenciesMs: number[] = []
  const startedMs = performance.now()
  const client = async (number: number): Promise<void> => {
    const socket = socketPath(cluster.node(number % cluster.nodes.length).directory)
    for (let write = 0; performance.now() - startedMs < forMs; write++) {
      const sentMs = performance.now()
      await post(agent, socket, specOf(number, write))
      latenciesMs.push(performance.now() - sentMs)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  const tookMs = performance.now() - startedMs
  agent.destroy()
  return figures(latenciesMs, tookMs)
}
