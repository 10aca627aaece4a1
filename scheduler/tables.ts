/** The writable face of the state: the only functions that change a table, keeping every secondary index true. */
import assert from 'node:assert'
import { emptyTrails, type WritableTrails } from './audit/trail.ts'
import type { Outcome } from './commands.ts'
import { isEnded } from './lifecycle.ts'
import type { Cluster, Token } from './model/access.ts'
import type { Node, NodeId } from './model/node.ts'
import type { Pod, PodId } from './model/pod.ts'
import type { Workload } from './model/workload.ts'
import type { State } from './state.ts'

/**
 * After this many other requests, one that its first node sends again is refused, for it is no longer recognised. A client
 * that starts anew with the same id after so long has it applied again.
 */
export const REQUESTS_KEPT_MAX = 10_000
/** Ids of departed nodes that are still refused; with more, the oldest could join again, given a token. */
export const DEPARTED_KEPT_MAX = 10_000
/** Ended pods kept for each slot that is still wanted, newest first to stay; one for a slot beyond the count. */
export const ENDED_KEPT_PER_SLOT = 5

export type Tables = {
  index: number
  term: number
  cluster: Cluster | null
  readonly nodes: Map<NodeId, Node>
  readonly departed: Map<NodeId, string>
  readonly tokens: Map<string, Token>
  readonly workloads: Map<string, Workload>
  readonly pods: Map<PodId, Pod>
  readonly podsByWorkload: Map<string, Set<PodId>>
  readonly podsBySlot: Map<string, Set<PodId>>
  readonly podsByNode: Map<NodeId, Set<PodId>>
  readonly requests: Map<string, Outcome>
  forgottenIndex: number
  audit: WritableTrails
}

/** `web.2`: the name of a slot, and of its pod for people. */
export const slotKey = (workload: string, slot: number): string => `${workload}.${slot}`

export const emptyTables = (): Tables => ({
  index: 0,
  term: 0,
  cluster: null,
  nodes: new Map(),
  departed: new Map(),
  tokens: new Map(),
  workloads: new Map(),
  pods: new Map(),
  podsByWorkload: new Map(),
  podsBySlot: new Map(),
  podsByNode: new Map(),
  requests: new Map(),
  forgottenIndex: 0,
  audit: emptyTrails(),
})

export const emptyState = (): State => emptyTables()

/** `apply` and `advance` alone may call this: everybody else holds the read-only face of the same object. */
export const tablesOf = (state: State): Tables => state as Tables

const addTo = <K>(index: Map<K, Set<PodId>>, key: K, id: PodId): void => {
  const ids = index.get(key)
  if (ids) ids.add(id)
  else index.set(key, new Set([id]))
}

const removeFrom = <K>(index: Map<K, Set<PodId>>, key: K, id: PodId): void => {
  const ids = index.get(key)
  if (!ids?.delete(id)) return
  if (ids.size === 0) index.delete(key)
}

export const insertPod = (tables: Tables, pod: Pod): void => {
  assert(!tables.pods.has(pod.id), 'a pod id is used once')
  tables.pods.set(pod.id, pod)
  addTo(tables.podsByWorkload, pod.workload, pod.id)
  addTo(tables.podsBySlot, slotKey(pod.workload, pod.slot), pod.id)
  if (!isEnded(pod.state)) addTo(tables.podsByNode, pod.node, pod.id)
}

const deletePod = (tables: Tables, pod: Pod): void => {
  tables.pods.delete(pod.id)
  removeFrom(tables.podsByWorkload, pod.workload, pod.id)
  removeFrom(tables.podsBySlot, slotKey(pod.workload, pod.slot), pod.id)
  removeFrom(tables.podsByNode, pod.node, pod.id)
}

/** Replaces a row. An ended pod frees its node's index; it is forgotten at once when its workload is gone. */
export const updatePod = (tables: Tables, pod: Pod): void => {
  const before = tables.pods.get(pod.id)
  assert(before !== undefined && !isEnded(before.state), 'only a live pod changes')
  assert(before.node === pod.node && before.slot === pod.slot, 'a pod never moves')
  tables.pods.set(pod.id, pod)
  if (!isEnded(pod.state)) return
  removeFrom(tables.podsByNode, pod.node, pod.id)
  forgetRevision(tables, pod)
  forgetEnded(tables, pod)
}

/** Whether a pod of that generation has not ended. */
export const hasLivePod = (state: State, workload: string, generation: number): boolean => {
  for (const id of state.podsByWorkload.get(workload) ?? []) {
    const pod = state.pods.get(id)!
    if (pod.generation === generation && !isEnded(pod.state)) return true
  }
  return false
}

/** The template of an older generation goes with the last of its pods. */
const forgetRevision = (tables: Tables, { workload: name, generation }: Pod): void => {
  const workload = tables.workloads.get(name)
  if (!workload?.past.some(past => past.generation === generation)) return
  if (hasLivePod(tables, name, generation)) return
  const past = workload.past.filter(other => other.generation !== generation)
  tables.workloads.set(name, { ...workload, past })
}

const forgetEnded = (tables: Tables, ended: Pod): void => {
  const workload = tables.workloads.get(ended.workload)
  if (!workload) return deletePod(tables, ended)
  const isWanted = workload.spec.kind === 'global' || ended.slot <= workload.spec.count
  const keptMax = isWanted ? ENDED_KEPT_PER_SLOT : 1
  const kept = podsOfSlot(tables, ended.workload, ended.slot).filter(pod => isEnded(pod.state))
  for (const pod of kept.slice(0, Math.max(0, kept.length - keptMax))) deletePod(tables, pod)
}

/** The kept pods of a slot, oldest first. */
export const podsOfSlot = (state: State, workload: string, slot: number): Pod[] =>
  rowsOf(state, state.podsBySlot.get(slotKey(workload, slot)))

/** The kept pods of a workload, oldest first. */
export const podsOfWorkload = (state: State, workload: string): Pod[] =>
  rowsOf(state, state.podsByWorkload.get(workload))

/** The pods of a node that have not ended. */
export const podsOfNode = (state: State, node: NodeId): Pod[] => rowsOf(state, state.podsByNode.get(node))

const rowsOf = (state: State, ids: Iterable<PodId> | undefined): Pod[] => {
  const rows: Pod[] = []
  for (const id of ids ?? []) rows.push(state.pods.get(id)!)
  return rows
}

/** Forgets the ended pods of a workload that was just removed. */
export const forgetWorkload = (tables: Tables, name: string): void => {
  for (const pod of podsOfWorkload(tables, name)) if (isEnded(pod.state)) deletePod(tables, pod)
}

/**
 * Where each table of requests has got to in forgetting. A fresh iterator would have to step over thousands of places that
 * were deleted and not yet cleared away, every time; one that is kept stands behind them.
 */
const oldestRequests = new WeakMap<Tables['requests'], Iterator<[string, Outcome]>>()

export const rememberRequest = (tables: Tables, requestId: string, outcome: Outcome): void => {
  const { requests } = tables
  requests.set(requestId, outcome)
  if (requests.size <= REQUESTS_KEPT_MAX) return
  const oldest = oldestRequests.get(requests) ?? requests.entries()
  oldestRequests.set(requests, oldest)
  while (requests.size > REQUESTS_KEPT_MAX) {
    const [forgotten, { index }] = oldest.next().value as [string, Outcome]
    requests.delete(forgotten)
    tables.forgottenIndex = index
  }
}
