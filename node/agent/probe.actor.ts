/** Watches the health of one run of one container: when to ask, and how often no must be heard before it counts. */
import type { HealthCheck } from '../../scheduler/index.ts'
import type { ActorRef, Behavior, Context } from '../actor/actor.ts'
import type { ProbeResult, Prober, ProbeTarget } from './prober.ts'

/** What the owner hears: the first success and each recovery; the verdict; and why it is not healthy so far. */
export type ProbeFact = { readonly type: 'probe/Verdict'; readonly runtimeId: string } & (
  | { readonly verdict: 'healthy' }
  | { readonly verdict: 'failing' | 'unhealthy'; readonly text: string }
)

/** Private: an answer came back, or it is time to ask again. */
type ProbeMessage =
  | { readonly type: 'probe/Answered'; readonly result: ProbeResult }
  | { readonly type: 'probe/Due' }

export type ProbeDeps = {
  readonly check: HealthCheck
  readonly target: ProbeTarget
  /** Names the run, so that a verdict about a former one is recognised. */
  readonly runtimeId: string
  readonly prober: Prober
  readonly owner: ActorRef<ProbeFact>
}

/** Until the first success questions come this quickly, so that a start is noticed within a fraction of a second. */
const QUICK_INTERVAL_MS = 150
/** Quick questions end with the start period, or after this where that is shorter. */
const QUICK_PERIOD_MS = 10_000

export const probeActor = (deps: ProbeDeps): Behavior<ProbeMessage> => {
  const { check, target, runtimeId, prober, owner } = deps
  let startedAtMs = 0
  let hasSucceeded = false
  let isHealthy = false
  let failureCount = 0
  let countedAtMs = Number.NEGATIVE_INFINITY
  let told = ''

  const ask = (ctx: Context<ProbeMessage>): void =>
    ctx.pipe(
      prober.probe(check, target),
      result => ({ type: 'probe/Answered', result }),
      thrown => ({ type: 'probe/Answered', result: { ok: false, text: String(thrown) } }),
    )

  const tell = (fact: { verdict: 'healthy' } | { verdict: 'failing' | 'unhealthy'; text: string }): void => {
    const key = JSON.stringify(fact)
    if (key === told) return
    told = key
    owner.send({ type: 'probe/Verdict', runtimeId, ...fact })
  }

  const succeed = (): void => {
    hasSucceeded = true
    isHealthy = true
    failureCount = 0
    tell({ verdict: 'healthy' })
  }

  /** A failure counts once per interval and never within the start period, however quickly the questions come. */
  const fail = (text: string, nowMs: number): void => {
    const isStarting = !hasSucceeded && nowMs - startedAtMs < check.startPeriodMs
    const isCounted = !isStarting && (hasSucceeded || nowMs - countedAtMs >= check.intervalMs)
    if (isCounted) {
      failureCount++
      countedAtMs = nowMs
    }
    if (failureCount >= check.threshold) {
      isHealthy = false
      tell({ verdict: 'unhealthy', text: `${text} (${failureCount} times)` })
    } else if (!isHealthy) tell({ verdict: 'failing', text })
  }

  const nextDelayMs = (nowMs: number): number => {
    const isQuick = !hasSucceeded && nowMs - startedAtMs < Math.max(check.startPeriodMs, QUICK_PERIOD_MS)
    return isQuick ? Math.min(check.intervalMs, QUICK_INTERVAL_MS) : check.intervalMs
  }

  return {
    start(ctx) {
      startedAtMs = ctx.monotonicMs()
      ask(ctx)
    },
    receive(message, ctx) {
      if (message.type === 'probe/Due') return ask(ctx)
      const nowMs = ctx.monotonicMs()
      if (message.result.ok) succeed()
      else fail(message.result.text, nowMs)
      ctx.after(nextDelayMs(nowMs), { type: 'probe/Due' })
    },
  }
}
