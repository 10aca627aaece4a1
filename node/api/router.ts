/** Finds the route for a method and path. The one home of find-my-way. */
import findMyWay from 'find-my-way'
import { Failure } from '../errors.ts'
import type { Method, Params, Route, RouteTable } from './dialect.ts'

const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
/** Names are at most 63 characters; peer ids and pod targets stay well below this. */
const PARAM_CHARACTERS_MAX = 256

export type Match =
  | { readonly type: 'found'; readonly route: Route; readonly params: Params }
  | { readonly type: 'wrong-method'; readonly allowed: readonly Method[] }
  | { readonly type: 'none' }

export type Router = RouteTable & {
  /** Throws E_INVALID for a path whose percent-encoding is broken. */
  match(method: string, path: string): Match
}

export const createRouter = (): Router => {
  const routes = findMyWay({ ignoreTrailingSlash: true, maxParamLength: PARAM_CHARACTERS_MAX })
  const find = (method: Method, path: string) => routes.find(method, path)
  return {
    // The handler is never called by find-my-way: the route rides along as its store.
    add: route => routes.on(route.method, route.path, () => undefined, route),
    match(method, path) {
      assertDecodable(path)
      const known = METHODS.find(name => name === method)
      const found = known === undefined ? null : find(known, path)
      if (found !== null)
        return { type: 'found', route: found.store as Route, params: definedOf(found.params) }
      const allowed = METHODS.filter(name => find(name, path) !== null)
      return allowed.length > 0 ? { type: 'wrong-method', allowed } : { type: 'none' }
    },
  }
}

const assertDecodable = (path: string): void => {
  try {
    decodeURIComponent(path)
  } catch (cause) {
    throw new Failure('E_INVALID', 'the path is not a valid URL path', { cause })
  }
}

const definedOf = (params: Readonly<Record<string, string | undefined>>): Params =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, value ?? '']))
