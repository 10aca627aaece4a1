/**
 * What runs containers. Three implementations with one contract suite: docker, process, fake. All methods may be
 * retried: each is idempotent for the same pod and container. Failures: E_RUNTIME_UNAVAILABLE (the engine does not
 * answer; try again later), E_IMAGE_MISSING, E_COMMAND_INVALID, E_PORT_IN_USE (a better try needs another spec).
 */
import type { ContainerSpec, PodPort, RuntimeKind } from '../../scheduler/index.ts'

/** Which container of which pod. Written on the container as labels (or beside the process), so that a restarted node finds it. */
export type ContainerKey = {
  readonly cluster: string
  readonly node: string
  readonly pod: string
  /** For people: `web.2`. */
  readonly podName: string
  readonly container: string
}

export type ContainerRun = {
  readonly key: ContainerKey
  readonly spec: ContainerSpec
  /** The host ports that placement reserved for this container, on `address`. */
  readonly ports: readonly PodPort[]
  /** The address that ports are published on. */
  readonly address: string
  /** The pod's first container, whose network the others share where the runtime can; it publishes all ports of the pod. */
  readonly pod: { readonly firstContainer: string; readonly ports: readonly PodPort[] }
  /** Extra variables (PORT, TUTTI_POD, TUTTI_NODE, …) below those of the spec. */
  readonly env: Readonly<Record<string, string>>
}

export type ContainerState = {
  readonly key: ContainerKey
  /** Container id, or pid with start time; names this very run. */
  readonly runtimeId: string
  readonly state: 'running' | 'exited'
  readonly exitCode: number | null
  /** Killed for using too much memory. */
  readonly outOfMemory: boolean
  readonly startedAtMs: number
  /** Where the container's own ports answer for probes: its address and, by port name, the port there. */
  readonly probe: { readonly address: string; readonly ports: Readonly<Record<string, number>> }
}

export type RuntimeEvent =
  | {
      readonly type: 'exited'
      readonly key: ContainerKey
      readonly runtimeId: string
      readonly exitCode: number | null
      readonly outOfMemory: boolean
    }
  /** The engine stopped answering, or answers again: everything must be listed anew. */
  | { readonly type: 'unavailable'; readonly reason: string }
  | { readonly type: 'available' }

export type LogLine = { readonly atMs: number; readonly stream: 'stdout' | 'stderr'; readonly line: string }

export type Runtime = {
  readonly kind: RuntimeKind
  /** Cores in thousandths and bytes that this machine offers. */
  capacity(): Promise<{ readonly cpuMillis: number; readonly memoryBytes: number }>
  /** Makes what `start` needs exist (image, directories). May take minutes; `signal` gives up. Reports progress as a sentence. */
  prepare(
    run: ContainerRun,
    options: { readonly signal: AbortSignal; progress(text: string): void },
  ): Promise<void>
  /** Starts a new run; a former run of the same key that has exited is removed first, one that still runs is returned as it is. */
  start(run: ContainerRun): Promise<ContainerState>
  /** Asks it to end, and kills it after `graceMs`. Done when it has ended; fine when it never existed. */
  stop(key: ContainerKey, graceMs: number): Promise<void>
  /** Stops it hard if needed and forgets it with its logs; fine when it never existed. */
  remove(key: ContainerKey): Promise<void>
  /** All containers of this cluster and node that the runtime still knows, running or exited. */
  list(): Promise<readonly ContainerState[]>
  /** Runs a command inside a running container for a health check; output is cut at 4 KiB. */
  exec(
    key: ContainerKey,
    command: readonly string[],
    options: { readonly timeoutMs: number },
  ): Promise<{ readonly exitCode: number; readonly output: string }>
  /** `follow` ends when the container does or `signal` aborts. `tail` lines from the end first; null: all. */
  logs(
    key: ContainerKey,
    options: { readonly follow: boolean; readonly tail: number | null; readonly signal: AbortSignal },
  ): AsyncIterable<LogLine>
  /** Called for every later event until the returned function is called. */
  subscribe(listener: (event: RuntimeEvent) => void): () => void
  /** Releases sockets and watchers; containers run on. */
  close(): Promise<void>
}
