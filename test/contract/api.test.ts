import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type {
  DoctorView,
  ExplainView,
  NodeView,
  PodView,
  StatusView,
  WorkloadView,
} from '../../node/api/native/schema.ts'
import { Failure } from '../../node/errors.ts'
import { ask, raw } from '../harness/api-client.ts'
import { closeAll, house, ROUTES, webFile } from '../harness/api-house.ts'
import { PRIVATE_KEY, spec } from '../harness/api-world.ts'

const reads = suite('api reads')
reads.after.each(closeAll)

reads('every reply says how fresh it is and whose', async () => {
  const { world, local, consensus } = await house()
  consensus.pretend({ ageMs: 12.4, term: 7 })
  for (const path of [
    '/tutti/v1/status',
    '/tutti/v1/nothing',
    '/tutti/v1/workloads/none',
    '/tutti/v1/events',
  ]) {
    const { headers } = await ask(local, path)
    assert.equal(
      [headers['tutti-index'], headers['tutti-term'], headers['tutti-age-ms'], headers['tutti-node']],
      [String(world.log.state.index), '7', '12', 'ash'],
    )
  }
  const { meta } = (await ask(local, '/tutti/v1/nodes')).json<{ meta: unknown }>()
  assert.equal(meta, { node: 'ash', index: world.log.state.index, term: 7, ageMs: 12 })
})

reads('lists have what the contract says', async () => {
  const { world, local } = await house(['ash', 'birch', 'cedar'])
  world.apply(spec('web', { count: 3 }))
  world.settle()
  const [status] = (await ask(local, '/tutti/v1/status')).items<StatusView>()
  assert.equal(
    [status?.cluster, status?.node, status?.leader, status?.hasQuorum, status?.toleratesCount],
    ['quartet', 'ash', 'ash', true, 1],
  )
  assert.equal(
    [status?.nodes, status?.pods],
    [
      { alive: 3, total: 3 },
      { healthy: 3, wanted: 3 },
    ],
  )
  assert.equal(
    (await ask(local, '/tutti/v1/nodes')).items<NodeView>().map(node => node.name),
    ['ash', 'birch', 'cedar'],
  )
  assert.is((await ask(local, '/tutti/v1/pods')).items<PodView>().length, 3)
  assert.is((await ask(local, '/tutti/v1/pods?workload=db')).items<PodView>().length, 0)
  assert.is((await ask(local, '/tutti/v1/workloads/web')).items<WorkloadView>()[0]?.isConverged, true)
  assert.ok(
    ((await ask(local, '/tutti/v1/explain/web.1')).items<ExplainView>()[0]?.sentences.length ?? 0) > 0,
  )
  for (const path of ['members', 'raft', 'actors', 'version'])
    assert.is((await ask(local, `/tutti/v1/${path}`)).json<{ apiVersion: string }>().apiVersion, 'tutti/v1')
})

reads('the doctor looks at everything and compares clocks with the peers', async () => {
  const { local } = await house(['ash', 'birch'])
  const checks = (await ask(local, '/tutti/v1/doctor')).items<DoctorView>()
  assert.is(checks.find(({ check }) => check === 'runtime')?.text, 'the fake runtime answers')
  assert.match(checks.find(({ check }) => check === 'clock')?.text ?? '', 'agrees with one other node')
  assert.is(checks.find(({ check }) => check === 'replica')?.text, 'the same state as one other node')
  assert.is(checks.find(({ check }) => check === 'data directory')?.state, 'failure', '/tmp is open to all')
})

reads('a linear read waits for the leader, a local one answers without', async () => {
  const { local, consensus } = await house()
  consensus.fail(new Failure('E_NO_QUORUM', 'no quorum'))
  assert.is((await ask(local, '/tutti/v1/pods')).status, 200)
  const answer = await ask(local, '/tutti/v1/pods?consistency=linear')
  assert.equal([answer.status, answer.error().code], [503, 'E_NO_QUORUM'])
  consensus.fail(null)
  assert.is((await ask(local, '/tutti/v1/pods?consistency=linear')).status, 200)
})

reads('every read takes a consistency, and a wrong one is told the three forms', async () => {
  const { world, local, consensus } = await house(['ash', 'birch'])
  world.apply(spec('web'))
  const gets = ROUTES.filter(({ method }) => method === 'GET').map(({ path }) => path)
  for (const path of gets) {
    const wrong = await ask(local, `/tutti/v1${path}?consistency=eventual`)
    assert.equal([wrong.status, wrong.error().code], [400, 'E_INVALID'], path)
    assert.match(wrong.error().message, 'local, linear or bounded:DURATION')
    assert.is((await ask(local, `/tutti/v1${path}?consistency=bounded:1m`)).status, 200, path)
  }
  consensus.fail(new Failure('E_NO_QUORUM', 'no quorum'))
  for (const path of gets) {
    const linear = await ask(local, `/tutti/v1${path}?consistency=linear&timeout=100`)
    assert.equal([linear.status, linear.error().code], [503, 'E_NO_QUORUM'], path)
    assert.is(
      (await ask(local, `/tutti/v1${path}?consistency=bounded:1m`)).status,
      200,
      'it was asked just now',
    )
    assert.is((await ask(local, `/tutti/v1${path}?consistency=bounded:0ms`)).status, 503, path)
  }
})

reads('a read at another node is as fresh as asked for there, and carries that node’s age', async () => {
  const { world, local, consensus } = await house(['ash', 'birch'])
  const birch = world.deps('birch').consensus
  consensus.pretend({ ageMs: 4, term: 7 })
  birch.pretend({ ageMs: 5_000, term: 6 })
  for (const path of ['nodes', 'events', 'workloads/none']) {
    const { headers } = await ask(local, `/tutti/v1/${path}?node=birch`)
    assert.equal(
      [headers['tutti-node'], headers['tutti-term'], headers['tutti-age-ms']],
      ['birch', '6', '5000'],
      path,
    )
  }
  birch.fail(new Failure('E_NO_QUORUM', 'no quorum'))
  assert.is((await ask(local, '/tutti/v1/nodes?node=birch&consistency=linear')).status, 503)
  assert.is((await ask(local, '/tutti/v1/nodes?consistency=linear')).status, 200)
})

reads('what is changed by what is read is read linearly', async () => {
  const { world, local, consensus } = await house(['ash', 'birch', 'cedar'])
  world.apply(spec('web'))
  const before = world.log.state.index
  consensus.fail(new Failure('E_NO_QUORUM', 'no quorum'))
  for (const [method, path, body] of [
    ['POST', '/workloads', { spec: webFile(2), dryRun: true }],
    ['POST', '/nodes/birch/drain', {}],
    ['POST', '/nodes/birch/activate', {}],
    ['DELETE', '/nodes/cedar', undefined],
  ] as const) {
    const answer = await ask(local, `/tutti/v1${path}`, { method, body })
    assert.equal([answer.status, answer.error().code], [503, 'E_NO_QUORUM'], path)
  }
  const dry = await ask(local, '/tutti/v1/workloads?consistency=local', {
    method: 'POST',
    body: { spec: webFile(2), dryRun: true },
  })
  assert.is(dry.status, 200, 'unless less is asked for')
  assert.is(world.log.state.index, before)
})

reads('no secret of the cluster leaves by any read', async () => {
  const { world, local } = await house(['ash', 'birch', 'cedar'])
  world.apply(spec('web'))
  world.settle()
  const secrets = [PRIVATE_KEY, 'ab'.repeat(32)]
  for (const { method, path } of ROUTES) {
    if (method !== 'GET') continue
    const { text } = await ask(local, `/tutti/v1${path}`)
    for (const secret of secrets) assert.not.ok(text.includes(secret), path)
  }
})

reads.run()

const bad = suite('api and bad input')
bad.after.each(closeAll)

bad('whatever the body is, the reply is an error of the caller, and nothing changes', async () => {
  const { local, world } = await house()
  const before = world.log.state.index
  const bodies = [
    '{',
    '[]',
    '"x"',
    'null',
    '1',
    '{"spec":',
    `{"spec":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    '{"__proto__":{"x":1}}',
    '{"constructor":1}',
    '{"spec":{"__proto__":{"name":"x"}}}',
    '\u0000',
    '{"spec":null}',
    '{"spec":{},"extra":1}',
    '{"spec":{},"dryRun":"yes"}',
    '{"spec":{},"checkIndex":-1}',
  ]
  for (const body of bodies) {
    const answer = await ask(local, '/tutti/v1/workloads', { method: 'POST', body })
    assert.is(answer.status, 400, body.slice(0, 40))
    assert.is(answer.error().code, 'E_INVALID', body.slice(0, 40))
  }
  assert.is(world.log.state.index, before)
})

bad('bytes that are no UTF-8 are refused', async () => {
  const { local } = await house()
  const answer = await raw(
    local,
    'POST /tutti/v1/workloads HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n\xc3\x28'.replace(
      '\xc3\x28',
      '"\ud800',
    ),
  )
  assert.match(answer, /^HTTP\/1\.1 400 /)
})

bad('a body over the limit is refused, declared or not', async () => {
  const { local } = await house()
  const large = JSON.stringify({ spec: 'x'.repeat(1024 * 1024) })
  for (const headers of [
    { 'content-length': String(Buffer.byteLength(large)) },
    { 'transfer-encoding': 'chunked' },
  ]) {
    const answer = await ask(local, '/tutti/v1/workloads', { method: 'POST', body: large, headers })
    assert.equal([answer.status, answer.error().code], [413, 'E_TOO_LARGE'])
  }
})

bad('a method that a path does not take is told which it takes', async () => {
  const { local } = await house()
  for (const method of ['PUT', 'PATCH', 'HEAD']) {
    const answer = await ask(local, '/tutti/v1/pods', { method })
    assert.is(answer.status, 405)
    assert.is(answer.headers.allow, 'GET')
  }
})

bad('what is no HTTP ends with a refusal, and the node lives on', async () => {
  const { local } = await house()
  for (const bytes of [
    '\x16\x03\x01\x02\x00\x01\x00',
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
    'POST /tutti/v1/workloads HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n',
    'GET http://evil.example/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    'GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
  ])
    assert.match(await raw(local, bytes), /^HTTP\/1\.1 4\d\d /, JSON.stringify(bytes.slice(0, 40)))
  assert.is((await ask(local, '/tutti/v1/status')).status, 200)
})

bad('strange targets are not found, and nothing falls over', async () => {
  const { local } = await house()
  for (const target of [
    '..',
    '%2e%2e%2f',
    'a'.repeat(300),
    '%00',
    'web.99999999999',
    '@',
    'web@',
    '🎻',
    '__proto__',
  ])
    for (const path of [
      `explain/${encodeURIComponent(target)}`,
      `logs/${encodeURIComponent(target)}`,
      `workloads/${encodeURIComponent(target)}`,
    ])
      assert.is((await ask(local, `/tutti/v1/${path}`)).status, 404, path)
})

bad.run()
