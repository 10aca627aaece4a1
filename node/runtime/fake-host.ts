/** A virtual machine's containers for simulation: they live on an injected clock and outlive the node program. */
import type { Clock } from '../clock.ts'
import { type ErrorCode, Failure } from '../errors.ts'
import type { ContainerKey, ContainerRun, ContainerState, LogLine, RuntimeEvent } from './runtime.ts'

/** How one run of one container behaves. All times are milliseconds on the injected clock. */
export type FakeBehavior = {
  readonly prepareMs: number
  readonly startMs: number
  readonly failure: {
    readonly at: 'prepare' | 'start'
    readonly code: ErrorCode
    readonly message: string
  } | null
  /** Null: it runs until it is stopped. */
  readonly exit: {
    readonly afterMs: number
    readonly code: number
    readonly outOfMemory: boolean
  } | null
  /** How long it needs to end when asked; more than the grace, and it is killed. */
  readonly stopMs: number
  /** What a health check finds `elapsedMs` after the start. */
  isHealthy(elapsedMs: number): boolean
  exec(
    command: readonly string[],
    elapsedMs: number,
  ): { readonly exitCode: number; readonly output: string; readonly tookMs: number }
  /** Written when it starts. */
  readonly lines: readonly { readonly stream: 'stdout' | 'stderr'; readonly line: string }[]
}

/** Chooses a behaviour from the run and from how often this host has started this very container before. */
export type BehaviorOf = (run: ContainerRun, startCount: number) => FakeBehavior

/** Starts in 50 ms, is healthy after 100 ms and never ends by itself. */
export const steadyBehavior: FakeBehavior = {
  prepareMs: 10,
  startMs: 50,
  failure: null,
  exit: null,
  stopMs: 20,
  isHealthy: elapsedMs => elapsedMs >= 100,
  exec: () => ({ exitCode: 0, output: '', tookMs: 1 }),
  lines: [{ stream: 'stdout', line: 'started' }],
}

export type FakeContainer = {
  readonly run: ContainerRun
  readonly behavior: FakeBehavior
  readonly state: ContainerState
  readonly startedAtMonotonicMs: number
  readonly lines: readonly LogLine[]
}

export type FakeHostOptions = {
  readonly clock: Clock
  readonly behaviorOf: BehaviorOf
  readonly capacity: { readonly cpuMillis: number; readonly memoryBytes: number }
}

const SIGTERM_CODE = 143
const SIGKILL_CODE = 137

/** `pod/container`, unique on one host. */
export const idOf = (key: ContainerKey): string => `${key.pod}/${key.container}`

/**
 * The machine below the fake runtime. It keeps containers while the node program is down; `crash` is the death of
 * the machine: everything on it is gone, without events, and what was under way never answers.
 */
export class FakeHost {
  readonly clock: Clock
  readonly capacity: FakeHostOptions['capacity']
  readonly #behaviorOf: BehaviorOf
  readonly #containers = new Map<string, FakeContainer>()
  readonly #startCounts = new Map<string, number>()
  readonly #listeners = new Set<(event: RuntimeEvent) => void>()
  #isAvailable = true
  #runCount = 0
  /** Grows with each crash, so that what an earlier life began is recognised and dropped. */
  #life = 0

  constructor(options: FakeHostOptions) {
    this.clock = options.clock
    this.capacity = options.capacity
    this.#behaviorOf = options.behaviorOf
  }

  /** Everything the host knows, running or exited, in the order of the last start. */
  containers(): readonly FakeContainer[] {
    return [...this.#containers.values()]
  }

  find(key: ContainerKey): FakeContainer | null {
    return this.#containers.get(idOf(key)) ?? null
  }

  /** What a health check would find now; a container that does not run is not healthy. */
  isHealthy(key: ContainerKey): boolean {
    const container = this.find(key)
    if (!this.#isAvailable || container?.state.state !== 'running') return false
    return container.behavior.isHealthy(this.clock.monotonicMs() - container.startedAtMonotonicMs)
  }

  subscribe(listener: (event: RuntimeEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The engine stops or resumes answering; containers run on meanwhile. */
  setAvailable(isAvailable: boolean): void {
    if (this.#isAvailable === isAvailable) return
    this.#isAvailable = isAvailable
    this.#emit(isAvailable ? { type: 'available' } : { type: 'unavailable', reason: 'the engine is off' })
  }

  /** Ends a running container from outside, as a crash or the kernel would. */
  kill(key: ContainerKey, exitCode: number, outOfMemory = false): void {
    this.#end(key, this.find(key)?.state.runtimeId ?? '', exitCode, outOfMemory)
  }

  /** The machine dies. */
  crash(): void {
    this.#life++
    this.#containers.clear()
    this.#listeners.clear()
    this.#isAvailable = true
  }

  assertAvailable(): void {
    if (this.#isAvailable) return
    throw new Failure('E_RUNTIME_UNAVAILABLE', {
      message: 'The container engine does not answer.',
      why: 'it is switched off',
    })
  }

  /** The behaviour that the next start of this container would have. */
  nextBehavior(run: ContainerRun): FakeBehavior {
    return this.#behaviorOf(run, this.#startCounts.get(idOf(run.key)) ?? 0)
  }

  /** Resolves after `delayMs`, unless the machine has died since. */
  wait(delayMs: number): Promise<void> {
    const life = this.#life
    return new Promise(resolve => {
      this.clock.after(delayMs, () => {
        if (this.#life === life) resolve()
      })
    })
  }

  launch(run: ContainerRun, behavior: FakeBehavior): ContainerState {
    const id = idOf(run.key)
    this.#startCounts.set(id, (this.#startCounts.get(id) ?? 0) + 1)
    const runtimeId = `fake-${++this.#runCount}`
    const startedAtMs = this.clock.wallMs()
    const ports = Object.fromEntries(run.ports.map(port => [port.name, port.host]))
    const state: ContainerState = {
      key: run.key,
      runtimeId,
      state: 'running',
      exitCode: null,
      outOfMemory: false,
      startedAtMs,
      probe: { address: run.address, ports },
    }
    const lines = behavior.lines.map(line => ({ atMs: startedAtMs, ...line }))
    this.#containers.delete(id)
    this.#containers.set(id, {
      run,
      behavior,
      state,
      startedAtMonotonicMs: this.clock.monotonicMs(),
      lines,
    })
    if (behavior.exit !== null) this.#scheduleExit(run.key, runtimeId, behavior.exit)
    return state
  }

  async halt(key: ContainerKey, graceMs: number): Promise<void> {
    const container = this.find(key)
    if (container?.state.state !== 'running') return
    const isObedient = container.behavior.stopMs <= graceMs
    await this.wait(isObedient ? container.behavior.stopMs : graceMs)
    this.#end(key, container.state.runtimeId, isObedient ? SIGTERM_CODE : SIGKILL_CODE, false)
  }

  forget(key: ContainerKey): void {
    this.#containers.delete(idOf(key))
  }

  #scheduleExit(key: ContainerKey, runtimeId: string, exit: NonNullable<FakeBehavior['exit']>): void {
    const life = this.#life
    this.clock.after(exit.afterMs, () => {
      if (this.#life === life) this.#end(key, runtimeId, exit.code, exit.outOfMemory)
    })
  }

  #end(key: ContainerKey, runtimeId: string, exitCode: number, outOfMemory: boolean): void {
    const container = this.find(key)
    if (container?.state.runtimeId !== runtimeId || container.state.state !== 'running') return
    this.#containers.set(idOf(key), {
      ...container,
      state: { ...container.state, state: 'exited', exitCode, outOfMemory },
    })
    this.#emit({ type: 'exited', key: container.run.key, runtimeId, exitCode, outOfMemory })
  }

  #emit(event: RuntimeEvent): void {
    // An engine that does not answer sends no events either; its return makes everybody list anew.
    if (!this.#isAvailable && event.type === 'exited') return
    for (const listener of [...this.#listeners]) listener(event)
  }
}
