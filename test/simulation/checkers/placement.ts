/**
 * Nothing is placed where it may not be: when a pod is created its node is alive and takes work, its slot is wanted and has no
 * other live owner but one that it may replace, and its ports and resources are free. Only a pod's own node reports on it.
 */
import type { Node, Pod, State, Workload } from '../../../scheduler/index.ts'
import type { Committed } from '../history.ts'
import type { Check } from './checker.ts'

const ENDED: ReadonlySet<string> = new Set(['succeeded', 'failed', 'stopped', 'lost'])

const isLive = (pod: Pod): boolean => !ENDED.has(pod.state)

export const placement: Check = fail => ({
  name: 'placement',
  committed({ entry, request, state }) {
    if (request?.command.type === 'pod/Report') return judgeReport({ entry, request, state }, fail)
    if (request?.command.type !== 'plan/Apply') return
    const live = [...state.pods.values()].filter(isLive)
    for (const pod of live) {
      if (pod.createdIndex !== entry.index) continue
      const problem = problemOf(pod, live, state)
      if (problem !== null) fail(`entry ${entry.index} placed ${pod.workload}.${pod.slot}: ${problem}`)
    }
    for (const pod of state.pods.values()) {
      if (pod.state !== 'lost' || pod.modifiedIndex !== entry.index) continue
      if (state.nodes.get(pod.node)?.state === 'alive')
        fail(`entry ${entry.index} gave up ${pod.workload}.${pod.slot}, whose node ${pod.node} is alive`)
    }
  },
})

const judgeReport = (
  {
    entry,
    request,
    state,
  }: Pick<Committed, 'entry' | 'state'> & { request: NonNullable<Committed['request']> },
  fail: (what: string) => void,
): void => {
  const { command } = request
  if (command.type !== 'pod/Report') return
  for (const { id } of command.reports) {
    const pod = state.pods.get(id)
    if (pod?.modifiedIndex === entry.index && pod.node !== command.node)
      fail(
        `entry ${entry.index}: ${command.node} reported on ${pod.workload}.${pod.slot}, which is ${pod.node}'s`,
      )
  }
}

const problemOf = (pod: Pod, live: readonly Pod[], state: State): string | null => {
  const node = state.nodes.get(pod.node)
  const workload = state.workloads.get(pod.workload)
  if (node === undefined || node.state !== 'alive') return `its node ${pod.node} is not alive`
  if (!node.schedulable) return `its node ${pod.node} is drained`
  if (workload === undefined || workload.stopped) return 'nobody wants it'
  if (workload.spec.kind !== 'global' && pod.slot > workload.spec.count) return 'its slot is not wanted'
  const rival = live.find(
    other =>
      other.id !== pod.id &&
      other.workload === pod.workload &&
      other.slot === pod.slot &&
      !mayGiveWay(other, pod, workload, state.nodes.get(other.node)),
  )
  if (rival !== undefined)
    return `${rival.id} on ${rival.node} holds the slot (${rival.state}, wanted ${rival.desired})`
  return roomProblem(pod, live, node)
}

/** A start-first update of an older pod, or a service's move off a drained node. */
const mayGiveWay = (other: Pod, pod: Pod, workload: Workload, node: Node | undefined): boolean => {
  if (other.desired === 'stopped') return false
  const { kind, update } = workload.spec
  const isUpdate = other.generation < pod.generation && update.order === 'start-first' && kind !== 'batch'
  const isMove = kind === 'service' && node?.state === 'alive' && !node.schedulable
  return isUpdate || isMove
}

const roomProblem = (pod: Pod, live: readonly Pod[], node: Node): string | null => {
  const beside = live.filter(other => other.node === pod.node)
  const cpuMillis = beside.reduce((sum, other) => sum + other.resources.cpuMillis, 0)
  const memoryBytes = beside.reduce((sum, other) => sum + other.resources.memoryBytes, 0)
  if (pod.resources.cpuMillis > 0 && cpuMillis > node.capacity.cpuMillis)
    return `${pod.node} has too few cores`
  if (pod.resources.memoryBytes > 0 && memoryBytes > node.capacity.memoryBytes)
    return `${pod.node} has too little memory`
  for (const { host, protocol } of pod.ports) {
    const holders = beside.filter(other =>
      other.ports.some(port => port.host === host && port.protocol === protocol),
    )
    if (holders.length > 1) return `port ${host}/${protocol} of ${pod.node} is taken`
  }
  return null
}
