/**
 * Carries the pods' reports into the log: batched, the latest of each pod only, repeated until the replicated rows
 * say the same. Reports are idempotent, so sending one twice does no harm and none is given up.
 */
import { isEnded, type NodeId, type Pod, type PodId, type PodReport } from '../../scheduler/index.ts'
import type { Behavior, Context } from '../actor/actor.ts'
import type { Consensus } from '../consensus/consensus.ts'
import { failureOf } from '../errors.ts'

export type ReporterMessage =
  | { readonly type: 'reporter/Report'; readonly report: PodReport }
  | PrivateMessage

type PrivateMessage =
  | { readonly type: 'reporter/Sent'; readonly batch: readonly PodReport[] }
  | { readonly type: 'reporter/SendFailed'; readonly thrown: unknown }
  | { readonly type: 'reporter/Retry' }
  | { readonly type: 'reporter/Compare' }

export type ReporterDeps = {
  readonly self: NodeId
  readonly consensus: Pick<Consensus, 'state' | 'submit'>
}

/** One command carries at most this many reports, so that it stays small. */
const BATCH_MAX = 128
const SUBMIT_TIMEOUT_MS = 5_000
const RETRY_MS = 100
const RETRY_MS_MAX = 3_000
/** How often the rows are compared with what was last reported. */
const COMPARE_INTERVAL_MS = 5_000

export const reporterActor = ({ self, consensus }: ReporterDeps): Behavior<ReporterMessage> => {
  /** The last word on each pod, kept until its row has ended or gone. */
  const latest = new Map<PodId, PodReport>()
  const unsent = new Set<PodId>()
  let isSending = false
  let failures = 0
  /** Less than BATCH_MAX while reports are so long that an entry of the log holds fewer. */
  let batchMax = BATCH_MAX

  const send = (ctx: Context<ReporterMessage>): void => {
    if (isSending || unsent.size === 0) return
    const batch = [...unsent].slice(0, batchMax).flatMap(id => latest.get(id) ?? [])
    isSending = true
    ctx.pipe(
      consensus.submit(
        { type: 'pod/Report', atMs: ctx.wallMs(), node: self, reports: batch },
        { timeoutMs: SUBMIT_TIMEOUT_MS },
      ),
      outcome => {
        if (!outcome.ok) ctx.log.warn('reports were refused', { refusal: outcome.refusal.message })
        return { type: 'reporter/Sent', batch }
      },
      thrown => ({ type: 'reporter/SendFailed', thrown }),
    )
  }

  const sent = (batch: readonly PodReport[]): void => {
    isSending = false
    failures = 0
    batchMax = Math.min(BATCH_MAX, 2 * batchMax)
    // A pod that has reported anew meanwhile stays due.
    for (const report of batch) if (latest.get(report.id) === report) unsent.delete(report.id)
  }

  const retryLater = (thrown: unknown, ctx: Context<ReporterMessage>): void => {
    const failure = failureOf(thrown)
    if (failure.code === 'E_TOO_LARGE') batchMax = Math.max(1, Math.floor(batchMax / 2))
    const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(failures++, 10))
    ctx.log.debug('reports wait', { count: unsent.size, delayMs, error: failure.message })
    ctx.after(delayMs, { type: 'reporter/Retry' })
  }

  const compare = (): void => {
    const { pods } = consensus.state()
    for (const [id, report] of latest) {
      const row = pods.get(id)
      if (row === undefined || isEnded(row.state)) forget(id)
      else if (!saysTheSame(row, report)) unsent.add(id)
    }
  }

  const forget = (id: PodId): void => {
    latest.delete(id)
    unsent.delete(id)
  }

  return {
    start(ctx) {
      ctx.after(COMPARE_INTERVAL_MS, { type: 'reporter/Compare' })
    },
    receive(message, ctx) {
      switch (message.type) {
        case 'reporter/Report':
          latest.set(message.report.id, message.report)
          unsent.add(message.report.id)
          return send(ctx)
        case 'reporter/Sent':
          sent(message.batch)
          return send(ctx)
        case 'reporter/SendFailed':
          return retryLater(message.thrown, ctx)
        case 'reporter/Retry':
          isSending = false
          return send(ctx)
        case 'reporter/Compare':
          compare()
          ctx.after(COMPARE_INTERVAL_MS, message)
          return send(ctx)
        default:
          return unreachable(message)
      }
    },
  }
}

/** Whether the row already shows the report. The leader's reason for a stop outlives reports that have none. */
const saysTheSame = (row: Pod, report: PodReport): boolean =>
  row.restarts >= report.restarts &&
  (row.reason === report.reason || (report.reason === null && row.desired === 'stopped')) &&
  row.state === report.state &&
  row.health === report.health &&
  JSON.stringify(row.containers) === JSON.stringify(report.containers)

const unreachable = (message: never): never => {
  throw new Error(`no reporter message: ${JSON.stringify(message)}`)
}
