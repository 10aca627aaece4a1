/** Views of what users asked for and what runs of it: workloads and pods. */
import {
  countGivenUp,
  countWanted,
  isEnded,
  isReady,
  isRestarting,
  type Pod,
  type State,
  slotKey,
  type Workload,
} from '../../../scheduler/index.ts'
import { nameOfNode } from '../node-name.ts'
import type { Picture } from './picture.ts'
import type { PodView, WorkloadView } from './schema.ts'

const compareNames = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0

/** The kept pods of a workload, oldest first. */
export const podsOfWorkload = (state: State, name: string): readonly Pod[] =>
  [...(state.podsByWorkload.get(name) ?? [])].map(id => state.pods.get(id)!)

export const workloadsView = ({ state }: Pick<Picture, 'state'>): readonly WorkloadView[] =>
  [...state.workloads.values()].map(workload => workloadView(state, workload)).sort(compareNames)

export const workloadView = (state: State, workload: Workload): WorkloadView => {
  const { spec, generation, stopped, pending } = workload
  const pods = podsOfWorkload(state, spec.name)
  const live = pods.filter(pod => !isEnded(pod.state))
  const done = spec.kind === 'batch' ? succeededSlots(pods, generation) : new Set<number>()
  const wanted = countWanted(state, workload)
  const serving = live.filter(pod => isReady(pod) && pod.desired === 'running')
  const good = serving.filter(pod => pod.generation === generation)
  const goodSlots = new Set([...good.map(pod => pod.slot), ...done])
  const isSettled = live.length === good.length && pending.length === 0
  return {
    name: spec.name,
    kind: spec.kind,
    wanted,
    running: live.filter(pod => pod.state === 'running' && !isRestarting(pod)).length,
    healthy: new Set([...serving.map(pod => pod.slot), ...done]).size,
    failed: countGivenUp(state, workload),
    stopped,
    generation,
    isConverged: stopped ? live.length === 0 : isSettled && goodSlots.size === wanted,
    pending: pending.map(({ slot, reason }) => ({ slot, reason })),
    spec,
    modifiedIndex: workload.modifiedIndex,
  }
}

const succeededSlots = (pods: readonly Pod[], generation: number): ReadonlySet<number> =>
  new Set(pods.filter(pod => pod.state === 'succeeded' && pod.generation === generation).map(pod => pod.slot))

export type PodFilter = {
  readonly workload: string | null
  /** Also the ended pods that are still kept. */
  readonly isAll: boolean
}

/** By workload and slot: live pods, slots that wait, and for a wanted slot without either how its last pod ended. */
export const podsView = (picture: Picture, { workload, isAll }: PodFilter): readonly PodView[] => {
  const { state } = picture
  const names = new Set([...state.workloads.keys(), ...state.podsByWorkload.keys()])
  return [...names]
    .filter(name => workload === null || name === workload)
    .sort()
    .flatMap(name => rowsOfWorkload(picture, name, isAll))
}

const rowsOfWorkload = (picture: Picture, name: string, isAll: boolean): readonly PodView[] => {
  const { state } = picture
  const workload = state.workloads.get(name)
  const pods = podsOfWorkload(state, name)
  const pending = (workload?.pending ?? []).map(slot => pendingView(picture, name, slot))
  const pendingSlots = new Set(pending.map(({ slot }) => slot))
  const bySlot = Map.groupBy(pods, pod => pod.slot)
  const shown = [...bySlot].flatMap(([slot, ofSlot]) => {
    if (isAll) return ofSlot
    const live = ofSlot.filter(pod => !isEnded(pod.state))
    const isTold = live.length > 0 || pendingSlots.has(slot) || !isWanted(state, workload, ofSlot)
    return isTold ? live : ofSlot.slice(-1)
  })
  return [...shown.map(pod => podView(picture, pod)), ...pending].sort((a, b) => a.slot - b.slot)
}

/** A slot of a global workload is wanted for as long as its node takes pods. */
const isWanted = (state: State, workload: Workload | undefined, ofSlot: readonly Pod[]): boolean => {
  const last = ofSlot.at(-1)
  if (workload === undefined || workload.stopped || last === undefined) return false
  if (workload.spec.kind !== 'global') return last.slot <= workload.spec.count
  const node = state.nodes.get(last.node)
  return node?.state === 'alive' && node.schedulable
}

const podView = ({ state, nowMs }: Picture, pod: Pod): PodView => ({
  id: pod.id,
  name: slotKey(pod.workload, pod.slot),
  workload: pod.workload,
  slot: pod.slot,
  node: nameOfNode(state, pod.node),
  address: state.nodes.get(pod.node)?.address ?? null,
  state: pod.state,
  health: pod.health,
  restarts: pod.restarts,
  reason: pod.reason,
  generation: pod.generation,
  ports: pod.ports,
  containers: pod.containers,
  ageMs: Math.max(0, nowMs - pod.createdAtMs),
})

const pendingView = (
  { state, nowMs }: Picture,
  workload: string,
  { slot, reason, sinceMs }: Workload['pending'][number],
): PodView => ({
  id: null,
  name: slotKey(workload, slot),
  workload,
  slot,
  node: null,
  address: null,
  state: 'pending',
  health: 'unknown',
  restarts: 0,
  reason,
  generation: state.workloads.get(workload)?.generation ?? 0,
  ports: [],
  containers: [],
  ageMs: Math.max(0, nowMs - sinceMs),
})
