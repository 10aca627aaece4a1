import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { WriteResult } from '../../node/api/native/schema.ts'
import type { TokenCreated } from '../../node/api/native/schema-access.ts'
import { Failure } from '../../node/errors.ts'
import type { NodeId } from '../../scheduler/index.ts'
import { type Answer, ask } from '../harness/api-client.ts'
import { closeAll, house, post, webFile } from '../harness/api-house.ts'
import { AT_MS, spec } from '../harness/api-world.ts'

const writes = suite('api writes')
writes.after.each(closeAll)

writes('applying twice is no change, a stale checkIndex is a conflict', async () => {
  const { local, world } = await house()
  const first = (await post(local, '/workloads', { spec: webFile(2) })).json<WriteResult>()
  assert.equal(
    [first.apiVersion, first.changed, first.message],
    ['tutti/v1', true, 'web created: 2 pods wanted'],
  )
  const second = (await post(local, '/workloads', { spec: webFile(2) })).json<WriteResult>()
  assert.equal([second.changed, second.message], [false, 'web: no changes'])
  const conflict = await post(local, '/workloads', { spec: webFile(3), checkIndex: first.index - 1 })
  assert.equal([conflict.status, conflict.error().code], [409, 'E_CONFLICT'])
  assert.ok(conflict.error().try)
  assert.is((await post(local, '/workloads', { spec: webFile(3), checkIndex: first.index })).status, 200)
  assert.is(world.log.state.workloads.get('web')?.spec.count, 3)
})

writes('a dry run tells the plan and writes nothing', async () => {
  const { local, world } = await house(['ash', 'birch'])
  const before = world.log.state.index
  const result = (await post(local, '/workloads', { spec: webFile(2), dryRun: true })).json<WriteResult>()
  assert.is(result.changed, true)
  assert.match(result.message, /web would be created\n/)
  assert.match(result.message, /start web\.1 on (ash|birch)/)
  assert.equal([world.log.state.index, world.log.state.workloads.size], [before, 0])
  world.apply(spec('web'))
  world.settle()
  const replaced = { name: 'web', count: 2, pod: { containers: [{ image: 'nginx:9' }] } }
  const rolled = (await post(local, '/workloads', { spec: replaced, dryRun: true })).json<WriteResult>()
  assert.match(rolled.message, /\n1 pod is replaced, 1 at a time \(stop-first\); first:\n/)
  const changed = (await post(local, '/workloads', { spec: webFile(1), dryRun: true })).json<WriteResult>()
  assert.match(changed.message, /stop web\.1 on|no changes/)
})

writes('a spec with mistakes is refused with each of them, and changes nothing', async () => {
  const { local, world } = await house()
  const before = world.log.state.index
  const answer = await post(local, '/workloads', {
    spec: { name: 'web', cuont: 3, pod: { containers: [{ imagee: 'nginx' }] } },
  })
  assert.equal([answer.status, answer.error().code], [400, 'E_INVALID'])
  assert.match(answer.error().message, 'imagee')
  assert.match(answer.error().message, 'did you mean "count"')
  assert.is(world.log.state.index, before)
})

writes('scale, stop, restart and remove say what they did', async () => {
  const { local } = await house()
  await post(local, '/workloads', { spec: webFile(2) })
  const message = async (path: string, body: unknown = {}): Promise<string> =>
    (await post(local, path, body)).json<WriteResult>().message
  assert.is(await message('/workloads/web/scale', { count: 5 }), 'web: 2 → 5')
  assert.is(await message('/workloads/web/scale', { count: 5 }), 'web: no changes, 5 are wanted')
  assert.is(await message('/workloads/web/stop'), 'web stops; its count is kept')
  assert.is(await message('/workloads/web/stop'), 'web is stopped already')
  assert.is(await message('/workloads/web/restart'), 'web starts')
  const removed = await ask(local, '/tutti/v1/workloads/web', { method: 'DELETE' })
  assert.is(removed.json<WriteResult>().changed, true)
  const unknown = await post(local, '/workloads/wbe/scale', { count: 1 })
  assert.equal([unknown.status, unknown.error().code], [404, 'E_NOT_FOUND'])
  for (const count of [-1, 1.5, '3', null, 1e9]) {
    await post(local, '/workloads', { spec: webFile(1) })
    assert.is((await post(local, '/workloads/web/scale', { count })).status, 400, String(count))
  }
})

writes('a retry with the same request id is applied once', async () => {
  const { local, world } = await house()
  await post(local, '/workloads', { spec: webFile(1) })
  const headers = { 'tutti-request-id': 'retry-1' }
  const first = (await post(local, '/workloads/web/restart', {}, headers)).json<WriteResult>()
  const generation = world.log.state.workloads.get('web')?.generation
  const again = (await post(local, '/workloads/web/restart', {}, headers)).json<WriteResult>()
  assert.is(again.index, first.index)
  assert.is(world.log.state.workloads.get('web')?.generation, generation)
  const removal = { method: 'DELETE', headers: { 'tutti-request-id': 'retry-2' } }
  assert.is((await ask(local, '/tutti/v1/workloads/web', removal)).status, 200)
  assert.is(
    (await ask(local, '/tutti/v1/workloads/web', removal)).status,
    200,
    'gone, and it is the same removal',
  )
  for (const id of ['', 'a b', 'x'.repeat(200)])
    assert.is((await post(local, '/workloads/web/stop', {}, { 'tutti-request-id': id })).status, 400)
})

writes('without a quorum a write is refused with what still works', async () => {
  const { local, consensus } = await house()
  consensus.fail(new Failure('E_NO_LEADER', 'no leader'))
  const answer = await post(local, '/workloads', { spec: webFile(1) })
  assert.equal([answer.status, answer.error().code], [503, 'E_NO_LEADER'])
  assert.match(answer.error().why ?? '', 'containers keep running')
})

writes('a token is shown once, and a lost reply cannot show it again', async () => {
  const { local, world } = await house()
  const headers = { 'tutti-request-id': 'token-1' }
  const created = (
    await post(local, '/tokens', { kind: 'join', uses: 3, labels: { zone: 'eu' } }, headers)
  ).json<TokenCreated>()
  assert.equal(
    [created.joinAddress, created.expiresAt],
    ['127.0.0.1:7701', new Date(AT_MS + 60_000 + 3_600_000).toISOString()],
  )
  const stored = world.log.state.tokens.get(created.id)
  assert.equal([stored?.usesLeft, stored?.labels], [3, { zone: 'eu' }])
  const secret = created.token.split('_').at(-1) as string
  assert.not.ok(JSON.stringify([...world.log.state.tokens]).includes(secret))
  const again = await post(local, '/tokens', { kind: 'join' }, headers)
  assert.equal([again.status, again.error().code], [409, 'E_CONFLICT'])
  assert.is(world.log.state.tokens.size, 1)
  for (const body of [
    {},
    { kind: 'x' },
    { kind: 'api', uses: 1 },
    { kind: 'api', labels: { a: 'b' } },
    { kind: 'join', role: 'root' },
    { kind: 'join', ttlMs: -1 },
    { kind: 'join', uses: 0 },
    { kind: 'join', labels: { a: 1 } },
    { kind: 'join', extra: 1 },
  ])
    assert.is((await post(local, '/tokens', body)).status, 400, JSON.stringify(body))
})

writes('nodes are drained and activated by name or id, and named nearly', async () => {
  const { local, world } = await house(['ash', 'birch'])
  const drained = (await post(local, '/nodes/birch/drain', {})).json<WriteResult>()
  assert.is(drained.changed, true)
  assert.is(world.log.state.nodes.get('peer-birch' as NodeId)?.schedulable, false)
  assert.is((await post(local, '/nodes/peer-birch/drain', {})).json<WriteResult>().changed, false)
  assert.is((await post(local, '/nodes/birch/activate', {})).json<WriteResult>().changed, true)
  const unknown = await post(local, '/nodes/brich/drain', {})
  assert.equal([unknown.status, unknown.error().facts.guess], [404, 'birch'])
})

writes('a running node is not removed, a dead one is, and not against the quorum', async () => {
  const { local, world } = await house(['ash', 'birch', 'cedar'])
  const remove = (name: string): Promise<Answer> =>
    ask(local, `/tutti/v1/nodes/${name}`, { method: 'DELETE' })
  const die = (name: string): void => {
    const member = world.members.get(`peer-${name}`)
    assert.ok(member)
    world.members.set(member.id, { ...member, state: 'dead' })
  }
  const running = await remove('cedar')
  assert.equal([running.status, running.error().code], [409, 'E_CONFLICT'])
  assert.match(running.error().try ?? '', 'tutti leave')
  assert.is((await remove('ash')).status, 409)
  die('cedar')
  die('birch')
  const lost = await remove('cedar')
  assert.equal([lost.status, lost.error().code], [503, 'E_NO_QUORUM'])
  const birch = world.members.get('peer-birch')
  assert.ok(birch)
  world.members.set(birch.id, { ...birch, state: 'alive' })
  assert.is((await remove('cedar')).json<WriteResult>().changed, true)
  assert.is(world.log.state.nodes.get('peer-cedar' as NodeId)?.state, 'left')
  assert.is((await remove('cedar')).json<WriteResult>().changed, false)
})

writes('leadership is handed over by whichever node is asked', async () => {
  const { world, directory, consensus } = await house(['ash', 'birch'])
  const birch = { socketPath: join(directory, 'birch.sock') }
  const result = (await post(birch, '/transfer', { to: 'birch' })).json<WriteResult>()
  assert.is(result.message, 'ash has handed leadership to birch')
  assert.equal(consensus.transfers, ['peer-birch'])
  assert.is((await post(birch, '/transfer', { to: 'ash' })).json<WriteResult>().changed, false)
  world.deps('birch').consensus.pretend({ leader: null })
  assert.is((await post(birch, '/transfer', {})).error().code, 'E_NO_LEADER')
})

writes.run()
