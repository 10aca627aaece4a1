/** What a command would do, found out on a copy of the state: the scheduler's own plan, in words. Writes nothing. */
import {
  apply,
  type Change,
  type Command,
  isEnded,
  type Plan,
  type PodId,
  plan,
  restoreState,
  type State,
  slotKey,
  snapshotOf,
} from '../../../scheduler/index.ts'
import { Failure } from '../../errors.ts'
import { nameOfNode } from '../node-name.ts'
import type { WriteResult } from './schema.ts'
import { podsOfWorkload } from './view-workloads.ts'

type Apply = Extract<Command, { type: 'workload/Apply' }>
const REQUEST_ID = 'dry-run'
const LINES_MAX = 50

/** Throws the state machine's refusal. Only the first step of a rolling update is told: later ones depend on its pods. */
export const dryRun = (state: State, command: Apply): Omit<WriteResult, 'apiVersion'> => {
  const copy = restoreState(snapshotOf(state))
  const { name } = command.spec
  const { outcome, events } = apply(
    copy,
    { requestId: REQUEST_ID, command },
    { index: state.index + 1, term: state.term },
  )
  if (!outcome.ok) {
    const { code, message, facts } = outcome.refusal
    throw new Failure(code, message, { facts })
  }
  if (events.length === 0) return { index: state.index, changed: false, message: `${name}: no changes` }
  const verb = state.workloads.has(name) ? 'changed' : 'created'
  const lines = [...rolloutLines(copy, name), ...linesOf(copy, planOf(copy, command), name)]
  const shown =
    lines.length > LINES_MAX ? [...lines.slice(0, LINES_MAX), `and ${lines.length - LINES_MAX} more`] : lines
  return { index: state.index, changed: true, message: [`${name} would be ${verb}`, ...shown].join('\n') }
}

const rolloutLines = (copy: State, name: string): readonly string[] => {
  const { generation, spec } = copy.workloads.get(name)!
  const replaced = podsOfWorkload(copy, name).filter(
    pod => !isEnded(pod.state) && pod.desired === 'running' && pod.generation < generation,
  )
  if (replaced.length === 0) return []
  const { parallelism, order } = spec.update
  const pods = replaced.length === 1 ? '1 pod is' : `${replaced.length} pods are`
  return [`${pods} replaced, ${parallelism} at a time (${order}); first:`]
}

const planOf = (copy: State, { atMs }: Apply): Plan | null => {
  let count = 0
  return plan(copy, { nowMs: atMs, seed: copy.index, podId: () => `dry-run-${++count}` as PodId })
}

const linesOf = (copy: State, found: Plan | null, name: string): readonly string[] =>
  (found?.changes ?? []).flatMap(change => lineOf(copy, change, name))

const lineOf = (copy: State, change: Change, name: string): readonly string[] => {
  switch (change.type) {
    case 'start': {
      const { workload, slot, node } = change.pod
      return workload === name ? [`start ${slotKey(workload, slot)} on ${nameOfNode(copy, node)}`] : []
    }
    case 'stop':
    case 'lose': {
      const pod = copy.pods.get(change.pod)
      return pod?.workload === name
        ? [`stop ${slotKey(name, pod.slot)} on ${nameOfNode(copy, pod.node)}: ${change.reason}`]
        : []
    }
    case 'pend':
      return change.workload === name
        ? change.slots.map(({ slot, reason }) => `${slotKey(name, slot)} would wait: ${reason}`)
        : []
  }
}
