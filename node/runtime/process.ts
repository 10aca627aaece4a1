/**
 * The process runtime: a container is a process group on the host. NOT A SANDBOX: it sees the machine as the node's
 * user does, shares the host's network and disk, and no memory or cpu limit is enforced. What it keeps apart is its
 * session, its group, its environment, its working folder and its output.
 */
import { writeFile } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { Failure, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { execute, variablesOf } from './process-exec.ts'
import { hasExecuted, isAlive, type ProcessIdentity, readBootId, signalGroup } from './process-identity.ts'
import { readLogs, rotate } from './process-logs.ts'
import {
  EXIT_FILE,
  type FoundProcess,
  folderOf,
  hasStarted,
  listFolders,
  type ProcessRecord,
  readExitCode,
  readFound,
  removeFolder,
  runtimeIdOf,
  writeRecord,
} from './process-record.ts'
import {
  assertPortsFree,
  environmentOf,
  type HostEnvironment,
  resolveCommand,
  spawnSupervised,
} from './process-spawn.ts'
import type { ContainerKey, ContainerRun, ContainerState, Runtime, RuntimeEvent } from './runtime.ts'
import { createTurns } from './turns.ts'

export type ProcessRuntimeOptions = {
  readonly owner: { readonly cluster: string; readonly node: string }
  /** The node's data directory; records and output go below `pods/`. */
  readonly directory: string
  readonly environment: HostEnvironment
  readonly clock: Clock
  readonly log: Log
}

/** How soon an end is noticed that no signal told of (after an adoption), and how often output is measured. */
const POLL_INTERVAL_MS = 150
const ROTATE_INTERVAL_MS = 2_000
const STOP_POLL_INTERVAL_MS = 25
const STARTED_POLL_INTERVAL_MS = 3
const STARTED_DEADLINE_MS = 1_000
/** SIGKILL cannot be refused; a process that is still there sits in the kernel, waiting for a device. */
const KILL_DEADLINE_MS = 5_000
const SIGKILL_CODE = 137
const STARTS_MAX = 8

type Watched = {
  readonly key: ContainerKey
  readonly folder: string
  readonly identity: ProcessIdentity
  /** The telling of its end, once begun. */
  told: Promise<void> | null
}

export const machineCapacity = () => ({
  cpuMillis: availableParallelism() * 1_000,
  memoryBytes: totalmem(),
})

export const createProcessRuntime = (options: ProcessRuntimeOptions): Runtime => {
  const { owner, directory, environment, clock, log } = options
  const bootId = readBootId()
  const listeners = new Set<(event: RuntimeEvent) => void>()
  const watched = new Map<string, Watched>()
  const turns = createTurns({ concurrencyMax: STARTS_MAX })
  let cancelPoll: (() => void) | null = null
  let rotatedAtMs = clock.monotonicMs()
  let isRotating = false
  let isClosed = false

  const inTurn = <T>(key: ContainerKey, act: (folder: string) => Promise<T>): Promise<T> => {
    const folder = folderOf(directory, key)
    return turns.inTurn(folder, () => act(folder))
  }

  const watch = (key: ContainerKey, folder: string, identity: ProcessIdentity): void => {
    if (!watched.has(folder) || watched.get(folder)?.identity.startTicks !== identity.startTicks)
      watched.set(folder, { key, folder, identity, told: null })
    schedulePoll()
  }

  const schedulePoll = (): void => {
    if (cancelPoll !== null || isClosed || watched.size === 0) return
    cancelPoll = clock.after(POLL_INTERVAL_MS, () => {
      cancelPoll = null
      for (const entry of watched.values()) void check(entry)
      rotateSometimes()
      schedulePoll()
    })
  }

  const check = (entry: Watched): Promise<void> => {
    if (entry.told === null && isAlive(entry.identity)) return Promise.resolve()
    entry.told ??= tellEnd(entry)
    return entry.told
  }

  const tellEnd = async (entry: Watched): Promise<void> => {
    // Normally the supervisor has done this; after its violent death its command may be left behind.
    signalGroup(entry.identity, 'SIGKILL')
    const exitCode = await readExitCode(entry.folder)
    if (watched.get(entry.folder) === entry) watched.delete(entry.folder)
    if (isClosed) return
    const runtimeId = runtimeIdOf(entry.identity)
    for (const listener of listeners)
      listener({ type: 'exited', key: entry.key, runtimeId, exitCode, outOfMemory: false })
  }

  const rotateSometimes = (): void => {
    const nowMs = clock.monotonicMs()
    if (isRotating || nowMs - rotatedAtMs < ROTATE_INTERVAL_MS) return
    rotatedAtMs = nowMs
    isRotating = true
    void Promise.all([...watched.values()].map(({ folder }) => rotate(folder)))
      .catch(thrown => log.warn('output of a process could not be cut', { error: messageOf(thrown) }))
      .then(() => {
        isRotating = false
      })
  }

  const wait = (delayMs: number): Promise<void> => new Promise(done => void clock.after(delayMs, done))

  const waitForEnd = async (identity: ProcessIdentity, withinMs: number): Promise<boolean> => {
    const untilMs = clock.monotonicMs() + withinMs
    while (isAlive(identity)) {
      if (clock.monotonicMs() >= untilMs) return false
      await wait(STOP_POLL_INTERVAL_MS)
    }
    return true
  }

  const halt = async (folder: string, graceMs: number): Promise<FoundProcess | null> => {
    const found = await readFound(folder, bootId)
    if (found?.identity == null || found.state.state !== 'running') return found
    const { identity } = found
    const isEnded = graceMs > 0 && signalGroup(identity, 'SIGTERM') && (await waitForEnd(identity, graceMs))
    if (!isEnded) await killGroup(found, identity)
    const entry = watched.get(folder)
    if (entry !== undefined) await check(entry)
    return found
  }

  const killGroup = async (found: FoundProcess, identity: ProcessIdentity): Promise<void> => {
    // First the code, as nobody will be left to write it. On a full disk it stays unknown; the process ends all the same.
    await writeFile(join(found.folder, EXIT_FILE), `${SIGKILL_CODE}\n`).catch(thrown =>
      log.warn('an exit code could not be written down', { error: messageOf(thrown) }),
    )
    signalGroup(identity, 'SIGKILL')
    if (!(await waitForEnd(identity, KILL_DEADLINE_MS)))
      throw new Failure('E_TIMEOUT', {
        message: `The process of ${found.record.key.podName} does not end.`,
        why: 'it was killed, but the kernel still holds it, as with a device that does not answer',
      })
  }

  const forget = async (folder: string): Promise<void> => {
    const found = await halt(folder, 0)
    if (found?.identity != null) signalGroup(found.identity, 'SIGKILL')
    watched.delete(folder)
    await removeFolder(folder)
  }

  /**
   * Until a restarted node would find it, and the command has taken the place of the shell: a request to end that
   * came before would be swallowed by the shell's own handlers.
   */
  const settle = async (folder: string, identity: ProcessIdentity): Promise<void> => {
    const untilMs = clock.monotonicMs() + STARTED_DEADLINE_MS
    while (isAlive(identity) && clock.monotonicMs() < untilMs) {
      if ((await hasStarted(folder)) && hasExecuted(identity)) return
      await wait(STARTED_POLL_INTERVAL_MS)
    }
  }

  const start = async (run: ContainerRun, folder: string): Promise<ContainerState> => {
    const former = await readFound(folder, bootId)
    if (former?.state.state === 'running' && former.identity !== null) {
      watch(run.key, folder, former.identity)
      return former.state
    }
    const variables = environmentOf(run, environment)
    const program = resolveCommand(run, variables)
    await forget(folder)
    await assertPortsFree(run)
    const record: ProcessRecord = {
      key: run.key,
      address: run.address,
      ports: Object.fromEntries(run.ports.map(port => [port.name, port.host])),
      startedAtMs: clock.wallMs(),
      bootId,
    }
    await writeRecord(folder, record)
    const args = run.spec.command.slice(1)
    const { child, identity } = spawnSupervised(folder, program, { args, environment: variables })
    watch(run.key, folder, identity)
    child.once('exit', () => {
      const entry = watched.get(folder)
      if (entry?.identity.pid === identity.pid) void check(entry)
    })
    await settle(folder, identity)
    return {
      key: run.key,
      runtimeId: runtimeIdOf(identity),
      state: 'running',
      exitCode: null,
      outOfMemory: false,
      startedAtMs: record.startedAtMs,
      probe: { address: record.address, ports: record.ports },
    }
  }

  const isOwn = ({ record }: FoundProcess): boolean =>
    record.key.cluster === owner.cluster && record.key.node === owner.node

  return {
    kind: 'process',
    capacity: async () => machineCapacity(),
    async prepare(run, { signal }) {
      signal.throwIfAborted()
      resolveCommand(run, environmentOf(run, environment))
    },
    start(run) {
      const folder = folderOf(directory, run.key)
      return turns.limited(folder, () => start(run, folder))
    },
    stop: (key, graceMs) => inTurn(key, async folder => void (await halt(folder, graceMs))),
    remove: key => inTurn(key, forget),
    async list() {
      const folders = await listFolders(directory)
      const all = await Promise.all(folders.map(folder => readFound(folder, bootId)))
      const own = all.filter(found => found !== null).filter(isOwn)
      for (const { record, folder, identity, state } of own)
        if (identity !== null && state.state === 'running') watch(record.key, folder, identity)
      return own.map(found => found.state)
    },
    async exec(key, command, { timeoutMs }) {
      const folder = folderOf(directory, key)
      const found = await readFound(folder, bootId)
      if (found?.identity == null || found.state.state !== 'running')
        throw new Failure('E_NOT_FOUND', `The container ${key.container} of ${key.podName} does not run.`)
      return execute(command, {
        cwd: join(folder, 'work'),
        env: await variablesOf(found.identity),
        timeoutMs,
      })
    },
    async *logs(key, { follow, tail, signal }) {
      const folder = folderOf(directory, key)
      const identity = (await readFound(folder, bootId))?.identity ?? null
      const isRunning = () => identity !== null && isAlive(identity)
      yield* readLogs(folder, { follow, tail, signal, clock, isRunning })
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      isClosed = true
      cancelPoll?.()
      listeners.clear()
    },
  }
}
