/** Waits until a workload is what was asked for, and shows the way there: a line per pod, in place where a person looks. */
import { setTimeout as pause } from 'node:timers/promises'
import type { PodView, WorkloadView } from '../node/api/native/schema.ts'
import { Failure } from '../node/errors.ts'
import type { Session } from './command.ts'
import { ProgressLines } from './output/progress.ts'
import { elapsed } from './output/time.ts'

const POLL_MS = 200
/** How long nothing may move before that is the answer: a node may be about to join or to free its resources. */
const PATIENCE_MS = 3000
/** Restarts, or starts that failed, after which a pod that is not ready is called failed. */
const ATTEMPTS_MAX = 3
/** How a node words that a container could not be started and when it tries again (node/agent/reasons.ts). */
const RETRY = /; tried again after /
/** Without a health check, running must last this long to be believed. */
const STEADY_MS = 600
const LOST_ANSWERS_MAX = 25

export type Goal = {
  readonly workload: string
  /** Index of the write that is waited for. */
  readonly index: number
}

type Look = { readonly workload: WorkloadView; readonly pods: readonly PodView[] }

const isReady = (pod: PodView): boolean =>
  pod.state === 'succeeded' ||
  (pod.state === 'running' && (pod.health === 'healthy' || pod.health === 'none'))

const isOnTheWay = (pod: PodView): boolean =>
  !isReady(pod) && ['assigned', 'preparing', 'starting', 'running', 'stopping'].includes(pod.state)

/**
 * Resolves with 0 when all wanted pods are ready. Throws Failure: E_PLACEMENT (nothing fits), E_DEPLOY_FAILED (pods
 * fail), E_TIMEOUT; a detached caller (Ctrl-C) is told how to look again and 130 is returned.
 */
export const untilConverged = async (goal: Goal, session: Session): Promise<number> => {
  const startedMs = performance.now()
  const progress = new ProgressLines(session.terminal, session.errorStyle)
  const watch = new Watch(goal)
  try {
    for (;;) {
      const nowMs = performance.now()
      const look = await watch.look(session)
      if (look !== null) {
        progress.show(look.workload, look.pods, nowMs - startedMs)
        if (watch.isDone(look, nowMs)) {
          progress.finish(summaryOf(look, session, nowMs - startedMs))
          return 0
        }
        watch.refuse(look, nowMs)
      }
      await pause(POLL_MS, undefined, { signal: session.signal })
    }
  } catch (thrown) {
    progress.finish(null)
    if (!session.signal.aborted) throw thrown
    if (session.signal.reason instanceof Failure) throw watch.timedOut(session.signal.reason)
    session.terminal.note(
      `detached: ${goal.workload} goes on by itself. Look again: tutti ps -w ${goal.workload}\n`,
    )
    return 130
  }
}

class Watch {
  readonly #goal: Goal
  #last: Look | null = null
  /** Pods that had failed when the wait began: history, unless nothing comes after them. */
  #failedBefore: ReadonlySet<string | null> | null = null
  readonly #retries = new Map<string | null, Set<string>>()
  #stuckSinceMs: number | null = null
  #steady: { readonly sinceMs: number; readonly restarts: number } | null = null
  #lostAnswers = 0

  constructor(goal: Goal) {
    this.#goal = goal
  }

  /** What is there now; null when the node does not know of the write yet, or cannot be reached for a moment. */
  async look(session: Session): Promise<Look | null> {
    try {
      const [workload, pods] = await Promise.all([
        session.client.workload(this.#goal.workload),
        session.client.pods({ workload: this.#goal.workload, all: true }),
      ])
      this.#lostAnswers = 0
      if (workload.modifiedIndex < this.#goal.index && !workload.isConverged) return null
      this.#failedBefore ??= new Set(pods.filter(pod => pod.state === 'failed').map(pod => pod.id))
      this.#last = { workload, pods }
      return this.#last
    } catch (thrown) {
      const isPassing =
        thrown instanceof Failure && ['E_UNREACHABLE', 'E_NO_LEADER', 'E_BUSY'].includes(thrown.code)
      if (!isPassing || ++this.#lostAnswers > LOST_ANSWERS_MAX) throw thrown
      return null
    }
  }

  isDone({ workload, pods }: Look, nowMs: number): boolean {
    if (!workload.isConverged) {
      this.#steady = null
      return false
    }
    if (pods.every(pod => pod.health !== 'none' || pod.state !== 'running')) return true
    const restarts = pods.reduce((sum, pod) => sum + pod.restarts, 0)
    if (this.#steady === null || this.#steady.restarts !== restarts)
      this.#steady = { sinceMs: nowMs, restarts }
    return nowMs - this.#steady.sinceMs >= STEADY_MS
  }

  /** Throws when waiting longer would change nothing. */
  refuse({ workload, pods }: Look, nowMs: number): void {
    const current = pods.filter(pod => pod.generation === workload.generation)
    const unready = current.filter(pod => !current.some(other => other.slot === pod.slot && isReady(other)))
    const failed = unready.find(
      pod =>
        pod.restarts >= ATTEMPTS_MAX ||
        this.#failedStarts(pod) >= ATTEMPTS_MAX ||
        (pod.state === 'failed' && this.#failedBefore?.has(pod.id) !== true),
    )
    if (failed !== undefined) throw deployFailed(workload, failed)
    const left = unready.find(pod => pod.state === 'failed')
    const isStuck = (workload.pending.length > 0 || left !== undefined) && !current.some(isOnTheWay)
    this.#stuckSinceMs = isStuck ? (this.#stuckSinceMs ?? nowMs) : null
    if (this.#stuckSinceMs === null || nowMs - this.#stuckSinceMs < PATIENCE_MS) return
    throw left === undefined ? doesNotFit(workload) : deployFailed(workload, left)
  }

  /** A start that fails is no restart; each try has a reason of its own, since the delay grows. */
  #failedStarts({ id, reason }: PodView): number {
    const told = this.#retries.get(id) ?? new Set()
    this.#retries.set(id, told)
    if (reason !== null && RETRY.test(reason)) told.add(reason)
    return told.size
  }

  timedOut(failure: Failure): Failure {
    const workload = this.#last?.workload
    if (workload === undefined) return failure
    return new Failure('E_TIMEOUT', {
      message: `${workload.name} is not there yet: ${workload.healthy} of ${workload.wanted} healthy`,
      why: failure.message,
      try: `it goes on by itself; look again: tutti ps -w ${workload.name}`,
    })
  }
}

const deployFailed = (workload: WorkloadView, pod: PodView): Failure =>
  new Failure('E_DEPLOY_FAILED', {
    message: `${pod.name} failed${pod.node === null ? '' : ` on ${pod.node}`}`,
    why: pod.reason ?? `it was restarted ${pod.restarts} times and is ${pod.state}`,
    try: `tutti logs ${pod.name} · tutti explain ${pod.name} · tutti rm ${workload.name}`,
  })

const doesNotFit = (workload: WorkloadView): Failure => {
  const [first] = workload.pending
  const more = workload.pending.length - 1
  const name = `${workload.name}.${first?.slot ?? 1}`
  return new Failure('E_PLACEMENT', {
    message: `no node can take ${name}${more > 0 ? ` and ${more} more` : ''}`,
    ...(first === undefined ? {} : { why: first.reason }),
    try: `tutti explain ${name} · it stays wanted and is placed when a node fits`,
  })
}

/** A batch is on its way or over: nobody asks for its health. */
const goodWord = ({ kind, running }: WorkloadView): string => {
  if (kind !== 'batch') return 'healthy'
  return running === 0 ? 'succeeded' : 'started'
}

/** `web 6/6 healthy  (ash ×2, birch ×2, cedar ×2)  4.2s · index 236` */
const summaryOf = ({ workload, pods }: Look, session: Session, tookMs: number): string => {
  const counts = new Map<string, number>()
  for (const pod of pods) {
    if (pod.node === null || pod.generation !== workload.generation || !isReady(pod)) continue
    counts.set(pod.node, (counts.get(pod.node) ?? 0) + 1)
  }
  const nodes = [...counts].sort().map(([node, count]) => (count === 1 ? node : `${node} ×${count}`))
  const where = nodes.length === 0 ? '' : `  (${nodes.join(', ')})`
  const took = `${elapsed(tookMs)} · index ${workload.modifiedIndex}`
  const state = workload.stopped ? 'stopped' : `${workload.healthy}/${workload.wanted} ${goodWord(workload)}`
  return `${session.errorStyle.done} ${workload.name} ${state}${where}  ${took}`
}
