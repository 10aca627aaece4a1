/** The state as plain data and back: what snapshots carry and what hashes are made of. */
import assert from 'node:assert'
import { restoreTrails, type TrailsData, trailsData } from './audit/trail.ts'
import { canonicalText, compareText } from './canonical.ts'
import type { Outcome } from './commands.ts'
import { hashText } from './dice.ts'
import type { Cluster, Token } from './model/access.ts'
import type { Node, NodeId } from './model/node.ts'
import type { Pod } from './model/pod.ts'
import type { Workload } from './model/workload.ts'
import type { State } from './state.ts'
import { DEPARTED_KEPT_MAX, emptyTables, insertPod, REQUESTS_KEPT_MAX } from './tables.ts'

const FORMAT = 1

/** Plain, equal for equal states: rows are sorted by age, then by name. Secondary indexes are left out. */
export type SnapshotData = {
  readonly format: 1
  readonly index: number
  readonly term: number
  readonly cluster: Cluster | null
  readonly nodes: readonly Node[]
  readonly departed: readonly (readonly [id: NodeId, name: string])[]
  readonly tokens: readonly Token[]
  readonly workloads: readonly Workload[]
  readonly pods: readonly Pod[]
  readonly requests: readonly (readonly [requestId: string, outcome: Outcome])[]
  /** Absent in old snapshots. */
  readonly forgottenIndex?: number
  /** Absent in old snapshots. */
  readonly audit?: TrailsData
}

/** A copy of the tables, not of the rows, which never change: cheap, and safe to encode later. */
export const snapshotOf = (state: State): SnapshotData => ({
  format: FORMAT,
  index: state.index,
  term: state.term,
  cluster: state.cluster,
  nodes: [...state.nodes.values()].sort((a, b) => a.joinedIndex - b.joinedIndex || compareText(a.id, b.id)),
  departed: [...state.departed],
  tokens: [...state.tokens.values()].sort((a, b) => compareText(a.id, b.id)),
  workloads: [...state.workloads.values()].sort(
    (a, b) => a.createdIndex - b.createdIndex || compareText(a.spec.name, b.spec.name),
  ),
  pods: [...state.pods.values()].sort(compareAge),
  requests: [...state.requests],
  forgottenIndex: state.forgottenIndex,
  audit: trailsData(state.audit),
})

/** The order in which `apply` inserts pods, so that a restored state iterates like the one that it was taken of. */
export const compareAge = (a: Pick<Pod, 'createdIndex' | 'workload' | 'slot' | 'id'>, b: typeof a): number =>
  a.createdIndex - b.createdIndex ||
  compareText(a.workload, b.workload) ||
  a.slot - b.slot ||
  compareText(a.id, b.id)

/** Throws an AssertionError that names the broken rule when `data` was not made by `snapshotOf` of this format. */
export const restoreState = (data: unknown): State => {
  assert(typeof data === 'object' && data !== null, 'a snapshot is a record')
  const snapshot = data as SnapshotData
  assert.equal(snapshot.format, FORMAT, 'a snapshot of a known format')
  for (const table of ['nodes', 'departed', 'tokens', 'workloads', 'pods', 'requests'] as const)
    assert(Array.isArray(snapshot[table]), `table ${table} is a list`)
  assert(Number.isSafeInteger(snapshot.index) && snapshot.index >= 0, 'an index counts entries')
  assert(Number.isSafeInteger(snapshot.term) && snapshot.term >= 0, 'a term counts elections')
  assert(snapshot.requests.length <= REQUESTS_KEPT_MAX, 'the table of requests is bounded')
  assert(snapshot.departed.length <= DEPARTED_KEPT_MAX, 'the table of departed nodes is bounded')

  const tables = emptyTables()
  tables.index = snapshot.index
  tables.term = snapshot.term
  tables.cluster = snapshot.cluster
  fill(tables.nodes, snapshot.nodes, node => node.id)
  for (const [id, name] of snapshot.departed) tables.departed.set(id, name)
  fill(tables.tokens, snapshot.tokens, token => token.id)
  fill(tables.workloads, snapshot.workloads, workload => workload.spec.name)
  for (const [requestId, outcome] of snapshot.requests) tables.requests.set(requestId, outcome)
  tables.forgottenIndex = snapshot.forgottenIndex ?? 0
  tables.audit = restoreTrails(snapshot.audit)
  for (const pod of [...snapshot.pods].sort(compareAge)) {
    assert(tables.nodes.has(pod.node), 'the node of a pod is known')
    assert(pod.modifiedIndex <= tables.index, 'no row is newer than the state')
    insertPod(tables, pod)
  }
  return tables
}

const fill = <K, Row extends object>(
  table: Map<K, Row>,
  rows: readonly Row[],
  keyOf: (row: Row) => K,
): void => {
  for (const row of rows) {
    assert(typeof row === 'object' && row !== null, 'a row is a record')
    assert(!table.has(keyOf(row)), 'a key is used once')
    table.set(keyOf(row), row)
  }
}

/**
 * 16 hex digits, equal exactly when the states are (but for chance): for checkers and logs, not against forgers.
 * Costs a walk over the whole state.
 */
export const digestOf = (state: State): string => {
  const text = canonicalText(snapshotOf(state))
  return [0, 0x9e3779b9].map(seed => hashText(text, seed).toString(16).padStart(8, '0')).join('')
}
