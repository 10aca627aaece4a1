/**
 * What is written beside a process so that a restarted node finds it: `run.json` (before the start, by the node),
 * `started` (by the supervisor: its own line of /proc) and `exit` (by the supervisor: the exit code).
 */
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sealedJson, unsealedJson } from '../durable-file.ts'
import { Failure, messageOf } from '../errors.ts'
import { isAlive, type ProcessIdentity, parseStat } from './process-identity.ts'
import type { ContainerKey, ContainerState } from './runtime.ts'

export type ProcessRecord = {
  readonly key: ContainerKey
  readonly address: string
  /** By port name, where the process listens. */
  readonly ports: Readonly<Record<string, number>>
  readonly startedAtMs: number
  readonly bootId: string
}

/** A record with what became of it. `identity` is null when its supervisor never came to life. */
export type FoundProcess = {
  readonly record: ProcessRecord
  readonly folder: string
  readonly identity: ProcessIdentity | null
  readonly state: ContainerState
}

const RECORD_FILE = 'run.json'
/** The first one said neither its number nor a checksum; it is still read. */
const FORMAT = 2
const STARTED_FILE = 'started'
export const EXIT_FILE = 'exit'

/** Ids come from the log, yet a name must never climb out of its folder. */
const safeName = (name: string): string =>
  encodeURIComponent(name).replace(/^\.+/, dots => '%2E'.repeat(dots.length))

export const folderOf = (directory: string, key: ContainerKey): string =>
  join(directory, 'pods', safeName(key.pod), safeName(key.container))

/** Durable before the process exists: a crash in between leaves a record without a process, never the reverse. */
export const writeRecord = async (folder: string, record: ProcessRecord): Promise<void> => {
  await mkdir(join(folder, 'work'), { recursive: true, mode: 0o700 })
  const file = await open(join(folder, RECORD_FILE), 'w', 0o600)
  try {
    await file.writeFile(sealedJson({ format: FORMAT, ...record }))
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Null when nothing, or nothing that makes sense, is there. Throws E_RUNTIME_UNAVAILABLE when that cannot be found out. */
export const readFound = async (folder: string, bootId: string): Promise<FoundProcess | null> => {
  const record = parseRecord(await readText(join(folder, RECORD_FILE)))
  if (record === null) return null
  const identity = record.bootId === bootId ? parseStat(await readText(join(folder, STARTED_FILE))) : null
  const isRunning = identity !== null && isAlive(identity)
  const state: ContainerState = {
    key: record.key,
    runtimeId: identity === null ? `never-${record.startedAtMs}` : runtimeIdOf(identity),
    state: isRunning ? 'running' : 'exited',
    exitCode: isRunning ? null : await readExitCode(folder),
    outOfMemory: false,
    startedAtMs: record.startedAtMs,
    probe: { address: record.address, ports: record.ports },
  }
  return { record, folder, identity, state }
}

/** Whether the supervisor has said who it is. */
export const hasStarted = async (folder: string): Promise<boolean> =>
  parseStat(await readText(join(folder, STARTED_FILE))) !== null

export const runtimeIdOf = ({ pid, startTicks }: ProcessIdentity): string => `${pid}-${startTicks}`

/** Null when it is not known: the supervisor itself was killed. */
export const readExitCode = async (folder: string): Promise<number | null> => {
  const text = (await readText(join(folder, EXIT_FILE)).catch(() => '')).trim()
  return /^\d{1,3}$/.test(text) ? Number(text) : null
}

/** All folders that hold, or held, a process. */
export const listFolders = async (directory: string): Promise<string[]> => {
  const pods = join(directory, 'pods')
  const folders: string[] = []
  for (const pod of await readFolder(pods))
    for (const container of await readFolder(join(pods, pod))) folders.push(join(pods, pod, container))
  return folders
}

export const removeFolder = async (folder: string): Promise<void> => {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
}

/** What is not there is empty. What cannot be read says nothing: its process may run, and must not be started twice. */
const unlessAbsent =
  <T>(path: string, empty: T) =>
  (thrown: NodeJS.ErrnoException): T => {
    if (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR') return empty
    throw new Failure(
      'E_RUNTIME_UNAVAILABLE',
      { message: `${path} cannot be read.`, why: messageOf(thrown) },
      { cause: thrown },
    )
  }

const readText = (path: string): Promise<string> => readFile(path, 'utf8').catch(unlessAbsent(path, ''))

const readFolder = (path: string): Promise<string[]> => readdir(path).catch(unlessAbsent<string[]>(path, []))

const parseRecord = (text: string): ProcessRecord | null => {
  const { format, ...read } = unsealedJson(text) ?? {}
  const record = read as ProcessRecord
  const isKnown = format === undefined || format === FORMAT
  return isKnown && typeof record.key?.pod === 'string' && typeof record.bootId === 'string' ? record : null
}
