/**
 * One pod's life on its node: one-way from assigned to an end. It starts the first container before the others,
 * which share its network, joins their views into one report, and ends when all are done, one has failed, or it is told to.
 */
import assert from 'node:assert'
import {
  isEnded,
  type Node,
  type Pod,
  type PodId,
  type PodReport,
  type PodState,
  type Revision,
} from '../../scheduler/index.ts'
import type { ActorRef, Behavior, Context } from '../actor/actor.ts'
import { messageOf } from '../errors.ts'
import type { ContainerState, Runtime, RuntimeEvent } from '../runtime/runtime.ts'
import { type ContainerFact, type ContainerMessage, containerActor } from './container.actor.ts'
import { keyOf, runOf } from './container-run.ts'
import { type ContainerView, laterState, reportOf, stateOf } from './container-view.ts'
import type { Prober } from './prober.ts'

/** What the agent hears: each change worth a report, and the end (its containers may be forgotten with its row). */
export type PodFact =
  | { readonly type: 'pod/Reported'; readonly report: PodReport }
  | { readonly type: 'pod/Ended'; readonly id: PodId }

export type PodMessage =
  | { readonly type: 'pod/Exited'; readonly event: RuntimeEvent & { readonly type: 'exited' } }
  /** The pod is not wanted any more. `isReported`: false when its row has gone or ended without us. */
  | { readonly type: 'pod/Stop'; readonly isReported: boolean }
  /** The engine answers again. */
  | { readonly type: 'pod/EngineBack' }
  /** Compare with what the runtime really has; now and then, and when events may have been lost. */
  | { readonly type: 'pod/Audit' }
  | ContainerFact
  | PrivateMessage

type PrivateMessage =
  | { readonly type: 'pod/Found'; readonly found: readonly ContainerState[] }
  | { readonly type: 'pod/FindFailed'; readonly thrown: unknown }
  | { readonly type: 'pod/FindAgain' }
  | {
      readonly type: 'pod/Audited'
      readonly asked: ReadonlyMap<string, string | null>
      readonly found: readonly ContainerState[]
    }
  | { readonly type: 'pod/AuditFailed' }

export type PodDeps = {
  readonly cluster: string
  readonly pod: Pod
  /** `stopped`: it is to end. `gone`: it is to end, and nobody waits for a report. Changes come as `pod/Stop`. */
  readonly wish: 'running' | 'stopped' | 'gone'
  readonly node: Node
  /** What it was made from; null when its workload is gone: it is about to be stopped, and only watched until then. */
  readonly revision: Revision | null
  readonly runtime: Runtime
  /** All containers of this node; calls at the same time share one listing. */
  readonly list: () => Promise<readonly ContainerState[]>
  readonly prober: Prober
  readonly owner: ActorRef<PodFact>
  readonly stopGraceMs: number
}

const FIND_RETRY_MS = 1_000

type Member = {
  readonly ref: ActorRef<ContainerMessage>
  view: ContainerView
  hasBegun: boolean
  found: ContainerState | null
}

export const podActor = (deps: PodDeps): Behavior<PodMessage> => {
  const { cluster, pod, node, revision, runtime, owner } = deps
  const members = new Map<string, Member>()
  let state: PodState = isEnded(pod.state) ? 'stopping' : pod.state
  /** Said for the whole pod instead of its containers' sentences. */
  let reason: string | null = null
  let end: 'succeeded' | 'failed' | 'stopped' | null = deps.wish === 'running' ? null : 'stopped'
  let isReported = deps.wish !== 'gone'
  let hasFound = false
  let lastReport = ''

  const views = (): ContainerView[] => [...members.values()].map(member => member.view)

  const report = (): void => {
    if (!isReported) return
    const next = reportOf({ id: pod.id, state, reason }, views())
    const key = JSON.stringify(next)
    if (key === lastReport) return
    lastReport = key
    owner.send({ type: 'pod/Reported', report: next })
  }

  const find = (ctx: Context<PodMessage>): void =>
    ctx.pipe(
      deps.list(),
      found => ({ type: 'pod/Found', found: found.filter(({ key }) => key.pod === pod.id) }),
      thrown => ({ type: 'pod/FindFailed', thrown }),
    )

  /** A container's actor for each of the template, and for what is left of an unknown one. */
  const enlist = (found: readonly ContainerState[], ctx: Context<PodMessage>): void => {
    const specs = revision?.pod.containers ?? []
    const names = new Set([
      ...specs.map(spec => spec.name),
      ...(revision === null ? pod.containers.map(status => status.name) : []),
      ...found.map(({ key }) => key.container),
    ])
    const firstContainer = specs[0]?.name ?? [...names][0] ?? ''
    for (const name of names) {
      const spec = specs.find(candidate => candidate.name === name)
      const run = spec === undefined ? null : runOf({ cluster, node, pod, firstContainer }, spec)
      const before = pod.containers.find(status => status.name === name)
      const create = () =>
        containerActor({
          key: keyOf(cluster, pod, name),
          template:
            run === null || revision === null ? null : { run, spec: run.spec, restart: revision.restart },
          runtime,
          prober: deps.prober,
          owner: ctx.self,
          stopGraceMs: deps.stopGraceMs,
          before: {
            // The row counts per pod; the first container's actor carries the sum on.
            restarts: name === firstContainer ? pod.restarts : 0,
            health: pod.health,
            hasRun: (before?.runtimeId ?? null) !== null,
          },
        })
      // Anew on its own it would wait for a beginning that was said already; the pod finds out what runs.
      const ref = ctx.spawn(name, create, { onCrash: 'escalate' })
      members.set(name, {
        ref,
        view: {
          name,
          image: spec?.image ?? null,
          phase: 'waiting',
          runtimeId: before?.runtimeId ?? null,
          exitCode: null,
          health: pod.health,
          restarts: name === firstContainer ? pod.restarts : 0,
          reason: null,
        },
        hasBegun: false,
        found: found.find(({ key }) => key.container === name) ?? null,
      })
    }
  }

  const begin = (member: Member): void => {
    if (member.hasBegun) return
    member.hasBegun = true
    member.ref.send({ type: 'container/Begin', found: member.found })
  }

  /** The first container begins alone, the others once it runs; what already runs is adopted at once. */
  const beginWhatMay = (): void => {
    const [first, ...others] = members.values()
    if (first === undefined) return
    begin(first)
    const isUp = first.view.phase === 'running' || first.view.phase === 'done'
    for (const member of others) if (isUp || member.found?.state === 'running') begin(member)
  }

  const found = (containers: readonly ContainerState[], ctx: Context<PodMessage>): void => {
    hasFound = true
    reason = null
    enlist(containers, ctx)
    if (end !== null) return stopAll({ isRemoved: true }, ctx)
    if (members.size === 0) {
      end = 'failed'
      reason = 'its workload was removed before it was started'
      return finish(ctx)
    }
    beginWhatMay()
  }

  const stopAll = (options: { readonly isRemoved: boolean }, ctx: Context<PodMessage>): void => {
    const open = [...members.values()].filter(member => options.isRemoved || !isFinal(member.view))
    if (open.length > 0) state = laterState(state, 'stopping')
    report()
    for (const member of open.reverse())
      member.ref.send({ type: 'container/Stop', isRemoved: options.isRemoved })
    finishWhenOver(ctx)
  }

  const finishWhenOver = (ctx: Context<PodMessage>): void => {
    if (end === null) return
    const isOver = (view: ContainerView) => (end === 'stopped' ? view.phase === 'stopped' : isFinal(view))
    if (views().every(isOver)) finish(ctx)
  }

  const finish = (ctx: Context<PodMessage>): void => {
    assert(end !== null && !isEnded(state), 'a pod ends once')
    state = end
    report()
    owner.send({ type: 'pod/Ended', id: pod.id })
    ctx.stop()
  }

  const changed = (view: ContainerView, ctx: Context<PodMessage>): void => {
    const member = members.get(view.name)
    assert(member !== undefined, 'a view comes from one of the pod’s containers')
    const former = member.view
    member.view = view
    if (end !== null) {
      report()
      return finishWhenOver(ctx)
    }
    if (isFirst(view.name)) followFirst(former, view)
    state = laterState(state, stateOf(views()))
    decideEnd(ctx)
    report()
  }

  const isFirst = (name: string): boolean => members.keys().next().value === name

  /** The others live in the first one's network: when that is a new one, they must be new as well. */
  const followFirst = (former: ContainerView, view: ContainerView): void => {
    beginWhatMay()
    const isNewRun = view.phase === 'running' && former.phase !== 'running' && view.restarts > former.restarts
    if (!isNewRun) return
    for (const member of members.values())
      if (member.view.name !== view.name) member.ref.send({ type: 'container/Recycle' })
  }

  const decideEnd = (ctx: Context<PodMessage>): void => {
    const all = views()
    const failed = all.find(view => view.phase === 'failed')
    if (failed !== undefined) {
      end = 'failed'
      reason = all.length === 1 ? failed.reason : `${failed.name}: ${failed.reason}`
      return stopAll({ isRemoved: false }, ctx)
    }
    if (!all.every(view => view.phase === 'done')) return
    end = 'succeeded'
    finish(ctx)
  }

  const stop = (ctx: Context<PodMessage>): void => {
    if (end === 'stopped') return
    end = 'stopped'
    reason = null
    // The row says who wanted it to stop; what was wrong before would hide that.
    for (const member of members.values()) member.view = { ...member.view, reason: null }
    if (hasFound) stopAll({ isRemoved: true }, ctx)
    else {
      state = laterState(state, 'stopping')
      report()
    }
  }

  const audit = (ctx: Context<PodMessage>): void => {
    if (!hasFound || end !== null) return
    const asked = new Map([...members].map(([name, { view }]) => [name, view.runtimeId]))
    ctx.pipe(
      deps.list(),
      containers => ({
        type: 'pod/Audited',
        asked,
        found: containers.filter(({ key }) => key.pod === pod.id),
      }),
      () => ({ type: 'pod/AuditFailed' }),
    )
  }

  const engineBack = (ctx: Context<PodMessage>): void => {
    for (const member of members.values()) member.ref.send({ type: 'container/EngineBack' })
    audit(ctx)
  }

  return {
    start: find,
    receive(message, ctx) {
      switch (message.type) {
        case 'pod/Found':
          return found(message.found, ctx)
        case 'pod/FindFailed':
          reason = messageOf(message.thrown)
          report()
          ctx.after(FIND_RETRY_MS, { type: 'pod/FindAgain' })
          return
        case 'pod/FindAgain':
          return find(ctx)
        case 'pod/Stop':
          isReported = message.isReported
          return stop(ctx)
        case 'pod/Exited': {
          const { key, ...exit } = message.event
          return members.get(key.container)?.ref.send({ ...exit, type: 'container/Exited' })
        }
        case 'pod/EngineBack':
          return engineBack(ctx)
        case 'pod/Audit':
          return audit(ctx)
        case 'pod/Audited':
          for (const [name, member] of members) {
            const current = message.found.find(({ key }) => key.container === name) ?? null
            member.ref.send({
              type: 'container/Audited',
              asked: message.asked.get(name) ?? null,
              found: current,
            })
          }
          return
        case 'pod/AuditFailed':
          return
        case 'container/Changed':
          return changed(message.view, ctx)
        default:
          return unreachable(message)
      }
    },
  }
}

const isFinal = (view: ContainerView): boolean =>
  view.phase === 'done' || view.phase === 'failed' || view.phase === 'stopped'

const unreachable = (message: never): never => {
  throw new Error(`no pod message: ${JSON.stringify(message)}`)
}
