/** What a node finds out about itself: its disk, and who listens where. Every look has a deadline. */
import { open, rm, stat, statfs } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import type { Findings } from './doctor.ts'

const ENGINE_PORT = 2375
const PORT_TIMEOUT_MS = 300
const SYNC_TRIES = 5
const SYNC_BYTES = 4_096
/** Of a disk that stands still: what is known by then is told. */
const SYNC_MS_MAX = 3_000

export const freeSpaceOf = async (path: string): Promise<Findings['freeDisk']> => {
  const found = await statfs(path).catch(() => null)
  return found === null ? null : { bytes: found.bavail * found.bsize, totalBytes: found.blocks * found.bsize }
}

export const modeOf = async (path: string): Promise<Findings['dataDirectory']> => {
  const found = await stat(path).catch(() => null)
  return found === null ? null : { path, mode: found.mode }
}

/** Writes a little file and has it on the disk, a few times. Null: nothing can be written there. */
export const syncPaceOf = async (directory: string, clock: Clock): Promise<Findings['sync']> => {
  const path = join(directory, `doctor-${process.pid}-${Math.round(clock.monotonicMs())}.tmp`)
  const tookMs: number[] = []
  let file: Awaited<ReturnType<typeof open>> | null = null
  try {
    file = await open(path, 'wx', 0o600)
    const sinceMs = clock.monotonicMs()
    while (tookMs.length < SYNC_TRIES && clock.monotonicMs() - sinceMs < SYNC_MS_MAX) {
      const startedMs = clock.monotonicMs()
      await file.write(Buffer.alloc(SYNC_BYTES, tookMs.length), 0, SYNC_BYTES, 0)
      await file.datasync()
      tookMs.push(clock.monotonicMs() - startedMs)
    }
  } catch {
    return null
  } finally {
    await file?.close().catch(() => undefined)
    await rm(path, { force: true }).catch(() => undefined)
  }
  const sorted = tookMs.toSorted((left, right) => left - right)
  return { usualMs: sorted[sorted.length >> 1] ?? 0, worstMs: sorted.at(-1) ?? 0 }
}

/** Of those hosts, where anybody may give commands to a container engine. */
export const openEnginesOn = async (hosts: readonly string[]): Promise<readonly string[]> => {
  const unique = [...new Set(hosts)]
  const open = await Promise.all(unique.map(host => isOpen(host, ENGINE_PORT)))
  return unique.filter((_, position) => open[position]).map(host => `${host}:${ENGINE_PORT}`)
}

/** Whether each address (`host:port`) takes connections from here. */
export const listeningOn = (
  addresses: readonly { readonly what: string; readonly address: string }[],
): Promise<Findings['listening']> =>
  Promise.all(
    addresses.map(async ({ what, address }) => {
      const { hostname, port } = new URL(`tcp://${address}`)
      return { what, address, isOpen: await isOpen(hostname.replace(/^\[|\]$/g, ''), Number(port)) }
    }),
  )

const isOpen = (host: string, port: number): Promise<boolean> =>
  new Promise(resolve => {
    const probe = createConnection({ host, port, timeout: PORT_TIMEOUT_MS })
    const settle = (isTaken: boolean): void => {
      probe.destroy()
      resolve(isTaken)
    }
    probe.once('connect', () => settle(true))
    probe.once('timeout', () => settle(false))
    probe.once('error', () => settle(false))
  })
