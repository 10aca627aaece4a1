/** Nodes with their real HTTP servers over one fake log and a fake transport, for the contract tests of the API. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Access } from '../../node/api/access.ts'
import type { ApiDeps, ApiOptions } from '../../node/api/deps.ts'
import { ACCESS } from '../../node/api/native/access.ts'
import type { TokenCreated, TokenRequest } from '../../node/api/native/schema-access.ts'
import { type Api, createApi } from '../../node/api/server.ts'
import { type Answer, ask, type Door } from './api-client.ts'
import { type ApiWorld, apiWorld } from './api-world.ts'
import type { FakeConsensus } from './fake-consensus.ts'

export type House = {
  readonly world: ApiWorld
  readonly directory: string
  readonly consensus: FakeConsensus
  /** The unix socket and the TCP address of the first node. */
  readonly local: Door
  readonly remote: { readonly host: string; readonly port: number }
  readonly apis: readonly Api[]
  tokenFor(role: string, more?: Partial<TokenRequest>): Promise<string>
}

const open: { close(): Promise<void> }[] = []

/** Every name gets a node with its API; the first also listens on TCP. */
export const house = async (names = ['ash'], changes: Partial<ApiDeps> = {}): Promise<House> => {
  const world = apiWorld(names)
  const directory = mkdtempSync(join(tmpdir(), 'tutti-api-'))
  const apis: Api[] = []
  open.push({
    async close() {
      await Promise.all(apis.map(api => api.stop()))
      rmSync(directory, { recursive: true, force: true })
    },
  })
  for (const [position, name] of names.entries()) {
    const api = createApi(optionsFor(directory, name, position === 0), world.deps(name, changes))
    await api.start()
    apis.push(api)
  }
  const local = { socketPath: join(directory, `${names[0]}.sock`) }
  return {
    world,
    directory,
    consensus: world.deps(names[0] as string).consensus,
    local,
    remote: { host: '127.0.0.1', port: Number(new URL(apis[0]?.url() ?? '').port) },
    apis,
    async tokenFor(role, more = {}) {
      const body = { kind: 'api', role, ...more }
      const answer = await ask(local, '/tutti/v1/tokens', { method: 'POST', body })
      return answer.json<TokenCreated>().token
    },
  }
}

export const optionsFor = (directory: string, name: string, isOnTcp: boolean): ApiOptions => ({
  socketPath: join(directory, `${name}.sock`),
  listen: isOnTcp ? '127.0.0.1:0' : null,
  hostNames: ['tutti.example.org'],
})

export const bearer = (token: string): { readonly headers: Readonly<Record<string, string>> } => ({
  headers: { authorization: `Bearer ${token}` },
})

export const webFile = (count: number): unknown => ({
  name: 'web',
  count,
  pod: { containers: [{ image: 'nginx' }] },
})

export const closeAll = async (): Promise<void> => {
  for (const { close } of open.splice(0)) await close()
}

type Sample = { readonly path?: string; readonly body?: unknown }

/** A request for each row of the table of access that makes sense in a house of ash, birch and a dead cedar, in an order that leaves each its chance. */
const SAMPLES: { readonly [Route in keyof typeof ACCESS]: Sample } = {
  'GET /whoami': {},
  'GET /version': {},
  'GET /status': {},
  'GET /nodes': {},
  'GET /pods': {},
  'GET /workloads': {},
  'GET /workloads/:name': { path: '/workloads/web' },
  'GET /members': {},
  'GET /raft': {},
  'GET /digest': {},
  'GET /actors': {},
  'GET /doctor': {},
  'GET /explain/:target': { path: '/explain/web' },
  'GET /events': {},
  'GET /logs/:target': { path: '/logs/web' },
  'GET /recovery': {},
  'GET /tokens': {},
  'GET /audit': {},
  'GET /backup': {},
  'POST /workloads': { body: { spec: webFile(2) } },
  'POST /workloads/:name/scale': { path: '/workloads/web/scale', body: { count: 1 } },
  'POST /workloads/:name/stop': { path: '/workloads/web/stop', body: {} },
  'POST /workloads/:name/restart': { path: '/workloads/web/restart', body: {} },
  'DELETE /workloads/:name': { path: '/workloads/web' },
  'POST /nodes/:name/drain': { path: '/nodes/birch/drain', body: {} },
  'POST /nodes/:name/activate': { path: '/nodes/birch/activate', body: {} },
  'POST /tokens': { body: { kind: 'join' } },
  'DELETE /tokens/:id': { path: '/tokens/join-birch' },
  'DELETE /nodes/:name': { path: '/nodes/cedar' },
  'POST /voters': { body: { count: 7 } },
  'POST /zone-loss': { body: { waitMs: 90_000 } },
  'POST /transfer': { body: {} },
  'POST /recovery': { body: {} },
  'POST /readmission': { body: { node: 'peer-birch' } },
  'POST /leave': { body: {} },
}

/** Routes that ask for more than any role: they refuse every caller from afar. */
export const NEVER_FROM_AFAR: ReadonlySet<string> = new Set(['POST /recovery', 'POST /readmission'])

export type RouteSample = {
  readonly route: keyof typeof ACCESS
  readonly access: Access
  readonly method: string
  readonly path: string
  readonly body: unknown
}

/** The table of access as requests. */
export const ROUTES: readonly RouteSample[] = Object.entries(SAMPLES).map(([route, { path, body }]) => {
  const [method = '', pattern = ''] = route.split(' ')
  const known = route as keyof typeof ACCESS
  return { route: known, access: ACCESS[known], method, path: path ?? pattern, body }
})

export const post = (
  door: Door,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => ask(door, `/tutti/v1${path}`, { method: 'POST', body, headers })
