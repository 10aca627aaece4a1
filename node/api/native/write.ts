/** What all writing routes share: how long they wait, and the form of their result. */
import { mayUse, type State } from '../../../scheduler/index.ts'
import { Failure } from '../../errors.ts'
import { consistencyOf } from '../consistency.ts'
import type { ApiDeps } from '../deps.ts'
import type { Gateway, Intent } from '../gateway.ts'
import type { PeerApi } from '../proxy.ts'
import { json, type Reply } from '../reply.ts'
import { type ApiRequest, authorOf, timeoutOf } from '../request.ts'
import type { Survey } from '../survey-message.ts'
import type { WriteResult } from './schema.ts'

export type NativeDeps = ApiDeps & {
  readonly gateway: Gateway
  readonly peers: PeerApi
  /** What this node sees of the others. */
  survey(): Promise<Survey>
}

export const WRITE_TIMEOUT_MS = 10_000

/** Submits with the request's id, in the name of its caller. Resolves with the log index. */
export const submit = ({ gateway }: NativeDeps, request: ApiRequest, intent: Intent): Promise<number> =>
  gateway.submit(intent, {
    by: authorOf(request.caller),
    requestId: request.requestId,
    timeoutMs: timeoutOf(request, WRITE_TIMEOUT_MS),
  })

/** Throws E_VERSION while a member would take a namespace for a mistake, or a bound token for one that is not. */
export const checkNamespaces = (state: State): void => {
  if (mayUse(state, 'namespaces')) return
  throw new Failure('E_VERSION', {
    message: 'not every member understands namespaces and single permissions yet',
    why: 'some run the version before, and would not keep to them',
    try: 'upgrade them or remove them: tutti nodes -o wide',
  })
}

/** Takes down what was done and is no command in the log. */
export const noteAct = (
  { note }: NativeDeps,
  { caller }: ApiRequest,
  { action, target }: { readonly action: string; readonly target: string },
): void => {
  const { who, from } = authorOf(caller)
  note({ trail: 'done', who, from, action, target, detail: '', outcome: 'ok' })
}

/** The newest state, for a write that is decided on or worded by what is there; `?consistency=` may ask for less. */
export const stateToChange = (gateway: Gateway, request: ApiRequest): Promise<State> =>
  gateway.read(consistencyOf(request, 'linear'), timeoutOf(request, WRITE_TIMEOUT_MS))

export const written = (result: Omit<WriteResult, 'apiVersion'>): Reply =>
  json({ apiVersion: 'tutti/v1', ...result } satisfies WriteResult)
