/** Who may call which route and what a namespace holds: the table of access against real servers. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Access, checkAccess, GRANT_NAMES } from '../../node/api/access.ts'
import type { Sighting } from '../../node/api/audit-notes.ts'
import { createGateway } from '../../node/api/gateway.ts'
import { ACCESS, accessTo } from '../../node/api/native/access.ts'
import { nativeDialect, PREFIX } from '../../node/api/native/native.ts'
import type { EventView } from '../../node/api/native/schema.ts'
import type { TokenRequest } from '../../node/api/native/schema-access.ts'
import { createPeerApi } from '../../node/api/proxy.ts'
import { json } from '../../node/api/reply.ts'
import type { ApiRequest } from '../../node/api/request.ts'
import type { Grant, NodeId, Role } from '../../scheduler/index.ts'
import { ask } from '../harness/api-client.ts'
import { bearer, closeAll, house, NEVER_FROM_AFAR, ROUTES, webFile } from '../harness/api-house.ts'
import { AT_MS, apiWorld, spec } from '../harness/api-world.ts'

const roles = suite('api roles')
roles.after.each(closeAll)

/** A house in which every sample request makes sense, whatever the ones before it did. */
const busyHouse = async (note: (seen: Sighting) => void = () => undefined) => {
  const made = await house(['ash', 'birch', 'cedar'], { note })
  const { world } = made
  const cedar = world.members.get('peer-cedar')
  assert.ok(cedar)
  world.members.set('peer-cedar', { ...cedar, state: 'dead' })
  const id = 'peer-cedar' as NodeId
  world.log.commit({ type: 'node/Verdict', id, state: 'dead', reason: 'test', atMs: AT_MS })
  const prepare = (name: string): void => {
    if (world.log.state.workloads.has(name)) return
    world.apply(spec(name))
    world.settle()
  }
  return { ...made, prepare }
}

/** The tokens of the matrix, with what each lacks for a row of the table. */
const BEARERS: readonly {
  readonly role: Role
  readonly more?: Partial<TokenRequest>
  mayCall(access: Access): boolean
}[] = [
  { role: 'viewer', mayCall: ({ role }) => role === 'viewer' },
  { role: 'operator', mayCall: ({ role, grant }) => role !== 'admin' && grant === undefined },
  { role: 'operator', more: { grants: ['exec', 'secrets'] }, mayCall: ({ role }) => role !== 'admin' },
  { role: 'admin', mayCall: () => true },
  {
    role: 'viewer',
    more: { namespace: 'default' },
    mayCall: ({ role, scope }) => role === 'viewer' && scope !== 'cluster',
  },
  {
    role: 'operator',
    more: { namespace: 'prod' },
    mayCall: ({ role, scope }) => role !== 'admin' && scope !== 'cluster',
  },
]

roles('S8: the matrix of roles, permissions and namespaces over every route of the table', async () => {
  for (const { role, more = {}, mayCall } of BEARERS) {
    const tried: string[] = []
    const { remote, tokenFor, prepare } = await busyHouse(({ trail, action }) => {
      if (trail === 'tried') tried.push(action)
    })
    const { headers } = bearer(await tokenFor(role, more))
    let refusedCount = 0
    for (const { route, access: needed, method, path, body } of ROUTES) {
      prepare('web')
      prepare('prod/web')
      const isAllowed = mayCall(needed)
      // A refusal comes before the body is read.
      const sent = isAllowed ? body : '{ this is no JSON'
      const answer = await ask(remote, `/tutti/v1${path}`, {
        method,
        headers,
        ...(sent === undefined || method === 'GET' ? {} : { body: sent }),
      })
      const expected = isAllowed && !NEVER_FROM_AFAR.has(route) ? 200 : 403
      assert.is(answer.status, expected, `${role} ${JSON.stringify(more)}: ${route}: ${answer.text}`)
      if (expected === 403) assert.is(answer.error().code, 'E_FORBIDDEN')
      if (!isAllowed) assert.is(tried.length, ++refusedCount, `${route} is on record`)
    }
    await closeAll()
  }
})

roles('every route that is mounted has a row, and no row is without a route', () => {
  const mounted: string[] = []
  const { deps } = apiWorld(['ash'])
  const { consensus, transport, clock } = deps('ash')
  const gateway = createGateway({ consensus, clock })
  const survey = async () => ({ mtu: null, sights: [] })
  nativeDialect({ ...deps('ash'), gateway, peers: createPeerApi(transport, clock), survey }).mount({
    add: ({ method, path, access: { role, scope } }) => {
      mounted.push(`${method} ${path.replace(PREFIX, '')}`)
      if (method !== 'GET') assert.is.not(role, 'viewer', `${path}: a viewer changes nothing`)
      if (path.includes('/nodes') || path.includes('/tokens')) assert.is(scope, 'cluster', path)
    },
  })
  assert.equal(mounted.sort(), Object.keys(ACCESS).sort())
  assert.throws(() => accessTo({ method: 'GET', path: '/new', handler: () => json({}) }), /no row/)
})

roles('a permission beyond the roles is asked for by name, and admin has them all', () => {
  const caller = { name: 'token/t', via: null, from: null, namespace: null }
  const request = (role: Role, grants: readonly Grant[]) =>
    ({ method: 'POST', path: '/x', caller: { ...caller, role, grants } }) as unknown as ApiRequest
  for (const grant of GRANT_NAMES) {
    const needed = { role: 'operator', grant, scope: 'namespace' } as const
    const others = GRANT_NAMES.filter(name => name !== grant)
    assert.throws(
      () => checkAccess(request('operator', others), needed),
      new RegExp(`permission ${grant}|may not`),
    )
    assert.throws(() => checkAccess(request('viewer', [grant]), needed))
    checkAccess(request('operator', [grant]), needed)
    checkAccess(request('admin', []), needed)
  }
})

roles('a namespace is all that its token sees, by whatever name and on whatever route', async () => {
  const { world, remote, tokenFor } = await house(['ash', 'birch'])
  for (const name of ['web', 'prod/web', 'test/canary', 'canary']) world.apply(spec(name, { count: 2 }))
  world.settle()
  const podIds = [...world.log.state.pods.values()]
    .filter(pod => pod.workload.endsWith('canary'))
    .map(pod => pod.id)
  const prod = bearer(await tokenFor('operator', { namespace: 'prod' }))
  const home = bearer(await tokenFor('operator', { namespace: 'default' }))
  const get = async (who: object, path: string) => ask(remote, `/tutti/v1${path}`, who)
  const names = async (who: object, path: string) =>
    (await get(who, path)).items<{ name: string }>().map(({ name }) => name)
  assert.equal(await names(prod, '/workloads'), ['prod/web'])
  assert.equal(await names(home, '/workloads'), ['canary', 'web'])
  assert.equal(await names(prod, '/pods'), ['prod/web.1', 'prod/web.2'])
  assert.equal(await names(prod, '/pods?workload=web'), ['prod/web.1', 'prod/web.2'])
  assert.equal(await names(prod, '/workloads/web'), ['prod/web'])
  assert.equal(await names(prod, '/workloads/prod%2Fweb'), ['prod/web'])
  assert.equal(await names(home, '/workloads/default%2Fweb'), ['web'])
  const strange = [
    ...podIds,
    'test/canary',
    'test/canary.1',
    'canery',
    'ash',
    'peer-ash',
    'canary@ash',
    'node/ash',
  ]
  for (const target of strange)
    for (const path of ['/workloads/', '/explain/', '/logs/']) {
      const answer = await get(prod, path + encodeURIComponent(target))
      assert.ok([403, 404].includes(answer.status), `${path}${target}: ${answer.status}`)
      assert.not.match(answer.text.replaceAll(target, ''), /canary/, `${path}${target}`)
    }
  for (const { id, workload } of world.log.state.pods.values())
    for (const path of ['/explain/', '/logs/']) {
      const { status } = await get(home, path + id)
      if (workload.includes('/')) assert.is(status, 404, 'a pod of another namespace by its id')
      else if (path === '/explain/') assert.is(status, 200)
    }
  assert.is((await get(home, '/explain/ash')).status, 404, 'a node is in no namespace')
  const events = (await get(prod, '/events')).text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as EventView)
  assert.ok(events.length > 2)
  for (const { subject } of events) assert.match(subject, /^(workload|pod)\/prod\/web/)
})

roles('a namespace is all that its token changes', async () => {
  const { world, remote, tokenFor } = await house(['ash', 'birch'])
  world.apply(spec('web'))
  const { headers } = bearer(await tokenFor('operator', { namespace: 'prod' }))
  const send = (method: string, path: string, body?: unknown) =>
    ask(remote, `/tutti/v1${path}`, { method, headers, ...(body === undefined ? {} : { body }) })
  assert.is((await send('POST', '/workloads', { spec: webFile(2) })).status, 200)
  assert.is(world.log.state.workloads.get('prod/web')?.spec.count, 2)
  const foreign = { spec: { ...(webFile(2) as object), name: 'test/web' } }
  assert.is((await send('POST', '/workloads', foreign)).status, 403)
  assert.is((await send('POST', '/workloads', { ...foreign, dryRun: true })).status, 403)
  assert.is((await send('POST', '/workloads/web/scale', { count: 5 })).status, 200)
  assert.is(world.log.state.workloads.get('prod/web')?.spec.count, 5)
  for (const [method, path, body] of [
    ['POST', '/workloads/default%2Fweb/scale', { count: 9 }],
    ['POST', '/workloads/test%2Fweb/stop', {}],
    ['DELETE', '/workloads/default%2Fweb'],
  ] as const)
    assert.is((await send(method, path, body)).status, 403, path)
  assert.is((await send('DELETE', '/workloads/web')).status, 200)
  assert.equal([...world.log.state.workloads.keys()], ['web'])
  assert.is(world.log.state.workloads.get('web')?.spec.count, 1)
})

roles('guesses stay in the namespace of what was asked', async () => {
  const { world, local } = await house()
  world.apply(spec('prod/secret-shop'))
  const path = (name: string): string => `/tutti/v1/workloads/${encodeURIComponent(name)}`
  assert.not.match((await ask(local, path('secret-shap'))).text, 'shop')
  assert.is((await ask(local, path('prod/secret-shap'))).error().facts.guess, 'prod/secret-shop')
})

roles.run()
