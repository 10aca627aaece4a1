/**
 * Runs the pods that the node's own replica assigns to it, one actor each, and sees to it that nothing else of this
 * cluster and node runs in the runtime. It reads and reports; which pods there are is decided elsewhere.
 */
import { isEnded, type NodeId, type Pod, type PodId, revisionOf } from '../../scheduler/index.ts'
import type { ActorRef, Behavior, Context, SpawnOptions } from '../actor/actor.ts'
import type { Consensus } from '../consensus/consensus.ts'
import { messageOf } from '../errors.ts'
import type { ContainerState, Runtime, RuntimeEvent } from '../runtime/runtime.ts'
import { sharedListing } from './listing.ts'
import { type PodFact, type PodMessage, podActor } from './pod.actor.ts'
import type { Prober } from './prober.ts'
import { type ReporterMessage, reporterActor } from './reporter.actor.ts'

export type AgentMessage =
  /** The replica has caught up with the cluster at least once since this program started. */
  { readonly type: 'agent/Ready' } | PrivateMessage

type PrivateMessage =
  | { readonly type: 'agent/StateChanged' }
  | { readonly type: 'agent/RuntimeTold'; readonly event: RuntimeEvent }
  | { readonly type: 'agent/Patrol' }
  | { readonly type: 'agent/Listed'; readonly found: readonly ContainerState[] }
  | { readonly type: 'agent/Swept'; readonly failures: readonly string[] }
  | PodFact

export type AgentDeps = {
  readonly self: NodeId
  readonly consensus: Pick<Consensus, 'state' | 'subscribe' | 'submit'>
  readonly runtime: Runtime
  readonly prober: Prober
  /** Whether `agent/Ready` may be taken as already said (after a restart of this actor). */
  readonly isReady: () => boolean
  /** How long a container has to end by itself when it is stopped. */
  readonly stopGraceMs: number
}

/** Every pod of the node may speak at once, and an engine that comes back tells of all its containers. */
export const AGENT_SPAWN: SpawnOptions = { mailboxMax: 16_384 }

/** Everything is compared with the runtime this often, whatever events said. */
const PATROL_INTERVAL_MS = 30_000
/** A sweep that could not stop or remove something is repeated after this. */
const SWEEP_RETRY_MS = 2_000

type Child = { readonly ref: ActorRef<PodMessage>; isStopping: boolean; hasEnded: boolean }

export const agentActor = (deps: AgentDeps): Behavior<AgentMessage> => {
  const { self, consensus, runtime } = deps
  /** Pods of this node that run, or have ended here while their row does not show it yet. */
  const children = new Map<PodId, Child>()
  /** Ended pods whose containers are kept for their logs until the row is forgotten. */
  const remains = new Set<PodId>()
  const list = sharedListing(runtime)
  let reporter: ActorRef<ReporterMessage> | null = null
  let unsubscribes: readonly (() => void)[] = []
  let isReady = false
  let isChangeTold = false
  let isSweeping = false
  let isSweepDue = false

  const reconcile = (ctx: Context<AgentMessage>): void => {
    if (!isReady) return
    const state = consensus.state()
    for (const id of state.podsByNode.get(self) ?? []) {
      const pod = state.pods.get(id)
      if (pod !== undefined) attend(pod, ctx)
    }
    for (const [id, child] of children) {
      const row = state.pods.get(id)
      const isGone = row === undefined || isEnded(row.state)
      if (!isGone) continue
      if (child.hasEnded) bury(id)
      else if (!child.isStopping) stop(child, { isReported: false })
    }
    for (const id of remains) if (!state.pods.has(id)) isSweepDue = remains.delete(id)
    if (isSweepDue) sweep(ctx)
  }

  const attend = (pod: Pod, ctx: Context<AgentMessage>): void => {
    const child = children.get(pod.id) ?? employ(pod, ctx)
    if (child !== null && pod.desired === 'stopped' && !child.isStopping) stop(child, { isReported: true })
  }

  const employ = (pod: Pod, ctx: Context<AgentMessage>): Child | null => {
    const state = consensus.state()
    const node = state.nodes.get(self)
    const cluster = state.cluster?.id
    if (node === undefined || cluster === undefined) return null
    const ref = ctx.spawn(pod.id, () =>
      podActor({
        cluster,
        // After a crash of the pod's actor the row is newer than at its first start.
        pod: consensus.state().pods.get(pod.id) ?? pod,
        wish: wishFor(consensus.state().pods.get(pod.id)),
        node,
        revision: revisionOf(consensus.state().workloads.get(pod.workload), pod.generation),
        runtime,
        list,
        prober: deps.prober,
        owner: ctx.self,
        stopGraceMs: deps.stopGraceMs,
      }),
    )
    const child: Child = { ref, isStopping: pod.desired === 'stopped', hasEnded: false }
    children.set(pod.id, child)
    return child
  }

  const stop = (child: Child, options: { readonly isReported: boolean }): void => {
    child.isStopping = true
    child.ref.send({ type: 'pod/Stop', ...options })
  }

  const podEnded = (id: PodId): void => {
    const child = children.get(id)
    if (child === undefined) return
    child.hasEnded = true
    const row = consensus.state().pods.get(id)
    if (row === undefined || isEnded(row.state)) bury(id)
  }

  const bury = (id: PodId): void => {
    children.delete(id)
    if (consensus.state().pods.has(id)) remains.add(id)
    else isSweepDue = true
  }

  const sweep = (ctx: Context<AgentMessage>): void => {
    if (isSweeping || !isReady) return
    isSweeping = true
    isSweepDue = false
    ctx.pipe(
      list(),
      found => ({ type: 'agent/Listed', found }),
      thrown => ({ type: 'agent/Swept', failures: [messageOf(thrown)] }),
    )
  }

  /** What is done with a container that no pod's actor looks after. */
  const fateOf = (container: ContainerState): 'keep' | 'stop' | 'remove' => {
    const id = container.key.pod as PodId
    if (children.has(id)) return 'keep'
    const row = consensus.state().pods.get(id)
    if (row === undefined || row.node !== self) return 'remove'
    if (!isEnded(row.state)) return 'keep'
    if (row.state === 'lost' || row.state === 'stopped') return 'remove'
    remains.add(id)
    return container.state === 'running' ? 'stop' : 'keep'
  }

  const clear = (found: readonly ContainerState[], ctx: Context<AgentMessage>): void => {
    const work = found.map(async container => {
      const fate = fateOf(container)
      if (fate === 'keep') return
      ctx.log.info('a container that is not wanted here is ended', {
        pod: container.key.podName,
        container: container.key.container,
        fate,
      })
      await runtime.stop(container.key, deps.stopGraceMs)
      if (fate === 'remove') await runtime.remove(container.key)
    })
    const failuresOf = (results: readonly PromiseSettledResult<void>[]): readonly string[] =>
      results.flatMap(result => (result.status === 'rejected' ? [messageOf(result.reason)] : []))
    ctx.pipe(
      Promise.allSettled(work),
      results => ({ type: 'agent/Swept', failures: failuresOf(results) }),
      thrown => ({ type: 'agent/Swept', failures: [messageOf(thrown)] }),
    )
  }

  const swept = (failures: readonly string[], ctx: Context<AgentMessage>): void => {
    isSweeping = false
    if (failures.length > 0) {
      ctx.log.warn('some containers could not be ended yet', { count: failures.length, first: failures[0] })
      isSweepDue = true
      ctx.after(SWEEP_RETRY_MS, { type: 'agent/StateChanged' })
    } else if (isSweepDue) sweep(ctx)
  }

  const patrol = (ctx: Context<AgentMessage>): void => {
    for (const child of children.values()) child.ref.send({ type: 'pod/Audit' })
    sweep(ctx)
  }

  const runtimeTold = (event: RuntimeEvent, ctx: Context<AgentMessage>): void => {
    switch (event.type) {
      case 'exited':
        return children.get(event.key.pod as PodId)?.ref.send({ type: 'pod/Exited', event })
      case 'unavailable':
        return ctx.log.warn('the container engine does not answer', { reason: event.reason })
      case 'available':
        for (const child of children.values()) child.ref.send({ type: 'pod/EngineBack' })
        return sweep(ctx)
    }
  }

  return {
    start(ctx) {
      reporter = ctx.spawn('reporter', () => reporterActor({ self, consensus }))
      unsubscribes = [
        consensus.subscribe(() => {
          if (isChangeTold) return
          isChangeTold = true
          ctx.self.send({ type: 'agent/StateChanged' })
        }),
        runtime.subscribe(event => ctx.self.send({ type: 'agent/RuntimeTold', event })),
      ]
      ctx.after(PATROL_INTERVAL_MS, { type: 'agent/Patrol' })
      if (deps.isReady()) ctx.self.send({ type: 'agent/Ready' })
    },
    receive(message, ctx) {
      switch (message.type) {
        case 'agent/Ready':
          isReady = true
          isSweepDue = true
          return reconcile(ctx)
        case 'agent/StateChanged':
          isChangeTold = false
          return reconcile(ctx)
        case 'agent/RuntimeTold':
          return runtimeTold(message.event, ctx)
        case 'agent/Patrol':
          ctx.after(PATROL_INTERVAL_MS, message)
          return patrol(ctx)
        case 'agent/Listed':
          return clear(message.found, ctx)
        case 'agent/Swept':
          return swept(message.failures, ctx)
        case 'pod/Reported':
          return reporter?.send({ type: 'reporter/Report', report: message.report })
        case 'pod/Ended':
          return podEnded(message.id)
        default:
          return unreachable(message)
      }
    },
    stop() {
      for (const unsubscribe of unsubscribes) unsubscribe()
    },
  }
}

const wishFor = (row: Pod | undefined): 'running' | 'stopped' | 'gone' =>
  row === undefined || isEnded(row.state) ? 'gone' : row.desired

const unreachable = (message: never): never => {
  throw new Error(`no agent message: ${JSON.stringify(message)}`)
}
