/**
 * The docker runtime: containers on any engine that speaks Docker's API over a unix socket. It starts each run anew,
 * never lets the engine restart one, and finds its own again by labels, so several nodes may share an engine.
 */
import type Dockerode from 'dockerode'
import type { ContainerCreateOptions, ContainerInfo } from 'dockerode'
import type { Clock } from '../clock.ts'
import { Failure, failureOf } from '../errors.ts'
import { connectEngine, type Engine, EngineRefusal, failureOfRefusal, isStatus } from './docker-client.ts'
import { type CommandCheck, createCommandCheck } from './docker-command.ts'
import {
  addressIn,
  createOptions,
  type EngineAbilities,
  exitedState,
  isLive,
  keyFilter,
  keyOfLabels,
  mayBeStarved,
  nameOf,
  ownerFilter,
  podFilter,
  runningState,
} from './docker-containers.ts'
import { type EngineNews, watchEngine } from './docker-events.ts'
import { ensureImage } from './docker-images.ts'
import { createMemoryWords, type MemoryWords } from './docker-memory.ts'
import { execIn, logsFrom } from './docker-output.ts'
import type { ContainerKey, ContainerRun, ContainerState, LogLine, Runtime, RuntimeEvent } from './runtime.ts'
import { createTurns } from './turns.ts'

export type DockerRuntimeOptions = {
  readonly owner: { readonly cluster: string; readonly node: string }
  /** Path of the engine's unix socket. */
  readonly socket: string
  readonly clock: Clock
}

const QUERY_DEADLINE_MS = 10_000
const START_DEADLINE_MS = 60_000
const REMOVE_DEADLINE_MS = 60_000
/** Beyond the grace that a container is given to end. */
const STOP_SLACK_MS = 20_000
/** An engine gets slower, not faster, when more containers are started at the same time. */
const STARTS_MAX = 8

export const createDockerRuntime = async (options: DockerRuntimeOptions): Promise<Runtime> => {
  const engine = await connectEngine(options.socket)
  return new DockerRuntime(engine, options).face()
}

export const engineCapacity = async (engine: Engine) => {
  const info = await engineInfo(engine)
  return { cpuMillis: info.NCPU * 1_000, memoryBytes: info.MemTotal }
}

type EngineInfo = {
  readonly NCPU: number
  readonly MemTotal: number
  readonly CpuCfsQuota?: boolean
  readonly MemoryLimit?: boolean
  readonly PidsLimit?: boolean
}

const engineInfo = (engine: Engine): Promise<EngineInfo> =>
  engine.call('describe itself', QUERY_DEADLINE_MS, abortSignal =>
    (engine.docker.info as (options: object) => Promise<EngineInfo>).call(engine.docker, { abortSignal }),
  )

class DockerRuntime {
  readonly #engine: Engine
  readonly #docker: Dockerode
  readonly #owner: DockerRuntimeOptions['owner']
  readonly #clock: Clock
  readonly #listeners = new Set<(event: RuntimeEvent) => void>()
  readonly #turns = createTurns({ concurrencyMax: STARTS_MAX })
  /** How runs ended; a run that has ended is never started again, so this stays true. */
  readonly #ended = new Map<string, ContainerState>()
  /** Keys whose container exists but is not started yet, by this very program. */
  readonly #beingStarted = new Set<string>()
  readonly #commands: CommandCheck
  readonly #memory: MemoryWords
  #abilities: EngineAbilities | null = null
  #endWatch: (() => void) | null = null

  constructor(engine: Engine, options: DockerRuntimeOptions) {
    this.#engine = engine
    this.#docker = engine.docker
    this.#commands = createCommandCheck(engine)
    this.#owner = options.owner
    this.#clock = options.clock
    this.#memory = createMemoryWords(options.clock)
  }

  face(): Runtime {
    return {
      kind: 'docker',
      capacity: () => engineCapacity(this.#engine),
      prepare: async (run, { signal, progress }) => {
        signal.throwIfAborted()
        await ensureImage(this.#engine, imageOf(run), { signal, progress })
      },
      start: run => this.#turns.limited(idOf(run.key), () => this.#start(run)),
      stop: (key, graceMs) => this.#turns.inTurn(idOf(key), () => this.#stop(key, graceMs)),
      remove: key => this.#turns.inTurn(idOf(key), () => this.#removeAll(key)),
      list: () => this.#list(),
      exec: (key, command, { timeoutMs }) => this.#exec(key, command, timeoutMs),
      logs: (key, how) => this.#logs(key, how),
      subscribe: listener => this.#subscribe(listener),
      close: async () => {
        this.#endWatch?.()
        this.#listeners.clear()
        this.#engine.close()
      },
    }
  }

  #query(label: string[], isAll: boolean): Promise<ContainerInfo[]> {
    return this.#engine.call('list containers', QUERY_DEADLINE_MS, abortSignal =>
      this.#docker.listContainers({ all: isAll, filters: { label }, abortSignal }),
    )
  }

  async #list(): Promise<readonly ContainerState[]> {
    const listed = await this.#query(ownerFilter(this.#owner), true)
    const states = await Promise.all(listed.map(info => this.#stateOf(info, listed)))
    const ids = new Set(listed.map(info => info.Id))
    for (const id of this.#ended.keys()) if (!ids.has(id)) this.#ended.delete(id)
    this.#memory.keep(ids)
    return states.filter(state => state !== null)
  }

  /** Null when there is nothing to tell: not ours, on its way in, or on its way out. */
  async #stateOf(info: ContainerInfo, listed: readonly ContainerInfo[]): Promise<ContainerState | null> {
    const key = keyOfLabels(info.Labels)
    if (key === null || info.State === 'removing') return null
    if (isLive(info)) return runningState(key, info, addressIn(listed, info))
    if (info.State === 'created') return this.#dropHalfMade(key, info.Id)
    return this.#endedState(key, info.Id)
  }

  /**
   * Left by a program that died between making and starting it: it has never run, so nobody misses it. Without force, for
   * it may have been started since the engine looked; the engine then refuses.
   */
  async #dropHalfMade(key: ContainerKey, id: string): Promise<null> {
    if (!this.#beingStarted.has(idOf(key))) await this.#remove(id, { force: false })
    return null
  }

  async #endedState(key: ContainerKey, id: string): Promise<ContainerState | null> {
    const known = this.#ended.get(id)
    if (known !== undefined) return known
    try {
      const inspected = await this.#engine.call('describe a container', QUERY_DEADLINE_MS, abortSignal =>
        this.#docker.getContainer(id).inspect({ abortSignal }),
      )
      if (mayBeStarved(inspected)) await this.#memory.settled(id)
      const state = exitedState(key, inspected, this.#memory.isTold(id))
      if (!inspected.State.Running) this.#ended.set(id, state)
      return state
    } catch (thrown) {
      if (isStatus(thrown, 404)) return null
      throw failureOfRefusal(thrown, 'describe a container')
    }
  }

  async #start(run: ContainerRun): Promise<ContainerState> {
    const former = await this.#query(keyFilter(run.key), true)
    const running = former.find(isLive)
    if (running !== undefined) return this.#runningOf(run.key, running.Id)
    for (const { Id } of former) await this.#remove(Id)
    const sharedWith = await this.#networkHolder(run)
    const id = idOf(run.key)
    this.#beingStarted.add(id)
    try {
      return await this.#launch(run, createOptions(run, await this.#whatItCan(), sharedWith))
    } finally {
      this.#beingStarted.delete(id)
    }
  }

  async #launch(run: ContainerRun, wanted: ContainerCreateOptions): Promise<ContainerState> {
    imageOf(run)
    const container = await this.#create(nameOf(run), wanted)
    try {
      await this.#commands.assertRunnable(container.id)
      await this.#engine.call('start a container', START_DEADLINE_MS, abortSignal =>
        container.start({ abortSignal }),
      )
    } catch (thrown) {
      const isAnswered = thrown instanceof EngineRefusal || failureOf(thrown).code === 'E_COMMAND_INVALID'
      if (isAnswered) await this.#remove(container.id)
      throw failureOfRefusal(thrown, `start ${run.key.podName}`)
    }
    return this.#runningOf(run.key, container.id)
  }

  async #create(name: string, wanted: ContainerCreateOptions): Promise<Dockerode.Container> {
    const create = () =>
      this.#engine.call('create a container', START_DEADLINE_MS, abortSignal => {
        // Name and body apart: the library would put the whole body into the address as well.
        const parts = { _query: { name }, _body: wanted, abortSignal }
        return this.#docker.createContainer(parts as unknown as ContainerCreateOptions)
      })
    try {
      return await create()
    } catch (thrown) {
      if (!isStatus(thrown, 409)) throw failureOfRefusal(thrown, `create ${name}`)
      throw new Failure('E_NAME_IN_USE', {
        message: `A container named ${name} exists already and is not this pod's.`,
        why: (thrown as Error).message,
        try: `docker rm -f ${name}`,
      })
    }
  }

  /** As it is right after the start; a run that has ended meanwhile is told as ended. */
  async #runningOf(key: ContainerKey, id: string): Promise<ContainerState> {
    const listed = await this.#query(podFilter(key), true)
    const info = listed.find(other => other.Id === id)
    if (info !== undefined && isLive(info)) return runningState(key, info, addressIn(listed, info))
    const ended = await this.#endedState(key, id)
    if (ended !== null) return ended
    throw new Failure('E_NOT_FOUND', `The container of ${key.podName} was removed while it started.`)
  }

  async #networkHolder({ key, pod }: ContainerRun): Promise<string | null> {
    if (key.container === pod.firstContainer) return null
    const first = await this.#query(keyFilter({ ...key, container: pod.firstContainer }), false)
    if (first[0] !== undefined) return first[0].Id
    throw new Failure('E_NOT_FOUND', {
      message: `The container ${key.container} of ${key.podName} has no network to join.`,
      why: `the pod's first container, ${pod.firstContainer}, does not run`,
    })
  }

  async #whatItCan(): Promise<EngineAbilities> {
    if (this.#abilities !== null) return this.#abilities
    const info = await engineInfo(this.#engine)
    this.#abilities = {
      limitsCpu: info.CpuCfsQuota === true,
      limitsMemory: info.MemoryLimit === true,
      limitsPids: info.PidsLimit === true,
    }
    return this.#abilities
  }

  async #stop(key: ContainerKey, graceMs: number): Promise<void> {
    const running = (await this.#query(keyFilter(key), false)).filter(isLive)
    const seconds = Math.ceil(graceMs / 1_000)
    for (const { Id } of running)
      await this.#quietly('stop a container', graceMs + STOP_SLACK_MS, abortSignal =>
        this.#docker.getContainer(Id).stop({ t: seconds, abortSignal } as object),
      )
  }

  async #removeAll(key: ContainerKey): Promise<void> {
    for (const { Id } of await this.#query(keyFilter(key), true)) await this.#remove(Id)
  }

  #remove(id: string, { force } = { force: true }): Promise<void> {
    return this.#quietly('remove a container', REMOVE_DEADLINE_MS, abortSignal =>
      this.#docker.getContainer(id).remove({ force, v: true, abortSignal } as object),
    )
  }

  /** Ends, removals: gone already (404), ended already (304), being removed (409) is what was wanted. */
  async #quietly(
    what: string,
    deadlineMs: number,
    act: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> {
    try {
      await this.#engine.call(what, deadlineMs, act)
    } catch (thrown) {
      if (!isStatus(thrown, 304, 404, 409)) throw failureOfRefusal(thrown, what)
    }
  }

  async #exec(key: ContainerKey, command: readonly string[], timeoutMs: number) {
    const [target] = await this.#query(keyFilter(key), false)
    if (target === undefined) throw notRunning(key)
    return execIn(this.#engine, target.Id, command, { timeoutMs, clock: this.#clock })
  }

  async *#logs(key: ContainerKey, how: Parameters<Runtime['logs']>[1]): AsyncIterable<LogLine> {
    const [target] = await this.#query(keyFilter(key), true)
    if (target !== undefined) yield* logsFrom(this.#engine, target.Id, how)
  }

  #subscribe(listener: (event: RuntimeEvent) => void): () => void {
    this.#listeners.add(listener)
    this.#endWatch ??= watchEngine(this.#engine, {
      owner: this.#owner,
      clock: this.#clock,
      tell: news => void this.#pass(news),
    })
    return () => this.#listeners.delete(listener)
  }

  async #pass(news: EngineNews): Promise<void> {
    if (news.type === 'starved') return this.#memory.told(news.id)
    if (news.type !== 'died') return this.#emit(news)
    const { key, id } = news
    // Only the container itself knows whether memory ran out; without it, the event's own word must do.
    const state = await this.#endedState(key, id).catch(() => null)
    const exitCode = state?.exitCode ?? news.exitCode
    this.#emit({ type: 'exited', key, runtimeId: id, exitCode, outOfMemory: state?.outOfMemory ?? false })
  }

  #emit(event: RuntimeEvent): void {
    for (const listener of [...this.#listeners]) listener(event)
  }
}

const idOf = (key: ContainerKey): string => `${key.pod}/${key.container}`

const imageOf = ({ spec, key }: ContainerRun): string => {
  if (spec.image !== null && spec.image !== '') return spec.image
  throw new Failure('E_IMAGE_MISSING', {
    message: `The container ${key.container} of ${key.podName} names no image.`,
    why: 'this node runs containers of images (docker runtime), not commands of the host',
    try: 'name an image: tutti run --name NAME IMAGE',
  })
}

const notRunning = (key: ContainerKey): Failure =>
  new Failure('E_NOT_FOUND', `The container ${key.container} of ${key.podName} does not run.`)
