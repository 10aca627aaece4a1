/**
 * The state machine: what each entry of the log does to the state. Deterministic, so that equal logs give equal
 * states on every node. Decides nothing: plans were decided by a leader, and are only checked here.
 */
import assert from 'node:assert'
import { createToken, initCluster, revokeToken, setVoters, setZoneLoss } from './apply/access.ts'
import { activateNode, drainNode } from './apply/drain.ts'
import { joinNode, judgeNode, leaveNode, updateNode } from './apply/nodes.ts'
import { takeDown } from './apply/notes.ts'
import { applyPlan } from './apply/plan.ts'
import { reportPods } from './apply/reports.ts'
import { refuse, type Step, type Verdict } from './apply/step.ts'
import { weed } from './apply/weed.ts'
import {
  applyWorkload,
  removeWorkload,
  restartWorkload,
  scaleWorkload,
  stopWorkload,
} from './apply/workloads.ts'
import { recordCommand } from './audit/record.ts'
import type { ClusterEvent, Command, Outcome, Request } from './commands.ts'
import type { State } from './state.ts'
import { rememberRequest, type Tables, tablesOf } from './tables.ts'

/** Where in the log an entry stands. */
export type LogPlace = { readonly index: number; readonly term: number }

/** Takes note of an entry that carries no command (no-op, configuration). Entries come in order, each once. */
export const advance = (state: State, { index, term }: LogPlace): void => {
  const tables = tablesOf(state)
  assert(index > tables.index, 'entries are applied in order, each once')
  assert(term >= tables.term, 'terms never fall along the log')
  tables.index = index
  tables.term = term
}

/**
 * Applies one command in place. A refused command changes no tables but those of requests and the audit trail; a repeated request id
 * gets the first outcome and changes nothing; one that may be such a repetition of long ago changes nothing either. Events are in the order in which things happened.
 */
export const apply = (
  state: State,
  request: Request,
  at: LogPlace,
): { readonly outcome: Outcome; readonly events: readonly ClusterEvent[] } => {
  advance(state, at)
  const tables = tablesOf(state)
  const first = tables.requests.get(request.requestId)
  if (first) return { outcome: first, events: [] }
  if (mayBeForgotten(tables, request)) return { outcome: tooLate(at.index), events: [] }
  const step: Step = { index: at.index, atMs: request.command.atMs, events: [] }
  const refusal = run(tables, request, step)
  assert(!refusal || step.events.length === 0, 'a refused command has no effect to tell')
  if (!refusal && isRare(request.command)) weed(tables, step.atMs)
  const outcome: Outcome = refusal ? { ok: false, index: at.index, refusal } : { ok: true, index: at.index }
  recordCommand(tables, request, outcome)
  rememberRequest(tables, request.requestId, outcome)
  return { outcome, events: step.events }
}

/**
 * A retry of what was applied so long ago that its outcome is forgotten must not be applied again. It cannot be told from a
 * request that is merely late, so both are refused. That is no outcome to be remembered: whoever asks anew may succeed.
 */
const mayBeForgotten = ({ forgottenIndex }: Tables, { afterIndex }: Request): boolean =>
  afterIndex !== undefined && afterIndex < forgottenIndex

const tooLate = (index: number): Outcome => ({
  ok: false,
  index,
  refusal: refuse(
    'E_TIMEOUT',
    'the request came so late that nobody remembers whether it was applied before',
  ),
})

const isRare = ({ type }: Command): boolean => type !== 'plan/Apply' && type !== 'pod/Report'

const run = (tables: Tables, { command, requestId }: Request, step: Step): Verdict => {
  switch (command.type) {
    case 'cluster/Init':
      return initCluster(tables, command, step)
    case 'cluster/SetVoters':
      return setVoters(tables, command, step)
    case 'cluster/SetZoneLoss':
      return setZoneLoss(tables, command, step)
    case 'token/Create':
      return createToken(tables, command, step)
    case 'token/Revoke':
      return revokeToken(tables, command, step)
    case 'node/Join':
      return joinNode(tables, command, step)
    case 'node/Update':
      return updateNode(tables, command, step)
    case 'node/Verdict':
      return judgeNode(tables, command, step)
    case 'node/Drain':
      return drainNode(tables, command, step)
    case 'node/Activate':
      return activateNode(tables, command, step)
    case 'node/Leave':
      return leaveNode(tables, command, step)
    case 'workload/Apply':
      return applyWorkload(tables, command, step)
    case 'workload/Scale':
      return scaleWorkload(tables, command, step)
    case 'workload/Stop':
      return stopWorkload(tables, command, step)
    case 'workload/Restart':
      return restartWorkload(tables, command, step)
    case 'workload/Remove':
      return removeWorkload(tables, command, step)
    case 'plan/Apply':
      return applyPlan(tables, command, step)
    case 'pod/Report':
      return reportPods(tables, command, step)
    case 'audit/Note':
      return takeDown(tables, command, step, requestId)
    default:
      return unreachable(command)
  }
}

const unreachable = (command: never): never => {
  throw new assert.AssertionError({ message: `no function for command ${JSON.stringify(command)}` })
}
