/**
 * Where wanted pods go: filter, score, choose. Pure: equal state, wishes, seed and time give equal placements.
 * Groups of equal pods are interleaved in small chunks, because equal pods in one go pack badly (SCHEDULING.md §3b).
 */
import assert from 'node:assert'
import { compareText } from '../canonical.ts'
import type { NodeId } from '../model/node.ts'
import type { StartWish } from '../reconcile/wish.ts'
import type { State } from '../state.ts'
import { podsOfSlot } from '../tables.ts'
import { type Ask, askOf } from './ask.ts'
import type { Check } from './check.ts'
import { NodeColumns } from './columns.ts'
import { candidatesOf, type RefusedRows, refusalSentence } from './decision.ts'
import { checksOf } from './filters.ts'
import type { Placed, Placements, Survey, Unplaced } from './placement.ts'
import { allotPorts } from './ports.ts'
import { probationCheck } from './probation.ts'
import { compareRanked, type Ranked, rank } from './scores.ts'

/** Pods of one workload placed in a row before the next workload's turn. */
const CHUNK = 5

type Context = {
  readonly state: State
  readonly columns: NodeColumns
  readonly seed: number
  readonly nowMs: number
}

/** The wishes of one workload and what is known of its nodes. */
type Group = {
  readonly ask: Ask
  readonly wishes: readonly StartWish[]
  readonly checks: readonly Check[]
  /** Rows that no lasting check rules out. */
  readonly eligible: readonly number[]
  readonly ruledOut: readonly RefusedRows[]
  /** Gives way when nobody else fits. */
  readonly trust: Check
  next: number
  /** Room only shrinks while placing: once no node fits, no later wish of the group will. */
  isFull: boolean
}

/** `limit`: at most so many pods are placed. A wish for a workload that is not in the state is a bug. */
export const place = (
  state: State,
  wishes: readonly StartWish[],
  seed: number,
  nowMs: number,
  limit = Number.POSITIVE_INFINITY,
): Placements => {
  const context: Context = { state, columns: new NodeColumns(state), seed, nowMs }
  const groups = groupsOf(context, wishes)
  const placed: Placed[] = []
  const refused: { readonly group: Group; readonly wish: StartWish }[] = []
  while (placed.length < limit && groups.some(isOpen)) {
    for (const group of groups.filter(isOpen)) {
      for (let i = 0; i < CHUNK && isOpen(group) && placed.length < limit; i++) {
        const wish = group.wishes[group.next++]!
        const placement = group.isFull ? null : placeOne(context, group, wish)
        if (placement) placed.push(placement)
        else refused.push({ group, wish })
      }
    }
  }
  return { placed, unplaced: explainAll(context, refused), isPartial: groups.some(isOpen) }
}

const isOpen = (group: Group): boolean => group.next < group.wishes.length

const groupsOf = (context: Context, wishes: readonly StartWish[]): readonly Group[] => {
  const byWorkload = Map.groupBy(wishes, ({ workload }) => workload)
  return [...byWorkload.entries()]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, own]) => groupOf(context, name, own))
}

const groupOf = ({ state, columns, nowMs }: Context, name: string, wishes: readonly StartWish[]): Group => {
  const ask = askOf(state, name, columns)
  const checks = checksOf(ask, columns)
  const lasting = sift(
    columns.nodes.map((_node, row) => row),
    checks.filter(({ isLasting }) => isLasting),
  )
  return {
    ask,
    wishes,
    checks: checks.filter(({ isLasting }) => !isLasting),
    eligible: lasting.fitting,
    ruledOut: lasting.refused,
    trust: probationCheck(columns, nowMs),
    next: 0,
    isFull: false,
  }
}

/** Each row goes to the first check that refuses it, or to `fitting`. */
const sift = (
  rows: readonly number[],
  checks: readonly Check[],
): { fitting: number[]; refused: RefusedRows[] } => {
  const fitting: number[] = []
  const refused = new Map<Check, number[]>()
  for (const row of rows) {
    const check = checks.find(candidate => !candidate.fits(row))
    if (!check) fitting.push(row)
    else if (!refused.get(check)?.push(row)) refused.set(check, [row])
  }
  const groups = checks.flatMap(check => {
    const own = refused.get(check)
    return own ? [{ check, rows: own }] : []
  })
  return { fitting, refused: groups }
}

/** Those on probation are asked only when no other row fits. */
const siftTrusted = ({ checks, trust }: Group, rows: readonly number[]): ReturnType<typeof sift> => {
  const { fitting: trusted, refused: doubted } = sift(rows, [trust])
  const first = sift(trusted, checks)
  if (doubted.length === 0) return first
  if (first.fitting.length > 0) return { ...first, refused: [...doubted, ...first.refused] }
  return sift(rows, checks)
}

const only = (columns: NodeColumns, rows: readonly number[], node: NodeId | null): readonly number[] =>
  node === null ? rows : rows.filter(row => columns.nodes[row]!.id === node)

const placeOne = (context: Context, group: Group, wish: StartWish): Placed | null => {
  const { columns } = context
  const { ask } = group
  const { fitting, refused } = siftTrusted(group, only(columns, group.eligible, wish.node))
  if (fitting.length === 0) {
    group.isFull = wish.node === null
    return null
  }
  const ranked = rankRows(context, ask, wish.slot, fitting)
  const { row } = ranked.reduce((best, next) => (compareRanked(next, best) < 0 ? next : best))
  const ports = allotPorts(columns, row, ask.declared)
  assert(ports, 'the filters let through only rows with ports left')
  const ruledOut = wish.node === null ? group.ruledOut : []
  const decision = {
    strategy: wish.node === null ? ask.workload.spec.place.strategy : 'global',
    index: context.state.index,
    atMs: context.nowMs,
    cause: wish.cause,
    candidates: candidatesOf(columns, ranked, [...ruledOut, ...refused]),
    consideredCount: wish.node === null ? columns.nodes.length : 1,
  }
  columns.take(row, ask.demand, ports)
  ask.liveCount[row]! += 1
  ask.stayingCount[row]! += 1
  return { wish, node: columns.nodes[row]!.id, ports, decision }
}

const rankRows = (context: Context, ask: Ask, slot: number, rows: readonly number[]): readonly Ranked[] => {
  const failuresByRow = new Map<number, number>()
  for (const pod of podsOfSlot(context.state, ask.workload.spec.name, slot)) {
    const row = context.columns.rowOf.get(pod.node)
    if (row === undefined || pod.state !== 'failed' || pod.generation !== ask.workload.generation) continue
    failuresByRow.set(row, (failuresByRow.get(row) ?? 0) + 1)
  }
  return rank({ columns: context.columns, ask, rows, slot, seed: context.seed, failuresByRow })
}

/** Judged when all room is given away, so that planning again on the outcome finds the same words. */
const explainAll = (
  { columns }: Context,
  refused: readonly { readonly group: Group; readonly wish: StartWish }[],
): readonly Unplaced[] => {
  const reasons = new Map<Group, string>()
  return refused.map(({ group, wish }) => {
    if (wish.node !== null) return { wish, reason: pinnedSentence(columns, group, wish.node) }
    let reason = reasons.get(group)
    if (reason === undefined) {
      reason = refusalSentence([...group.ruledOut, ...sift(group.eligible, group.checks).refused])
      reasons.set(group, reason)
    }
    return { wish, reason }
  })
}

const pinnedSentence = (columns: NodeColumns, group: Group, node: NodeId): string => {
  const row = columns.rowOf.get(node)
  assert(row !== undefined, 'a pod is wanted on a member only')
  const check = [...group.ruledOut, ...sift([row], group.checks).refused].find(({ rows }) =>
    rows.includes(row),
  )?.check
  assert(check, 'a pod that found no place was refused by a filter')
  return `node ${columns.nodes[row]!.name} does not fit: it ${check.phrase([row])[0]}`
}

/** How every node would do for one more pod in a slot, without choosing. For explanations. */
export const survey = (
  state: State,
  { workload, slot, nowMs }: { readonly workload: string; readonly slot: number; readonly nowMs: number },
): Survey => {
  const context: Context = { state, columns: new NodeColumns(state), seed: 0, nowMs }
  const group = groupOf(context, workload, [])
  const { fitting, refused } = siftTrusted(group, group.eligible)
  const all = [...group.ruledOut, ...refused]
  return {
    candidates: candidatesOf(context.columns, rankRows(context, group.ask, slot, fitting), all),
    consideredCount: context.columns.nodes.length,
    fittingCount: fitting.length,
    reason: fitting.length === 0 ? refusalSentence(all) : null,
    remedies: all.map(({ check }) => check.remedy),
  }
}
