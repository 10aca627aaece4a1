/** What all writing routes share: how long they wait, and the form of their result. */
import type { ApiDeps } from '../deps.ts'
import type { Gateway, Intent } from '../gateway.ts'
import type { PeerApi } from '../proxy.ts'
import { json, type Reply } from '../reply.ts'
import { type ApiRequest, numberOf } from '../request.ts'
import type { WriteResult } from './schema.ts'

export type NativeDeps = ApiDeps & { readonly gateway: Gateway; readonly peers: PeerApi }

const TIMEOUT_MS = 10_000
const TIMEOUT_MS_MAX = 120_000

/** `?timeout=` in milliseconds. */
export const timeoutOf = (request: ApiRequest): number =>
  numberOf(request, 'timeout', { min: 1, max: TIMEOUT_MS_MAX }) ?? TIMEOUT_MS

/** Submits with the request's id. Resolves with the log index. */
export const submit = (gateway: Gateway, request: ApiRequest, intent: Intent): Promise<number> =>
  gateway.submit(intent, { requestId: request.requestId, timeoutMs: timeoutOf(request) })

export const written = (result: Omit<WriteResult, 'apiVersion'>): Reply =>
  json({ apiVersion: 'tutti/v1', ...result } satisfies WriteResult)
