/** Everything the API needs from the rest of the node, injected by the composition root. */
import type { Member } from '../../gossip/index.ts'
import type { Author, PodId, RuntimeKind } from '../../scheduler/index.ts'
import type { ActorStatus } from '../actor/actor.ts'
import type { Clock } from '../clock.ts'
import type { Consensus } from '../consensus/consensus.ts'
import type { Log } from '../log.ts'
import type { LogLine } from '../runtime/runtime.ts'
import type { Transport } from '../transport/transport.ts'
import type { Sighting } from './audit-notes.ts'

export type LocalLogLine = LogLine & { readonly container: string }

export type LogOptions = {
  /** Stay open for later lines until the pod ends. */
  readonly follow: boolean
  /** That many lines from the end first; null: all that is kept. */
  readonly tail: number | null
  readonly signal: AbortSignal
}

/**
 * Log lines of a pod that this node runs, oldest first; `container` null: of all its containers. Asked for the next
 * line only when the last was taken, so it must not read ahead without bound. Throws Failure: E_NOT_FOUND when the
 * pod is not known here any more, E_RUNTIME_UNAVAILABLE.
 */
export type LocalLogs = (
  podId: PodId,
  container: string | null,
  options: LogOptions,
) => AsyncIterable<LocalLogLine>

/** Whether the container runtime answers now: a sentence for people either way. */
export type RuntimeHealth = { readonly isReachable: boolean; readonly text: string }

/** Who this node is; fixed for the life of the process. */
export type NodeFacts = {
  /** Its peer id. */
  readonly id: string
  readonly name: string
  readonly version: string
  readonly runtime: RuntimeKind
  /** On the monotonic clock. */
  readonly startedAtMs: number
  readonly dataDirectory: string
}

export type ApiDeps = {
  readonly node: NodeFacts
  readonly consensus: Consensus
  readonly transport: Pick<Transport, 'call' | 'onCall' | 'connected' | 'missing'>
  /** What gossip believes now, this node included. */
  members(): readonly Member[]
  /** Why each node votes or does not, by node id; true on the leader only. */
  seats(): ReadonlyMap<string, string>
  /** Counters of the live actors. */
  actors(): readonly ActorStatus[]
  readonly localLogs: LocalLogs
  /**
   * Moves this node's work away, says farewell, and ends the process some time after it has resolved (the reply is
   * sent first, `stop` waits for it). Throws Failure, E_NO_QUORUM among them, and then the node stays.
   */
  leave(by: Author): Promise<void>
  /** For the audit trail: what happens here and is no command. */
  note(sighting: Sighting): void
  runtimeHealth(): Promise<RuntimeHealth>
  /** The longest recent delay of the event loop. */
  loopLagMs(): number
  readonly clock: Clock
  /** For request ids: unguessable, at least 128 bits. */
  randomId(): string
  readonly log: Log
}

export type ApiOptions = {
  /** Absolute path of the unix socket; its callers are local admins. */
  readonly socketPath: string
  /** `HOST:PORT` for callers with a token (port 0: any), with TLS unless it is a loopback one; null: the unix socket only. */
  readonly listen: string | null
  /** Further names under which browsers and clients may address this node. */
  readonly hostNames: readonly string[]
}
