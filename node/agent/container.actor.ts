/**
 * One container of one pod: prepares, starts, watches, restarts and stops it. One runtime call at a time; what is
 * wanted meanwhile (`isStopping`) is obeyed when the call has answered, so that nothing is left running behind.
 */
import type { ContainerSpec, Health, RestartPolicy } from '../../scheduler/index.ts'
import type { ActorRef, Behavior, Context } from '../actor/actor.ts'
import { failureOf } from '../errors.ts'
import type { ContainerKey, ContainerRun, ContainerState, Runtime } from '../runtime/runtime.ts'
import type { ContainerPhase, ContainerView } from './container-view.ts'
import { type ProbeFact, probeActor } from './probe.actor.ts'
import type { Prober } from './prober.ts'
import { againText, exitText, lastRunText } from './reasons.ts'
import { engineDelayMs, isExhausted, restartDelayMs, type Sequel, sequelOf } from './restart.ts'

/** Told to the pod whenever anything a person could see has changed. */
export type ContainerFact = { readonly type: 'container/Changed'; readonly view: ContainerView }

export type ContainerMessage =
  /** Once, first: what the runtime knows of it already, if anything. */
  | { readonly type: 'container/Begin'; readonly found: ContainerState | null }
  /** What the runtime knew at some moment after `asked` (the run that was current then). */
  | {
      readonly type: 'container/Audited'
      readonly asked: string | null
      readonly found: ContainerState | null
    }
  | {
      readonly type: 'container/Exited'
      readonly runtimeId: string
      readonly exitCode: number | null
      readonly outOfMemory: boolean
    }
  /** Start a new run at once, because the one whose network it shares is a new one. */
  | { readonly type: 'container/Recycle' }
  /** The engine answers again: what waits for it need not wait longer. */
  | { readonly type: 'container/EngineBack' }
  | { readonly type: 'container/Stop'; readonly isRemoved: boolean }
  | ProbeFact
  | PrivateMessage

type PrivateMessage =
  | { readonly type: 'container/Progressed'; readonly text: string }
  | { readonly type: 'container/Prepared' }
  | { readonly type: 'container/Started'; readonly state: ContainerState }
  | { readonly type: 'container/Refused'; readonly thrown: unknown }
  | { readonly type: 'container/Halted'; readonly then: 'restart' | 'stopped' }
  | { readonly type: 'container/HaltFailed'; readonly then: 'restart' | 'stopped'; readonly thrown: unknown }
  | { readonly type: 'container/Due'; readonly turn: number }
  | { readonly type: 'container/Settled'; readonly runtimeId: string }

export type ContainerDeps = {
  readonly key: ContainerKey
  /** Null when the template is gone: what runs is watched and stopped, but never started or checked. */
  readonly template: {
    readonly run: ContainerRun
    readonly spec: ContainerSpec
    readonly restart: RestartPolicy
  } | null
  readonly runtime: Runtime
  readonly prober: Prober
  readonly owner: ActorRef<ContainerFact>
  readonly stopGraceMs: number
  /** What the replicated row says from before this program started. */
  readonly before: { readonly restarts: number; readonly health: Health; readonly hasRun: boolean }
}

export const containerActor = (deps: ContainerDeps): Behavior<ContainerMessage> => {
  const { key, template, runtime, prober, owner, stopGraceMs } = deps
  let phase: ContainerPhase = 'waiting'
  let current: ContainerState | null = null
  let exitCode: number | null = null
  let health: Health = 'unknown'
  let reason: string | null = null
  /** How the last run ended, until the next has run well; and why the last try gave no run, until one does. */
  let fault: string | null = null
  let refusal: string | null = null
  let totalRestarts = deps.before.restarts
  let restartsSinceWell = 0
  let isStopping = false
  let isRemoved = false
  /** A runtime call is under way. */
  let isBusy = false
  let retries = 0
  /** Grows with each wait, so that a timer of a former one is ignored. */
  let turn = 0
  let preparing: AbortController | null = null
  let probe: ActorRef<never> | null = null
  let probeCount = 0
  /** An exit that was told before the start's own answer arrived. */
  let earlyExit: (ContainerMessage & { type: 'container/Exited' }) | null = null
  /** The next start replaces a run that has been, so it counts as a restart. */
  let isRestart = deps.before.hasRun

  const show = (): void =>
    owner.send({
      type: 'container/Changed',
      view: {
        name: key.container,
        image: template?.spec.image ?? null,
        phase,
        runtimeId: current?.runtimeId ?? null,
        exitCode,
        health,
        restarts: totalRestarts,
        reason,
      },
    })

  const enter = (next: ContainerPhase, why: string | null): void => {
    phase = next
    reason = why
    show()
  }

  const waitFor = (delayMs: number, ctx: Context<ContainerMessage>): void => {
    ctx.after(delayMs, { type: 'container/Due', turn: ++turn })
  }

  const begin = (ctx: Context<ContainerMessage>): void => {
    if (template === null) return enter('failed', 'its workload was removed before it was started')
    turn++
    isBusy = true
    preparing = new AbortController()
    enter('preparing', refusal ?? fault)
    const progress = (text: string) => ctx.self.send({ type: 'container/Progressed', text })
    ctx.pipe(
      runtime.prepare(template.run, { signal: preparing.signal, progress }),
      () => ({ type: 'container/Prepared' }),
      thrown => ({ type: 'container/Refused', thrown }),
    )
  }

  const launch = (ctx: Context<ContainerMessage>): void => {
    if (template === null) return
    isBusy = true
    earlyExit = null
    enter('starting', refusal ?? fault)
    ctx.pipe(
      runtime.start(template.run),
      state => ({ type: 'container/Started', state }),
      thrown => ({ type: 'container/Refused', thrown }),
    )
  }

  const runs = (state: ContainerState, isAdopted: boolean, ctx: Context<ContainerMessage>): void => {
    current = state
    exitCode = null
    retries = 0
    refusal = null
    const check = template?.spec.health ?? null
    if (isAdopted && deps.before.health === 'healthy') health = 'healthy'
    // Nobody checks it any more, so what was found out last stands: an update may leave it here for long.
    else if (template === null) health = deps.before.health
    else health = check === null ? 'none' : 'starting'
    enter('running', fault)
    settleLater(state.runtimeId, ctx)
    if (check === null) return
    const target = { key, ...state.probe }
    const probeDeps = { check, target, runtimeId: state.runtimeId, prober, owner: ctx.self }
    probe = ctx.spawn(`probe-${++probeCount}`, () => probeActor(probeDeps))
  }

  const settleLater = (runtimeId: string, ctx: Context<ContainerMessage>): void => {
    const wellMs = template?.restart.backoffMsMax ?? 0
    if (wellMs > 0) ctx.after(wellMs, { type: 'container/Settled', runtimeId })
  }

  const settled = (runtimeId: string, ctx: Context<ContainerMessage>): void => {
    if (phase !== 'running' || current?.runtimeId !== runtimeId) return
    if (health !== 'healthy' && health !== 'none') return settleLater(runtimeId, ctx)
    restartsSinceWell = 0
    fault = null
    enter('running', null)
  }

  const endProbe = (ctx: Context<ContainerMessage>): void => {
    if (probe !== null) ctx.stop(probe)
    probe = null
  }

  const ended = (code: number | null, why: string, ctx: Context<ContainerMessage>): void => {
    endProbe(ctx)
    exitCode = code
    const sequel: Sequel =
      template !== null
        ? sequelOf(template.restart, code, restartsSinceWell)
        : code === 0
          ? 'succeeded'
          : 'failed'
    if (sequel === 'restart') {
      fault = lastRunText(why)
      again(why, ctx)
      return
    }
    health = sequel === 'succeeded' ? 'none' : 'unhealthy'
    enter(sequel === 'succeeded' ? 'done' : 'failed', sequel === 'succeeded' ? null : why)
  }

  /** Waits for the next try; returns what is said meanwhile. */
  const again = (why: string, ctx: Context<ContainerMessage>): string => {
    const delayMs = template === null ? 0 : restartDelayMs(template.restart, restartsSinceWell)
    restartsSinceWell++
    isRestart = isRestart || current !== null
    health = current === null ? 'unknown' : 'unhealthy'
    const said = againText(why, delayMs)
    enter('delayed', said)
    waitFor(delayMs, ctx)
    return said
  }

  const refused = (thrown: unknown, ctx: Context<ContainerMessage>): void => {
    const failure = failureOf(thrown)
    const why = failure.why === undefined ? failure.message : `${failure.message} ${failure.why}`
    if (failure.code === 'E_RUNTIME_UNAVAILABLE') {
      enter('waiting', why)
      return waitFor(engineDelayMs(retries++), ctx)
    }
    const policy = template?.restart
    const isHopeless = failure.code === 'E_COMMAND_INVALID' && policy?.policy === 'never'
    if (policy === undefined || isHopeless || isExhausted(policy, restartsSinceWell)) {
      health = 'unhealthy'
      return enter('failed', why)
    }
    current = null
    refusal = again(why, ctx)
  }

  const halt = (then: 'restart' | 'stopped', ctx: Context<ContainerMessage>): void => {
    endProbe(ctx)
    turn++
    isBusy = true
    // Who wanted the stop says why; what was wrong before is no reason any more.
    if (then === 'stopped') enter('stopping', phase === 'stopping' ? reason : null)
    const isForgotten = then === 'stopped' && isRemoved
    const work = runtime.stop(key, stopGraceMs).then(() => (isForgotten ? runtime.remove(key) : undefined))
    ctx.pipe(
      work,
      () => ({ type: 'container/Halted', then }),
      thrown => ({ type: 'container/HaltFailed', then, thrown }),
    )
  }

  const judge = (fact: ProbeFact, ctx: Context<ContainerMessage>): void => {
    if (phase !== 'running' || isBusy || fact.runtimeId !== current?.runtimeId) return
    if (fact.verdict === 'healthy') {
      health = 'healthy'
      return enter('running', fault)
    }
    if (fact.verdict === 'failing') return enter('running', `not healthy yet: ${fact.text}`)
    health = 'unhealthy'
    enter('running', `health check failed: ${fact.text}`)
    halt('restart', ctx)
  }

  const halted = (then: 'restart' | 'stopped', ctx: Context<ContainerMessage>): void => {
    if (isStopping && then === 'restart') return halt('stopped', ctx)
    if (then === 'stopped') {
      health = 'unknown'
      return enter('stopped', null)
    }
    // Whatever the code was, the run was ended because it was not well.
    ended(null, reason ?? 'health check failed', ctx)
  }

  const exited = (
    message: ContainerMessage & { type: 'container/Exited' },
    ctx: Context<ContainerMessage>,
  ) => {
    if (phase === 'starting') earlyExit = message
    const isCurrent = phase === 'running' && !isBusy && message.runtimeId === current?.runtimeId
    if (isCurrent) ended(message.exitCode, exitText(message.exitCode, message.outOfMemory), ctx)
  }

  /** Compares with a listing: catches an exit whose event was lost while the engine or this program was away. */
  const audit = (
    asked: string | null,
    found: ContainerState | null,
    ctx: Context<ContainerMessage>,
  ): void => {
    if (phase !== 'running' || isBusy || current === null || current.runtimeId !== asked) return
    if (found === null) return ended(null, 'the container is gone', ctx)
    if (found.state === 'exited')
      return ended(found.exitCode, exitText(found.exitCode, found.outOfMemory), ctx)
    if (found.runtimeId === asked) return
    // A start of a former life of this program arrived late and took the place.
    endProbe(ctx)
    runs(found, true, ctx)
  }

  const adopt = (found: ContainerState | null, ctx: Context<ContainerMessage>): void => {
    if (isStopping) return halt('stopped', ctx)
    if (found === null) return begin(ctx)
    isRestart = true
    if (found.state === 'running') return runs(found, true, ctx)
    current = found
    ended(found.exitCode, exitText(found.exitCode, found.outOfMemory), ctx)
  }

  const started = (state: ContainerState, ctx: Context<ContainerMessage>): void => {
    if (isRestart) totalRestarts++
    isRestart = true
    runs(state, false, ctx)
    const early = earlyExit?.runtimeId === state.runtimeId ? earlyExit : null
    earlyExit = null
    if (early !== null) exited(early, ctx)
    else if (state.state === 'exited') ended(state.exitCode, exitText(state.exitCode, state.outOfMemory), ctx)
  }

  /** A runtime call has answered: a stop that was asked for meanwhile comes before anything else. */
  const answered = (ctx: Context<ContainerMessage>, proceed: () => void): void => {
    isBusy = false
    preparing = null
    if (isStopping) halt('stopped', ctx)
    else proceed()
  }

  const stopNow = (ctx: Context<ContainerMessage>): void => {
    isStopping = true
    preparing?.abort()
    if (!isBusy) halt('stopped', ctx)
  }

  const due = (ctx: Context<ContainerMessage>): void => {
    if (isStopping) return halt('stopped', ctx)
    if (phase === 'running') return halt('restart', ctx)
    begin(ctx)
  }

  const engineBack = (ctx: Context<ContainerMessage>): void => {
    const isWaiting = (phase === 'waiting' && turn > 0) || phase === 'stopping'
    if (isWaiting && !isBusy) due(ctx)
  }

  const recycle = (ctx: Context<ContainerMessage>): void => {
    if (phase !== 'running' || isBusy) return
    reason = 'restarted with the first container of its pod'
    halt('restart', ctx)
  }

  const haltFailed = (
    message: ContainerMessage & { type: 'container/HaltFailed' },
    ctx: Context<ContainerMessage>,
  ) => {
    isBusy = false
    enter(phase, failureOf(message.thrown).message)
    waitFor(engineDelayMs(retries++), ctx)
  }

  return {
    receive(message, ctx) {
      switch (message.type) {
        case 'container/Begin':
          return adopt(message.found, ctx)
        case 'container/Audited':
          return audit(message.asked, message.found, ctx)
        case 'container/Exited':
          return exited(message, ctx)
        case 'container/Recycle':
          return recycle(ctx)
        case 'container/EngineBack':
          return engineBack(ctx)
        case 'container/Stop':
          isRemoved = message.isRemoved
          return stopNow(ctx)
        case 'container/Progressed':
          return phase === 'preparing' && !isStopping ? enter('preparing', message.text) : undefined
        case 'container/Prepared':
          return answered(ctx, () => launch(ctx))
        case 'container/Started':
          return answered(ctx, () => started(message.state, ctx))
        case 'container/Refused':
          return answered(ctx, () => refused(message.thrown, ctx))
        case 'container/Halted':
          isBusy = false
          return halted(message.then, ctx)
        case 'container/HaltFailed':
          return haltFailed(message, ctx)
        case 'container/Due':
          return message.turn === turn && !isBusy ? due(ctx) : undefined
        case 'container/Settled':
          return settled(message.runtimeId, ctx)
        case 'probe/Verdict':
          return judge(message, ctx)
        default:
          return unreachable(message)
      }
    },
    stop() {
      preparing?.abort()
    },
  }
}

const unreachable = (message: never): never => {
  throw new Error(`no container message: ${JSON.stringify(message)}`)
}
