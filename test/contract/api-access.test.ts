import { statSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Sighting } from '../../node/api/audit-notes.ts'
import type { WriteResult } from '../../node/api/native/schema.ts'
import type { TokenCreated, TokenView, WhoamiView } from '../../node/api/native/schema-access.ts'
import { ask, type Door, raw } from '../harness/api-client.ts'
import { bearer, closeAll, house, ROUTES } from '../harness/api-house.ts'
import { AT_MS, apiWorld } from '../harness/api-world.ts'

const access = suite('api access')
access.after.each(closeAll)

access('S1: without a token nothing answers on TCP, not even that a path is unknown', async () => {
  const { remote } = await house()
  const paths = [
    ...ROUTES.map(({ method, path }) => [method, `/tutti/v1${path}`]),
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

access('what makes no sense in a token is refused, and makes none', async () => {
  const { local, world } = await house()
  const before = world.log.state.tokens.size
  for (const body of [
    { kind: 'api', role: 'admin', namespace: 'prod' },
    { kind: 'api', role: 'viewer', grants: ['exec'] },
    { kind: 'api', role: 'operator', grants: ['everything'] },
    { kind: 'api', role: 'operator', namespace: 'a/b' },
    { kind: 'api', role: 'operator', namespace: 'node' },
    { kind: 'join', namespace: 'prod' },
    { kind: 'join', grants: [] },
    { kind: 'api', name: 'two words' },
  ])
    assert.is(
      (await ask(local, '/tutti/v1/tokens', { method: 'POST', body })).status,
      400,
      JSON.stringify(body),
    )
  assert.is(world.log.state.tokens.size, before)
})

access('whoami tells a caller what it is', async () => {
  const { local, remote, tokenFor } = await house()
  const who = async (door: Door, options = {}) =>
    (await ask(door, '/tutti/v1/whoami', options)).items<WhoamiView>()[0]
  assert.is((await who(local))?.name, 'local')
  const more = { namespace: 'prod', grants: ['exec'] } as const
  const token = await tokenFor('operator', more)
  const told = await who(remote, bearer(token))
  assert.equal(told, {
    name: `token/${token.split('_')[1]}`,
    role: 'operator',
    namespace: 'prod',
    grants: ['exec'],
    cluster: 'quartet',
    clusterId: 'c1',
    clusterKey: token.split('_')[2],
  })
})

access(
  'after ten wrong proofs an address is not listened to for a while; others and their tokens are',
  async () => {
    let passedMs = 0
    const base = apiWorld(['ash']).deps('ash').clock
    const seen: Sighting[] = []
    const { remote, tokenFor } = await house(['ash'], {
      clock: { ...base, monotonicMs: () => passedMs },
      note: sighting => seen.push(sighting),
    })
    const [good, other] = [await tokenFor('viewer'), await tokenFor('viewer')]
    const guess = good.replace(/_[^_]+$/, `_${'a'.repeat(32)}`)
    const status = async (token: string) => (await ask(remote, '/tutti/v1/status', bearer(token))).status
    for (let count = 0; count < 10; count++) assert.is(await status(guess), 401)
    assert.is(await status(guess), 429)
    assert.is(await status(good), 429, 'the guessed token itself: right guesses are not told from wrong ones')
    assert.is(await status(other), 200, 'nobody else is locked out')
    for (let count = 0; count < 12; count++) await status('nonsense')
    assert.is(await status('nonsense'), 429)
    assert.is(await status(other), 200)
    passedMs = 60_000
    assert.is(await status(good), 200)
    const id = good.split('_')[1]
    assert.is(seen.length, 20)
    assert.equal([seen[0]?.who, seen[0]?.from, seen[0]?.action], [`token/${id}`, '127.0.0.1', 'login'])
    assert.is(seen.at(-1)?.who, 'unknown')
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
  for (const own of [host, `localhost:${remote.port}`, `ash:${remote.port}`])
    assert.is(await status({ host, origin: `http://${own}` }), 200, own)
  const socket = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
  for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1', `https://${host}`]) {
    assert.is(await status({ host, origin }), 403)
    assert.is(await status({ host, origin }, 'POST', '/tutti/v1/workloads'), 403)
    assert.is(await status({ host, origin }, 'GET', '/tutti/v1/events?follow=1'), 403, 'streams too')
    assert.is(await status({ host, origin, ...socket }), 403, 'a web socket too')
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
