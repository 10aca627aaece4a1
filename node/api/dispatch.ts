/** From an authenticated request to its reply: route, role, which node answers, freshness, and the form of errors. */
import type { State } from '../../scheduler/index.ts'
import { Failure } from '../errors.ts'
import type { Log } from '../log.ts'
import { checkAccess, withinNamespace } from './access.ts'
import type { Sighting } from './audit-notes.ts'
import { consistencyOf } from './consistency.ts'
import type { Params, Route } from './dialect.ts'
import type { Gateway } from './gateway.ts'
import { nodeNamed } from './node-name.ts'
import type { PeerApi } from './proxy.ts'
import { errorReply, type Reply } from './reply.ts'
import { type ApiRequest, timeoutOf } from './request.ts'
import type { Router } from './router.ts'

const READ_TIMEOUT_MS = 5_000

export type DispatchDeps = {
  readonly router: Router
  readonly gateway: Gateway
  readonly peers: PeerApi
  readonly node: { readonly id: string; readonly name: string }
  readonly log: Log
  /** Told of what a known caller was refused. */
  note(sighting: Sighting): void
}

/** Never throws: whatever goes wrong becomes a reply. */
export type Dispatch = (request: ApiRequest) => Promise<Reply>

export const createDispatch = (deps: DispatchDeps): Dispatch => {
  const { router, gateway, peers, node, log, note } = deps

  const answer = async (request: ApiRequest): Promise<Reply> => {
    const match = router.match(request.method, request.path)
    if (match.type === 'none') throw unknownPath(request)
    if (match.type === 'wrong-method') return wrongMethod(request, match.allowed)
    admit(request, match.route)
    const other = otherNode(request, gateway.state(), node.id)
    if (other !== null) return peers.forward(other, request)
    return answerHere(request, match.route, match.params)
  }

  const admit = (request: ApiRequest, { access }: Route): void => {
    try {
      checkAccess(request, access)
    } catch (thrown) {
      const { name, from } = request.caller
      const action = `${request.method} ${request.path}`
      note({ trail: 'tried', who: name, from, action, target: '', detail: '', outcome: 'E_FORBIDDEN' })
      throw thrown
    }
  }

  const answerHere = async (request: ApiRequest, route: Route, given: Params): Promise<Reply> => {
    const params =
      route.access.scope === 'namespace' ? withinNamespace(given, request, gateway.state()) : given
    const consistency = consistencyOf(request, 'local')
    if (route.method === 'GET') await gateway.read(consistency, timeoutOf(request, READ_TIMEOUT_MS))
    return route.handler(request, params)
  }

  return async request => {
    const reply = await answer(request).catch(thrown => {
      if (!(thrown instanceof Failure))
        log.error('request failed by a bug', { method: request.method, path: request.path, error: thrown })
      return errorReply(thrown)
    })
    // A reply that another node gave carries that node's own.
    if (reply.headers['tutti-node'] !== undefined) return reply
    return { ...reply, headers: { ...standing(gateway, node.name), ...reply.headers } }
  }
}

/** How fresh the answer is, and whose. */
const standing = (gateway: Gateway, name: string): Readonly<Record<string, string>> => {
  const { index } = gateway.state()
  const { term, ageMs } = gateway.status()
  return {
    'tutti-index': String(index),
    'tutti-term': String(term),
    ...(ageMs === null ? {} : { 'tutti-age-ms': String(Math.round(ageMs)) }),
    'tutti-node': name,
  }
}

const unknownPath = ({ method, path }: ApiRequest): Failure =>
  new Failure(
    'E_NOT_FOUND',
    { message: `there is no ${method} ${path}`, why: 'the native API is below /tutti/v1/' },
    { facts: { method, path } },
  )

const wrongMethod = ({ method, path }: ApiRequest, allowed: readonly string[]): Reply =>
  errorReply(
    new Failure(
      'E_USAGE',
      { message: `${path} does not take ${method}`, why: `it takes ${allowed.join(', ')}` },
      { facts: { method, path } },
    ),
    { status: 405, headers: { allow: allowed.join(', ') } },
  )

/** The node named by `?node=`, null when this node answers. A request that was passed on is answered where it arrived. */
const otherNode = (
  request: ApiRequest,
  state: State,
  selfId: string,
): { readonly id: string; readonly name: string } | null => {
  const name = request.query.node
  if (name === undefined || request.isForwarded) return null
  const node = nodeNamed(state, name)
  return node.id === selfId ? null : node
}
