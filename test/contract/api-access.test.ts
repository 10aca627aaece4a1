import { statSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TokenCreated, TokenView, WriteResult } from '../../node/api/native/schema.ts'
import type { NodeId } from '../../scheduler/index.ts'
import { ask, raw } from '../harness/api-client.ts'
import { bearer, closeAll, house, ROUTES } from '../harness/api-house.ts'
import { AT_MS, apiWorld, spec } from '../harness/api-world.ts'

const access = suite('api access')
access.after.each(closeAll)

access('S1: without a token nothing answers on TCP, not even that a path is unknown', async () => {
  const { remote } = await house()
  const paths = [
    ...ROUTES.map(([method, path]) => [method, `/tutti/v1${path}`]),
    ['GET', '/'],
    ['GET', '/nothing'],
    ['PUT', '/tutti/v1/pods'],
    ['GET', '/v1.47/containers/json'],
    ['OPTIONS', '*'],
  ]
  for (const [method, path] of paths as [string, string][]) {
    const answer = await ask(remote, path, { method })
    assert.is(answer.status, 401, `${method} ${path}`)
    assert.is(answer.error().code, 'E_AUTH')
    assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer/)
    assert.is(answer.headers['tutti-node'], undefined, 'a stranger learns nothing about the cluster')
    assert.is(answer.headers['tutti-index'], undefined)
  }
})

access('a wrong, malformed, foreign or join token is no credential', async () => {
  const { local, remote, tokenFor } = await house()
  const good = await tokenFor('admin')
  const join = (
    await ask(local, '/tutti/v1/tokens', { method: 'POST', body: { kind: 'join' } })
  ).json<TokenCreated>()
  const wrong = [
    join.token,
    `${good}x`,
    good.slice(0, -1),
    good.slice(1),
    '',
    'x',
    'a b',
    good.replace(/_[^_]+$/, '_aaaa'),
  ]
  for (const token of wrong)
    assert.is((await ask(remote, '/tutti/v1/status', bearer(token))).status, 401, token)
  assert.is(
    (await ask(remote, '/tutti/v1/status', { headers: { authorization: `Basic ${good}` } })).status,
    401,
  )
  assert.is((await ask(remote, '/tutti/v1/status', bearer(good))).status, 200)
})

access('S3: a revoked token is refused at once, an expired one from its very millisecond', async () => {
  let nowMs = AT_MS
  const base = apiWorld(['ash']).deps('ash').clock
  const { local, remote } = await house(['ash'], { clock: { ...base, wallMs: () => nowMs } })
  const make = async (): Promise<TokenCreated> =>
    (
      await ask(local, '/tutti/v1/tokens', {
        method: 'POST',
        body: { kind: 'api', role: 'viewer', ttlMs: 5_000 },
      })
    ).json()
  const [revoked, expiring] = [await make(), await make()]
  assert.is((await ask(remote, '/tutti/v1/status', bearer(revoked.token))).status, 200)
  const answer = await ask(local, `/tutti/v1/tokens/${revoked.id}`, { method: 'DELETE' })
  assert.is(answer.json<WriteResult>().changed, true)
  assert.is((await ask(remote, '/tutti/v1/status', bearer(revoked.token))).status, 401)
  nowMs = AT_MS + 4_999
  assert.is((await ask(remote, '/tutti/v1/status', bearer(expiring.token))).status, 200)
  nowMs = AT_MS + 5_000
  assert.is((await ask(remote, '/tutti/v1/status', bearer(expiring.token))).status, 401)
  const states = (await ask(local, '/tutti/v1/tokens')).items<TokenView>().map(token => token.state)
  assert.equal(states.sort(), ['expired', 'revoked'])
})

access(
  'S8: each route takes its role and higher ones, and refuses lower ones before it reads a body',
  async () => {
    const ranks = ['viewer', 'operator', 'admin']
    for (const role of ranks) {
      const { world, remote, tokenFor } = await house(['ash', 'birch', 'cedar'])
      world.apply(spec('web'))
      world.settle()
      const cedar = world.members.get('peer-cedar')
      assert.ok(cedar)
      world.members.set('peer-cedar', { ...cedar, state: 'dead' })
      world.log.commit({
        type: 'node/Verdict',
        id: 'peer-cedar' as NodeId,
        state: 'dead',
        reason: 'test',
        atMs: AT_MS,
      })
      const { headers } = bearer(await tokenFor(role))
      for (const [method, path, needed, body] of ROUTES) {
        // Removed by an earlier row: what matters here is who may ask.
        if (world.log.state.workloads.get('web') === undefined) world.apply(spec('web'))
        const isAllowed = ranks.indexOf(role) >= ranks.indexOf(needed)
        const sent = isAllowed ? body : '{ this is no JSON'
        const answer = await ask(remote, `/tutti/v1${path}`, {
          method,
          headers,
          ...(sent === undefined || method === 'GET' ? {} : { body: sent }),
        })
        assert.is(answer.status, isAllowed ? 200 : 403, `${role}: ${method} ${path}: ${answer.text}`)
        if (!isAllowed) assert.is(answer.error().code, 'E_FORBIDDEN')
      }
      await closeAll()
    }
  },
)

access(
  'only the local admin of a node recovers a cluster, and only a member itself is let in anew',
  async () => {
    const { local, remote, tokenFor, consensus } = await house(['ash', 'birch', 'cedar'])
    consensus.pretend({ leader: null, hasQuorum: false, voters: ['peer-ash', 'peer-x', 'peer-y'] })
    const admin = bearer(await tokenFor('admin'))
    const body = { method: 'POST', body: {} }
    const afar = await ask(remote, '/tutti/v1/recovery', { ...admin, ...body })
    assert.is(afar.status, 403)
    assert.match(afar.error().message, /only the local admin/)
    const claimed = { method: 'POST', body: { node: 'peer-birch' } }
    for (const [door, options] of [
      [remote, { ...admin, ...claimed }],
      [local, claimed],
    ] as const) {
      const answer = await ask(door, '/tutti/v1/readmission', options)
      assert.is(answer.status, 403)
      assert.match(answer.error().message, /only a member itself/)
    }
  },
)

access('S13: a foreign Host or Origin is refused, token or not', async () => {
  const { remote, tokenFor } = await house()
  const token = await tokenFor('admin')
  const status = async (
    headers: Readonly<Record<string, string>>,
    method = 'GET',
    path = '/tutti/v1/status',
  ) => (await ask(remote, path, { method, headers: { authorization: `Bearer ${token}`, ...headers } })).status
  const host = `127.0.0.1:${remote.port}`
  for (const good of [host, `localhost:${remote.port}`, 'ash', 'tutti.example.org:443'])
    assert.is(await status({ host: good }), 200, good)
  for (const bad of ['evil.example', `evil.example:${remote.port}`, 'ash.evil.example'])
    assert.is(await status({ host: bad }), 403, bad)
  assert.is(await status({ host, origin: `http://${host}` }), 200)
  for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1']) {
    assert.is(await status({ host, origin }), 403)
    assert.is(await status({ host, origin }, 'POST', '/tutti/v1/workloads'), 403)
    assert.is(await status({ host, origin }, 'GET', '/tutti/v1/events?follow=1'), 403, 'streams too')
  }
  const bare = await raw(remote, 'GET /tutti/v1/status HTTP/1.0\r\n\r\n')
  assert.match(bare, /^HTTP\/1\.1 403 /)
})

access('the unix socket is open to its owner alone, and asks for no token', async () => {
  const { directory, local } = await house()
  assert.is(statSync(join(directory, 'ash.sock')).mode & 0o777, 0o600)
  assert.is((await ask(local, '/tutti/v1/status')).status, 200)
  assert.is((await ask(local, '/tutti/v1/status', { headers: { origin: 'http://localhost' } })).status, 403)
})

access.run()
