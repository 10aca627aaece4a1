/** What nodes say to each other under the `api` protocol, and the checks at the receiving end. */
import { Failure } from '../errors.ts'
import { isGrant, isRole } from './access.ts'
import type { LocalLogLine } from './deps.ts'
import type { Caller } from './request.ts'
import type { StateDigest } from './state-digest.ts'
import { type SurveyAnswer, type SurveyCall, surveyAnswerOf, surveyCallOf } from './survey-message.ts'

/** A caller without the node that passes it on, which the connection tells. */
export type PassedOn = Omit<Caller, 'via'>

export type PeerCall =
  /** A client's request, answered by `head` and `chunk`s. The caller was authenticated by the node that passes it on. */
  | {
      readonly type: 'request'
      readonly method: string
      readonly path: string
      readonly query: Readonly<Record<string, string>>
      readonly body: unknown
      readonly hasBody: boolean
      readonly requestId: string
      readonly caller: PassedOn
    }
  /** The logs of one pod of the node that is asked, answered by `line`s. */
  | {
      readonly type: 'logs'
      readonly pod: string
      readonly container: string | null
      readonly follow: boolean
      readonly tail: number | null
    }
  /** What time is it? Answered by `time`. */
  | { readonly type: 'clock' }
  /** What state has it? Answered by `digest`. */
  | { readonly type: 'digest' }
  | SurveyCall

export type PeerAnswer =
  /** Comes first and at once: the call's own timeout is about reaching the node, not about its work. */
  | { readonly type: 'open' }
  /** Still there, nothing to tell. */
  | { readonly type: 'beat' }
  | { readonly type: 'head'; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | { readonly type: 'chunk'; readonly text: string }
  | { readonly type: 'line'; readonly line: LocalLogLine }
  | { readonly type: 'time'; readonly wallMs: number }
  | ({ readonly type: 'digest' } & StateDigest)
  | SurveyAnswer

type Record_ = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Record_ =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  isRecord(value) && Object.values(value).every(item => typeof item === 'string')

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const malformed = (what: string): Failure =>
  new Failure('E_INVALID', `a node sent a malformed ${what}`, { facts: { what } })

/** Throws E_INVALID for what is no call. Only the shape is checked: the router checks the rest, as for any client. */
export const callOf = (value: unknown): PeerCall => {
  if (!isRecord(value)) throw malformed('call')
  switch (value.type) {
    case 'request':
      return requestOf(value)
    case 'logs': {
      const { pod, container, follow, tail } = value
      const isGood =
        typeof pod === 'string' &&
        (container === null || typeof container === 'string') &&
        typeof follow === 'boolean' &&
        (tail === null || isCount(tail))
      if (!isGood) throw malformed('logs call')
      return { type: 'logs', pod, container, follow, tail }
    }
    case 'clock':
    case 'digest':
      return { type: value.type }
    default: {
      const call = surveyCallOf(value)
      if (call === null) throw malformed('call')
      return call
    }
  }
}

const requestOf = (value: Record_): PeerCall => {
  const { method, path, query, body, hasBody, requestId, caller } = value
  const isGood =
    typeof method === 'string' &&
    typeof path === 'string' &&
    path.startsWith('/') &&
    isTexts(query) &&
    typeof hasBody === 'boolean' &&
    typeof requestId === 'string' &&
    isRecord(caller)
  if (!isGood) throw malformed('request')
  return { type: 'request', method, path, query, body, hasBody, requestId, caller: callerOf(caller) }
}

/** What is absent, a node of the version before does not say. */
const callerOf = ({ role, name, from = null, namespace = null, grants = [] }: Record_): PassedOn => {
  const isText = (value: unknown): value is string | null => value === null || typeof value === 'string'
  const isGood =
    isRole(role) &&
    typeof name === 'string' &&
    isText(from) &&
    isText(namespace) &&
    Array.isArray(grants) &&
    grants.every(isGrant)
  if (!isGood) throw malformed('request')
  return { role, name, from, namespace, grants }
}

/** Throws E_INVALID for what is no answer. */
export const answerOf = (value: unknown): PeerAnswer => {
  if (!isRecord(value)) throw malformed('answer')
  const { type } = value
  if (type === 'open' || type === 'beat') return { type }
  if (type === 'head' && isCount(value.status) && isTexts(value.headers))
    return { type, status: value.status, headers: value.headers }
  if (type === 'chunk' && typeof value.text === 'string') return { type, text: value.text }
  if (type === 'time' && typeof value.wallMs === 'number') return { type, wallMs: value.wallMs }
  if (type === 'digest' && isCount(value.index) && typeof value.digest === 'string')
    return { type, index: value.index, digest: value.digest }
  if (type === 'line') return { type, line: lineOf(value.line) }
  const answer = surveyAnswerOf(value)
  if (answer === null) throw malformed('answer')
  return answer
}

const lineOf = (value: unknown): LocalLogLine => {
  if (!isRecord(value)) throw malformed('log line')
  const { container, atMs, stream, line } = value
  const isGood =
    typeof container === 'string' &&
    typeof atMs === 'number' &&
    (stream === 'stdout' || stream === 'stderr') &&
    typeof line === 'string'
  if (!isGood) throw malformed('log line')
  return { container, atMs, stream, line }
}
