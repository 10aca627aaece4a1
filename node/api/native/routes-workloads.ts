/** Routes that write what users ask for. The state machine decides; these turn bodies into commands and outcomes into words. */
import type { Workload, WorkloadSpec } from '../../../scheduler/index.ts'
import { Failure } from '../../errors.ts'
import { ownName } from '../access.ts'
import type { Handler } from '../dialect.ts'
import type { Intent } from '../gateway.ts'
import type { Reply } from '../reply.ts'
import { type ApiRequest, fieldsOf } from '../request.ts'
import type { NativeRoute } from './access.ts'
import { dryRun } from './dry-run.ts'
import type { ApplyRequest } from './schema.ts'
import { checkNamespaces, type NativeDeps, stateToChange, submit, written } from './write.ts'

const ISSUES_TOLD_MAX = 10

/** Loaded by the first write: it brings five megabytes along that a node which is never asked for one can do without. */
let loading: Promise<typeof import('./workload-file.ts')> | null = null

type NamedIntent = Extract<Intent, { readonly name: string }>

export const workloadRoutes = (deps: NativeDeps): readonly NativeRoute[] => {
  const { gateway } = deps
  const rowOf = (name: string): Workload | undefined => gateway.state().workloads.get(name)

  /** Submits a command about a workload that exists; `tell` words what became of it. */
  const change = async (
    request: ApiRequest,
    intent: NamedIntent,
    tell: (isChanged: boolean) => string,
  ): Promise<Reply> => {
    const index = await submit(deps, request, intent)
    const changed = intent.type === 'workload/Remove' || (rowOf(intent.name)?.modifiedIndex ?? index) >= index
    return written({ index, changed, message: tell(changed) })
  }

  const apply: Handler = async request => {
    const { spec: asked, checkIndex, isDryRun } = await applyRequestOf(request)
    const spec = { ...asked, name: ownName(asked.name, request.caller, gateway.state()) }
    if (spec.name.includes('/')) checkNamespaces(gateway.state())
    const intent = { type: 'workload/Apply', spec, checkIndex } as const
    if (isDryRun)
      return written(dryRun(await stateToChange(gateway, request), { ...intent, atMs: deps.clock.wallMs() }))
    const isNew = rowOf(spec.name) === undefined
    const index = await submit(deps, request, intent)
    const changed = (rowOf(spec.name)?.modifiedIndex ?? index) >= index
    const message = changed
      ? `${spec.name} ${isNew ? 'created' : 'changed'}: ${wishOf(spec)}`
      : `${spec.name}: no changes`
    return written({ index, changed, message })
  }

  const scale: Handler = async (request, { name = '' }) => {
    const { count } = await fieldsOf(request, ['count'])
    if (!Number.isSafeInteger(count) || (count as number) < 0)
      throw new Failure('E_INVALID', 'count must be a whole number that is not negative', {
        facts: { field: 'count' },
      })
    const before = rowOf(name)?.spec.count
    return change(request, { type: 'workload/Scale', name, count: count as number }, changed =>
      changed
        ? `${name}: ${before ?? '?'} → ${count as number}`
        : `${name}: no changes, ${count as number} are wanted`,
    )
  }

  const stop: Handler = async (request, { name = '' }) => {
    await fieldsOf(request, [])
    return change(request, { type: 'workload/Stop', name }, changed =>
      changed ? `${name} stops; its count is kept` : `${name} is stopped already`,
    )
  }

  const restart: Handler = async (request, { name = '' }) => {
    await fieldsOf(request, [])
    const wasStopped = rowOf(name)?.stopped === true
    return change(request, { type: 'workload/Restart', name }, () =>
      wasStopped ? `${name} starts` : `${name} restarts, pod by pod`,
    )
  }

  const remove: Handler = (request, { name = '' }) =>
    change(request, { type: 'workload/Remove', name }, () => `${name} removed; its pods stop`)

  return [
    { method: 'POST', path: '/workloads', handler: apply },
    { method: 'POST', path: '/workloads/:name/scale', handler: scale },
    { method: 'POST', path: '/workloads/:name/stop', handler: stop },
    { method: 'POST', path: '/workloads/:name/restart', handler: restart },
    { method: 'DELETE', path: '/workloads/:name', handler: remove },
  ]
}

const wishOf = ({ kind, count }: WorkloadSpec): string =>
  kind === 'global' ? 'one pod on each matching node' : `${count} ${count === 1 ? 'pod' : 'pods'} wanted`

type ParsedApply = {
  readonly spec: WorkloadSpec
  readonly checkIndex: number | null
  readonly isDryRun: boolean
}

const applyRequestOf = async (request: ApiRequest): Promise<ParsedApply> => {
  const fields = await fieldsOf(request, ['spec', 'checkIndex', 'dryRun'] satisfies (keyof ApplyRequest)[])
  const { checkIndex = null, dryRun: isDryRun = false } = fields
  if (checkIndex !== null && !(Number.isSafeInteger(checkIndex) && (checkIndex as number) >= 0))
    throw new Failure('E_INVALID', 'checkIndex must be a whole number', { facts: { field: 'checkIndex' } })
  if (typeof isDryRun !== 'boolean')
    throw new Failure('E_INVALID', 'dryRun must be true or false', { facts: { field: 'dryRun' } })
  return { spec: await specOf(fields.spec), checkIndex: checkIndex as number | null, isDryRun }
}

const specOf = async (value: unknown): Promise<WorkloadSpec> => {
  loading ??= import('./workload-file.ts')
  const { issueText, parseWorkload } = await loading
  const parsed = parseWorkload(value)
  if (parsed.ok) return parsed.spec
  const told = parsed.issues.slice(0, ISSUES_TOLD_MAX).map(issueText)
  throw new Failure(
    'E_INVALID',
    {
      message: told.join('\n'),
      why: 'the spec is checked strictly, so that a typing mistake changes nothing',
    },
    { facts: { issues: parsed.issues.length } },
  )
}
