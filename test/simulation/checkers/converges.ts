/**
 * Once faults stop, every workload comes to what was asked: one leader, equal replicas, nothing left to plan, and on the
 * machines exactly the healthy containers that the state asks for, so no slot has two owners.
 */
import { countWanted, isReady, nextDueMs, type Pod, plan, type State } from '../../../scheduler/index.ts'
import type { Machine } from '../machine.ts'
import type { Check } from './checker.ts'
import { membershipProblem } from './membership.ts'
import type { View } from './view.ts'

const ENDED: ReadonlySet<string> = new Set(['succeeded', 'failed', 'stopped', 'lost'])

export const converges: Check = fail => ({
  name: 'converges',
  atEnd(world) {
    const problem = unsettled(world)
    if (problem !== null) fail(problem)
  },
})

/** What is not yet as it should be, or null. Cheap things are looked at first. */
export const unsettled = (world: View): string | null => {
  const idle = world.machines.find(machine => machine.node?.isReady() !== true)
  if (idle !== undefined) return `${idle.id} has not come back to its cluster`
  return leadershipProblem(world) ?? replicaProblem(world) ?? membershipProblem(world) ?? workProblem(world)
}

const leadershipProblem = (world: View): string | null => {
  const { machines } = world
  const statuses = machines.flatMap(({ node }) => (node === null ? [] : [node.consensus.status()]))
  const leaders = statuses.filter(({ role }) => role === 'leader')
  if (leaders.length !== 1) return `${leaders.length} nodes lead`
  const doubter = statuses.find(({ leader, hasQuorum }) => leader !== leaders[0]?.id || !hasQuorum)
  if (doubter !== undefined) return `${doubter.id} knows no leader with a quorum`
  // Until then it answers no read, changes no membership, and does not know itself what is committed.
  const hasCommitted = world.leader()?.node?.consensus.state().term === leaders[0]?.term
  return hasCommitted ? null : `${leaders[0]?.id} leads and has committed nothing in its term`
}

const replicaProblem = ({ machines }: View): string | null => {
  const indexes = new Set(machines.map(({ node }) => node?.consensus.state().index))
  return indexes.size === 1 ? null : `replicas are at entries ${[...indexes].join(', ')}`
}

const workProblem = (world: View): string | null => {
  const leader = world.leader()
  if (leader === null || leader.node === null) return 'nobody leads'
  const state = leader.node.consensus.state()
  const nowMs = leader.clock.wallMs()
  const due = plan(state, { nowMs, seed: 1, podId: () => 'nobody' as Pod['id'] })
  if (due !== null) return `the leader has not planned ${JSON.stringify(due.changes[0])}`
  if (nextDueMs(state, nowMs) !== null) return 'a slot waits for the end of its back-off'
  const live = [...state.pods.values()].filter(pod => !ENDED.has(pod.state))
  const restless = live.find(pod => !isSettled(pod, state))
  if (restless !== undefined)
    return `${restless.workload}.${restless.slot} on ${restless.node} is ${restless.state}, ${restless.health}, wanted ${restless.desired}: ${restless.reason}`
  for (const workload of state.workloads.values()) {
    if (workload.spec.kind === 'batch') continue
    const own = live.filter(pod => pod.workload === workload.spec.name)
    const missing = countWanted(state, workload) - own.length - workload.pending.length
    if (missing > 0) return `${missing} pods of ${workload.spec.name} are missing`
  }
  for (const machine of world.machines) {
    const problem = containerProblem(machine, live)
    if (problem !== null) return problem
  }
  return null
}

/** Ready and of the latest generation; or outdated, while the update waits for room: nobody checks the health of such a pod. */
const isSettled = (pod: Pod, state: State): boolean => {
  const workload = state.workloads.get(pod.workload)
  if (workload === undefined || pod.desired === 'stopped' || workload.spec.kind === 'batch') return false
  if (pod.generation !== workload.generation) return workload.pending.length > 0 && pod.state === 'running'
  return isReady(pod)
}

const containerProblem = (machine: Machine, live: readonly Pod[]): string | null => {
  const wanted = new Map(live.filter(pod => pod.node === machine.id).map(pod => [pod.id as string, pod]))
  for (const { state } of machine.host.containers()) {
    if (state.state !== 'running') continue
    const pod = wanted.get(state.key.pod)
    if (pod === undefined) return `${state.key.podName} (${state.key.pod}) runs on ${machine.id} unasked`
    if (pod.health === 'healthy' && !machine.host.isHealthy(state.key))
      return `${state.key.podName} on ${machine.id} is not healthy`
    wanted.delete(state.key.pod)
  }
  const [missing] = wanted.values()
  return missing === undefined ? null : `${missing.workload}.${missing.slot} does not run on ${machine.id}`
}
