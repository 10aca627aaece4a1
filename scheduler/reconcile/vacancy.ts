/**
 * When an empty slot gets its next pod: now, after a back-off, or never again. Times between pods are counted from
 * creation to creation: creations carry a leader's clock, ends the clock of any node.
 */
import type { Pod } from '../model/pod.ts'
import type { Workload } from '../model/workload.ts'
import type { State } from '../state.ts'
import { isOutdated } from '../succession.ts'
import { ENDED_KEPT_PER_SLOT } from '../tables.ts'
import type { SlotView } from './slot.ts'

/** A slot whose whole kept history failed waits at least this long, whatever the workload's own back-off. */
export const CRASH_LOOP_DELAY_MS_MIN = 1_000

export type Vacancy =
  | { readonly type: 'due'; readonly cause: string }
  | { readonly type: 'later'; readonly atMs: number }
  /** Ran to its end by its own policy; only a new generation runs it again. */
  | { readonly type: 'done'; readonly as: 'succeeded' | 'failed' }

export const judgeVacancy = (state: State, workload: Workload, view: SlotView, nowMs: number): Vacancy => {
  const tried = view.past.filter(pod => !isOutdated(pod, workload))
  const end = workload.spec.kind === 'batch' ? endOfBatch(workload, tried) : endOfService(workload, tried)
  if (end) return { type: 'done', as: end }
  const waitsFor = backoff(workload, tried)
  if (waitsFor) {
    const elapsedMs = nowMs - waitsFor.sinceMs
    // A creation further ahead than the delay was stamped by a leader whose clock was wrong: waiting would never end.
    if (elapsedMs > -waitsFor.delayMs && elapsedMs < waitsFor.delayMs)
      return { type: 'later', atMs: waitsFor.sinceMs + waitsFor.delayMs }
  }
  return { type: 'due', cause: causeOf(state, workload, view.past.at(-1)) }
}

/** `on-failure` accepts a clean exit, `never` any exit. A lost or stopped pod is no exit. */
const endOfService = (workload: Workload, tried: readonly Pod[]): 'succeeded' | 'failed' | null => {
  const { policy } = workload.spec.restart
  const last = tried.at(-1)?.state
  if (last === 'succeeded' && policy !== 'always') return last
  return last === 'failed' && policy === 'never' ? last : null
}

/** Every start of a container counts as an attempt, also those inside one pod; so does, at last, every kept pod. */
const endOfBatch = (workload: Workload, tried: readonly Pod[]): 'succeeded' | 'failed' | null => {
  if (tried.some(pod => pod.state === 'succeeded')) return 'succeeded'
  const failed = tried.filter(pod => pod.state === 'failed')
  const { policy, attemptsMax } = workload.spec.restart
  if (failed.length === 0) return null
  if (policy === 'never') return 'failed'
  if (attemptsMax === null) return null
  const attempts = failed.reduce((sum, pod) => sum + pod.restarts + 1, 0)
  return attempts > attemptsMax || failed.length >= ENDED_KEPT_PER_SLOT ? 'failed' : null
}

/** The delay doubles with each exit in a row; a pod that ran well for `backoffMsMax` starts a new row. */
const backoff = (workload: Workload, tried: readonly Pod[]): { sinceMs: number; delayMs: number } | null => {
  const { backoffMs, backoffMsMax } = workload.spec.restart
  const exits = tried.filter(pod => pod.state === 'failed' || pod.state === 'succeeded')
  const last = exits.at(-1)
  if (!last) return null
  let inRow = 0
  for (const pod of exits.toReversed()) {
    inRow++
    if (backoffMsMax > 0 && pod.stateChangedAtMs - pod.createdAtMs >= backoffMsMax) break
  }
  if (inRow >= ENDED_KEPT_PER_SLOT)
    return { sinceMs: last.createdAtMs, delayMs: Math.max(backoffMsMax, CRASH_LOOP_DELAY_MS_MIN) }
  return { sinceMs: last.createdAtMs, delayMs: Math.min(backoffMsMax, backoffMs * 2 ** (inRow - 1)) }
}

const causeOf = (state: State, workload: Workload, last: Pod | undefined): string => {
  if (!last) return 'scale'
  const node = state.nodes.get(last.node)!
  switch (last.state) {
    case 'lost':
      return node.state === 'alive' ? 'replace lost pod' : `replace ${node.state} node ${node.name}`
    case 'failed':
      return 'replace failed pod'
    case 'succeeded':
      return 'run again'
    default:
      return isOutdated(last, workload) ? 'update' : node.schedulable ? 'scale' : `drain ${node.name}`
  }
}
