/** Somebody's API spoken by a node: a set of routes over the one gateway. The native API is the first; each lives in its own folder. */
import type { Access } from './access.ts'
import type { Reply } from './reply.ts'
import type { ApiRequest } from './request.ts'

/** Path parameters, percent-decoded. */
export type Params = Readonly<Record<string, string>>

export type Handler = (request: ApiRequest, params: Params) => Reply | Promise<Reply>

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type Route = {
  readonly method: Method
  /** As find-my-way writes it: `/tutti/v1/workloads/:name`. */
  readonly path: string
  /** Checked before the body is read. */
  readonly access: Access
  readonly handler: Handler
}

/** Where dialects put their routes. Two routes for one method and path are a bug and throw. */
export type RouteTable = { add(route: Route): void }

/**
 * A dialect is made by a factory that takes what it needs (`Gateway` and more) and mounts itself once, before the
 * server starts. It translates to our words at its door: a foreign word never reaches the gateway.
 */
export type Dialect = {
  readonly name: string
  mount(routes: RouteTable): void
}
