/** On the leader: turns what the scheduler wants into commands, one plan at a time, soon after each change of the state. */
import { nextDueMs, type Outcome, PLAN_CHANGES_MAX, type PodId, plan } from '../../scheduler/index.ts'
import type { Behavior, Context } from '../actor/actor.ts'
import type { Consensus } from '../consensus/consensus.ts'
import { failureOf } from '../errors.ts'

export type PlannerDeps = {
  readonly consensus: Pick<Consensus, 'state' | 'subscribe' | 'submit'>
  /** Decides between equal nodes. */
  readonly seed: () => number
}

export type PlannerMessage =
  | { readonly type: 'planner/StateChanged' }
  | { readonly type: 'planner/Plan' }
  | { readonly type: 'planner/Applied'; readonly outcome: Outcome }
  | { readonly type: 'planner/Failed'; readonly thrown: unknown; readonly changeCount: number }

/** Changes come in bursts; one plan answers a whole burst. */
const GATHER_MS = 5
/** Planning takes at most a quarter of the time, however large the cluster: this many times its duration is a pause. */
const PAUSE_FACTOR = 3
/** After a plan that found nothing to do: most changes of a busy state call for none. */
const NOTHING_PAUSE_MS = 25
/** A safety net: planning is triggered by changes and due times. */
const IDLE_MS_MAX = 2_000
const REFUSED_MS = 10
const REFUSED_MS_MAX = 1_000
const FAILED_MS = 100
const SUBMIT_TIMEOUT_MS = 5_000
/** A plan may have as many pending notes again. */
const CHANGES_MAX = 2 * PLAN_CHANGES_MAX

export const plannerActor = ({ consensus, seed }: PlannerDeps): Behavior<PlannerMessage> => {
  let unsubscribe: () => void = () => undefined
  let isNotified = false
  let isSubmitting = false
  let refusedCount = 0
  let notBeforeMs = 0
  /** What fits an entry of the log; each change of a plan holds without those behind it, so its beginning is a plan. */
  let changesMax = CHANGES_MAX
  let planned: { readonly atMs: number; readonly cancel: () => void } | null = null

  /** At the earliest of all times asked for. */
  const planIn = (delayMs: number, ctx: Context<PlannerMessage>): void => {
    const atMs = Math.max(ctx.monotonicMs() + delayMs, notBeforeMs)
    if (planned !== null && planned.atMs <= atMs) return
    planned?.cancel()
    planned = { atMs, cancel: ctx.after(atMs - ctx.monotonicMs(), { type: 'planner/Plan' }) }
  }

  const planNow = (ctx: Context<PlannerMessage>): void => {
    planned = null
    if (isSubmitting) return
    const startedMs = ctx.monotonicMs()
    const nowMs = ctx.wallMs()
    const state = consensus.state()
    const whole = plan(state, { nowMs, seed: seed(), podId: () => randomPodId(ctx) })
    const tookMs = ctx.monotonicMs() - startedMs
    const pauseMs = Math.max(PAUSE_FACTOR * tookMs, whole === null ? NOTHING_PAUSE_MS : 0)
    notBeforeMs = ctx.monotonicMs() + pauseMs
    if (whole === null) {
      const dueMs = nextDueMs(state, nowMs)
      return planIn(dueMs === null ? IDLE_MS_MAX : Math.min(IDLE_MS_MAX, Math.max(0, dueMs - nowMs)), ctx)
    }
    const next = { ...whole, changes: whole.changes.slice(0, changesMax) }
    if (next.changes.length < whole.changes.length) changesMax = Math.min(CHANGES_MAX, 2 * changesMax)
    isSubmitting = true
    ctx.log.debug('plan', { changes: next.changes.length, basedOnIndex: next.basedOnIndex })
    ctx.pipe(
      consensus.submit({ type: 'plan/Apply', atMs: nowMs, plan: next }, { timeoutMs: SUBMIT_TIMEOUT_MS }),
      outcome => ({ type: 'planner/Applied', outcome }),
      thrown => ({ type: 'planner/Failed', thrown, changeCount: next.changes.length }),
    )
  }

  return {
    start(ctx) {
      unsubscribe = consensus.subscribe(() => {
        if (isNotified) return
        isNotified = true
        ctx.self.send({ type: 'planner/StateChanged' })
      })
      planIn(0, ctx)
    },
    stop: () => unsubscribe(),
    receive(message, ctx) {
      switch (message.type) {
        case 'planner/StateChanged':
          isNotified = false
          return planIn(GATHER_MS, ctx)
        case 'planner/Plan':
          return planNow(ctx)
        case 'planner/Applied':
          isSubmitting = false
          refusedCount = message.outcome.ok ? 0 : refusedCount + 1
          if (!message.outcome.ok) ctx.log.debug('plan refused', { reason: message.outcome.refusal.message })
          return planIn(
            message.outcome.ok ? 0 : Math.min(REFUSED_MS_MAX, REFUSED_MS * 2 ** refusedCount),
            ctx,
          )
        case 'planner/Failed': {
          isSubmitting = false
          const failure = failureOf(message.thrown)
          ctx.log.debug('plan not written', { reason: failure.message })
          if (failure.code !== 'E_TOO_LARGE') return planIn(FAILED_MS, ctx)
          changesMax = Math.max(1, Math.floor(message.changeCount / 2))
          return planIn(message.changeCount > 1 ? 0 : FAILED_MS, ctx)
        }
      }
    },
  }
}

/** 80 bits of the injected dice. */
const randomPodId = (ctx: Context<PlannerMessage>): PodId =>
  Array.from({ length: 4 }, () =>
    Math.floor(ctx.random() * 2 ** 20)
      .toString(16)
      .padStart(5, '0'),
  ).join('') as PodId
