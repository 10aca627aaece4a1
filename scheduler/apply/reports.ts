/** What nodes say about their own pods. Late, repeated and foreign reports are ignored: they are no news. */
import { isSame } from '../canonical.ts'
import type { Command, PodReport } from '../commands.ts'
import { isEnded, mayMove } from '../lifecycle.ts'
import type { Pod } from '../model/pod.ts'
import { slotKey, type Tables, updatePod } from '../tables.ts'
import { type Step, tell, type Verdict } from './step.ts'

type Report = Extract<Command, { type: 'pod/Report' }>

export const reportPods = (tables: Tables, { node, reports }: Report, step: Step): Verdict => {
  for (const report of reports) {
    const pod = tables.pods.get(report.id)
    if (!pod || pod.node !== node || !mayMove(pod.state, report.state, 'node')) continue
    const next = merge(pod, report, step)
    if (!isNews(pod, next)) continue
    updatePod(tables, { ...next, modifiedIndex: step.index })
    tellDifference(pod, next, step)
  }
  return null
}

/** The leader's reason for a stop outlives reports that have none. */
const merge = (pod: Pod, report: PodReport, step: Step): Pod => ({
  ...pod,
  state: report.state,
  health: report.health,
  restarts: Math.max(pod.restarts, report.restarts),
  reason: report.reason ?? (pod.desired === 'stopped' ? pod.reason : null),
  containers: report.containers,
  stateChangedAtMs: report.state === pod.state ? pod.stateChangedAtMs : step.atMs,
})

const isNews = (before: Pod, after: Pod): boolean =>
  before.state !== after.state ||
  before.health !== after.health ||
  before.restarts !== after.restarts ||
  before.reason !== after.reason ||
  !isSame(before.containers, after.containers)

const tellDifference = (before: Pod, after: Pod, step: Step): void => {
  const subject = `pod/${slotKey(after.workload, after.slot)}`
  const text = after.reason ?? ''
  if (after.restarts > before.restarts) tell(step, subject, 'restarted', text)
  if (after.state !== before.state) tell(step, subject, after.state, text)
  const isTelling = after.health === 'healthy' || after.health === 'unhealthy'
  if (after.health !== before.health && isTelling && !isEnded(after.state))
    tell(step, subject, after.health, text)
}
