/** Nodes with their real HTTP servers over one fake log and a fake transport, for the contract tests of the API. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ApiDeps, ApiOptions } from '../../node/api/deps.ts'
import type { TokenCreated } from '../../node/api/native/schema.ts'
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
  tokenFor(role: string): Promise<string>
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
    remote: { host: '127.0.0.1', port: Number(apis[0]?.address()?.split(':')[1]) },
    apis,
    async tokenFor(role) {
      const answer = await ask(local, '/tutti/v1/tokens', { method: 'POST', body: { kind: 'api', role } })
      return answer.json<TokenCreated>().token
    },
  }
}

export const optionsFor = (directory: string, name: string, isOnTcp: boolean): ApiOptions => ({
  socketPath: join(directory, `${name}.sock`),
  listen: isOnTcp ? '127.0.0.1:0' : null,
  tls: null,
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

/** Every route with the least role that it takes, and a body that makes sense. */
export const ROUTES: readonly (readonly [
  method: string,
  path: string,
  role: 'viewer' | 'operator' | 'admin',
  body?: unknown,
])[] = [
  ['GET', '/status', 'viewer'],
  ['GET', '/nodes', 'viewer'],
  ['GET', '/pods', 'viewer'],
  ['GET', '/workloads', 'viewer'],
  ['GET', '/workloads/web', 'viewer'],
  ['GET', '/members', 'viewer'],
  ['GET', '/raft', 'viewer'],
  ['GET', '/digest', 'viewer'],
  ['GET', '/actors', 'viewer'],
  ['GET', '/doctor', 'viewer'],
  ['GET', '/version', 'viewer'],
  ['GET', '/explain/web', 'viewer'],
  ['GET', '/events', 'viewer'],
  ['GET', '/logs/web', 'viewer'],
  ['POST', '/workloads', 'operator', { spec: webFile(2) }],
  ['POST', '/workloads/web/scale', 'operator', { count: 1 }],
  ['POST', '/workloads/web/stop', 'operator', {}],
  ['POST', '/workloads/web/restart', 'operator', {}],
  ['DELETE', '/workloads/web', 'operator'],
  ['POST', '/nodes/birch/drain', 'operator', {}],
  ['POST', '/nodes/birch/activate', 'operator', {}],
  ['GET', '/tokens', 'admin'],
  ['POST', '/tokens', 'admin', { kind: 'join' }],
  ['DELETE', '/tokens/join-birch', 'admin'],
  ['DELETE', '/nodes/cedar', 'admin'],
  ['POST', '/voters', 'admin', { count: 7 }],
  ['POST', '/zone-loss', 'admin', { waitMs: 90_000 }],
  ['POST', '/transfer', 'admin', {}],
  ['GET', '/recovery', 'viewer'],
  ['GET', '/backup', 'admin'],
  ['POST', '/leave', 'admin', {}],
]

export const post = (
  door: Door,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => ask(door, `/tutti/v1${path}`, { method: 'POST', body, headers })
