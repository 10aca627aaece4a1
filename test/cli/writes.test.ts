/** Verbs that write, against a fake node: what is sent, what is said, and the exit codes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FakeApi } from '../harness/fake-api.ts'
import { pod, TOKEN, workload } from '../harness/fake-cluster.ts'
import { FakeTerminal, tutti } from '../harness/fake-terminal.ts'
import { until } from '../harness/run-command.ts'

const test = suite<{ api: FakeApi }>('writes')

test.before.each(async context => {
  context.api = await FakeApi.start()
})
test.after.each(async context => {
  await context.api.stop()
})

test('run sends the workload with a request id, waits, and says where it runs', async ({ api }) => {
  const { code, out, err } = await tutti(api.socket, ['run', '--name', 'web', '--count', '3', 'nginx:1.27'])
  assert.is(code, 0, err)
  assert.is(out, '')
  assert.match(err, /✔ web 3\/3 healthy {2}\(ash, birch, cedar\) {2}\d+\.\ds · index 241\n$/)
  const [write] = api.writes
  assert.is(write?.path, 'workloads')
  assert.equal(write?.body, {
    spec: { name: 'web', count: 3, pod: { containers: [{ image: 'nginx:1.27' }] } },
  })
  assert.match(write?.requestId ?? '', /^[0-9a-f-]{36}$/)
})

test('run --dry-run and --check-index are passed on, and nothing is waited for', async ({ api }) => {
  api.workloads = []
  const { code } = await tutti(api.socket, ['run', '--name', 'x', '--dry-run', '--check-index', '7', 'img'])
  assert.is(code, 0)
  assert.equal(api.writes[0]?.body, {
    spec: { name: 'x', pod: { containers: [{ image: 'img' }] } },
    checkIndex: 7,
    dryRun: true,
  })
})

test('when nothing fits, run ends with 7 and the reason', async ({ api }) => {
  api.pods = []
  const reason = 'no node fits: 3 nodes lack zone==moon'
  api.workloads = [
    workload('web', 1, { isConverged: false, running: 0, healthy: 0, pending: [{ slot: 1, reason }] }),
  ]
  const { code, err } = await tutti(api.socket, [
    'run',
    '--name',
    'web',
    '--constraint',
    'zone==moon',
    'nginx',
  ])
  assert.is(code, 7)
  assert.match(err, /○ pending\s+web\.1/)
  assert.match(
    err,
    /error: no node can take web\.1\n {3}why: no node fits: 3 nodes lack zone==moon\n {3}try: tutti explain web\.1/,
  )
})

test('when a pod fails, run ends with 8 and the reason', async ({ api }) => {
  api.pods = [pod(1, { state: 'failed', health: 'none', reason: 'image nginx:9 not found' })]
  api.workloads = [workload('web', 1, { isConverged: false, healthy: 0 })]
  const { code, err } = await tutti(api.socket, ['run', '--name', 'web', 'nginx:9'])
  assert.is(code, 8)
  assert.match(err, /why: image nginx:9 not found/)
  assert.match(err, /code: E_DEPLOY_FAILED/)
})

test('a pod that keeps restarting is a failed deploy', async ({ api }) => {
  api.pods = [pod(1, { state: 'starting', health: 'unknown', restarts: 3 })]
  api.workloads = [workload('web', 1, { isConverged: false, healthy: 0 })]
  assert.is((await tutti(api.socket, ['run', '--name', 'web', '--', 'false'])).code, 8)
})

test('a command that can never be started is a failed deploy', async ({ api }) => {
  const reason = (delay: string): string => `The command /no/such cannot be run; tried again after ${delay}`
  api.pods = [pod(1, { state: 'starting', health: 'unknown', reason: reason('500 ms') })]
  api.workloads = [workload('web', 1, { isConverged: false, healthy: 0 })]
  const terminal = new FakeTerminal()
  const running = tutti(api.socket, ['run', '--name', 'web', '--', '/no/such'], { terminal })
  for (const delay of ['500 ms', '1 s', '2 s']) {
    api.pods = [pod(1, { state: 'starting', health: 'unknown', reason: reason(delay) })]
    await until(`the reason with ${delay}`, 5000, () => (terminal.err.includes(delay) ? true : null))
  }
  assert.is((await running).code, 8)
})

test('--timeout ends with 124 and tells how far it came', async ({ api }) => {
  api.pods = [pod(1, { state: 'starting', health: 'starting' })]
  api.workloads = [workload('web', 3, { isConverged: false, healthy: 0 })]
  const { code, err } = await tutti(api.socket, ['run', '--name', 'web', '--timeout', '400ms', 'nginx'])
  assert.is(code, 124)
  assert.match(err, /web is not there yet: 0 of 3 healthy/)
})

test('Ctrl-C detaches and tells how to look again', async ({ api }) => {
  api.pods = [pod(1, { state: 'starting', health: 'starting' })]
  api.workloads = [workload('web', 3, { isConverged: false, healthy: 0 })]
  const controller = new AbortController()
  const terminal = new FakeTerminal({ isTTY: true })
  const running = tutti(api.socket, ['run', '--name', 'web', 'nginx'], {
    signal: controller.signal,
    terminal,
  })
  await until('progress', 5000, () => (terminal.err.includes('web.1') ? true : null))
  controller.abort()
  const { code, err } = await running
  assert.is(code, 130)
  assert.match(err, /detached: web goes on by itself\. Look again: tutti ps -w web/)
  assert.is(api.writes.length, 1, 'nothing was cancelled')
})

test('on a terminal progress is redrawn in place', async ({ api }) => {
  api.pods = [pod(1, { state: 'starting', health: 'starting' })]
  api.workloads = [workload('web', 1, { isConverged: false, healthy: 0 })]
  const terminal = new FakeTerminal({ isTTY: true })
  const running = tutti(api.socket, ['run', '--name', 'web', 'nginx'], { terminal })
  await until('progress', 5000, () => (terminal.err.includes('starting') ? true : null))
  api.pods = [pod(1)]
  api.workloads = [workload('web', 1)]
  assert.is((await running).code, 0)
  assert.ok(terminal.err.includes('\u001b[1A\u001b[0J'))
})

const FILE = 'name: web\ncount: 3\npod:\n  containers:\n    - image: nginx:1.27\n'

test('apply reads stdin and sends each document', async ({ api }) => {
  api.workloads = [workload('web', 3), workload('api', 3)]
  const input = `${FILE}---\n${FILE.replace('web', 'api')}`
  const { code, err } = await tutti(api.socket, ['apply', '-f', '-', '-d'], { input })
  assert.is(code, 0, err)
  assert.equal(
    api.writes.map(each => (each.body as { spec: { name: string } }).spec.name),
    ['web', 'api'],
  )
})

test('apply refuses a wrong file with its place before it sends anything', async ({ api }) => {
  const { code, err } = await tutti(api.socket, ['apply', '-f', '-'], {
    input: FILE.replace('image', 'imagee'),
  })
  assert.is(code, 2)
  assert.match(
    err,
    /stdin:5:7 {2}pod\.containers\[0\]\.imagee: is not a known field — did you mean "image"\?/,
  )
  assert.is(api.asked.length, 0)
  const missing = await tutti(api.socket, ['apply', '-f', '/no/such.yaml'])
  assert.is(missing.code, 2)
})

test('what was written never looks undone, though another node answers that has not heard of it', async ({
  api,
}) => {
  api.nodes = api.nodes.map(node => ({ ...node, pods: 0 }))
  api.readIndex = api.status.index - 1
  const { code } = await tutti(api.socket, ['drain', 'ash'])
  assert.is(code, 0)
  assert.equal(
    api.asked.map(({ path, query }) => [path, query.get('consistency')]),
    [
      ['nodes/ash/drain', null],
      ['nodes', null],
      ['nodes', 'linear'],
    ],
  )
})

test('scale, stop, restart, rm, drain, activate, voters and zone-loss reach their routes', async ({
  api,
}) => {
  api.nodes = api.nodes.map(node => ({ ...node, pods: 0 }))
  const sent = async (...argv: string[]): Promise<string> => {
    const { code, err } = await tutti(api.socket, argv)
    assert.is(code, 0, err)
    const write = api.writes.at(-1)
    return `${write?.method} ${write?.path} ${JSON.stringify(write?.body)}`
  }
  assert.is(await sent('scale', 'web=5'), 'POST workloads/web/scale {"count":5}')
  assert.is(await sent('stop', 'web'), 'POST workloads/web/stop {}')
  assert.is(await sent('restart', 'web', '-d'), 'POST workloads/web/restart {}')
  assert.is(await sent('rm', 'web'), 'DELETE workloads/web null')
  assert.is(await sent('drain', 'node/ash'), 'POST nodes/ash/drain {}')
  assert.is(await sent('activate', 'ash'), 'POST nodes/ash/activate {}')
  assert.is(await sent('voters', '7'), 'POST voters {"count":7}')
  assert.is(await sent('zone-loss', '5m'), 'POST zone-loss {"waitMs":300000}')
  assert.is(await sent('zone-loss', 'never'), 'POST zone-loss {"waitMs":null}')
  assert.is(await sent('token', 'revoke', 'b7k'), 'DELETE tokens/b7k null')
  assert.is(await sent('leave'), 'POST leave {}')
})

test('a dead node is removed without a question, whatever it was; whether one lives is for the node to judge', async ({
  api,
}) => {
  api.status = { ...api.status, toleratesCount: 0 }
  for (const argv of [
    ['rm', 'node/ash'],
    ['node', 'rm', 'ash'],
  ])
    assert.is((await tutti(api.socket, argv)).code, 0)
  assert.equal(
    api.writes.map(({ method, path }) => `${method} ${path}`),
    ['DELETE nodes/ash', 'DELETE nodes/ash'],
  )
  api.refusal = { code: 'E_CONFLICT', message: 'ash is running', try: 'on ash: tutti leave' }
  const refused = await tutti(api.socket, ['node', 'rm', 'ash'])
  assert.is(refused.code, 4)
  assert.match(refused.err, /try: on ash: tutti leave/)
})

test('leaving as the last voter that counts asks first', async ({ api }) => {
  api.status = { ...api.status, toleratesCount: 0 }
  assert.is((await tutti(api.socket, ['leave'])).code, 2)
  assert.is(api.writes.length, 0)
  assert.is((await tutti(api.socket, ['leave', '-y'])).code, 0)
})

test('token create prints the line to paste on stdout, -q the token alone', async ({ api }) => {
  const made = await tutti(api.socket, [
    'token',
    'create',
    '--uses',
    '5',
    '--ttl',
    '24h',
    '--label',
    'zone=eu',
  ])
  assert.is(made.out.trim(), `TUTTI_TOKEN=${TOKEN} tutti start --join 10.0.0.11:7701`)
  assert.equal(api.writes[0]?.body, { kind: 'join', uses: 5, ttlMs: 86_400_000, labels: { zone: 'eu' } })
  assert.is((await tutti(api.socket, ['token', 'create', '-q'])).out, `${TOKEN}\n`)
  assert.is((await tutti(api.socket, ['token', 'create', '--kind', 'join', '--role', 'admin'])).code, 2)
  await tutti(api.socket, ['token', 'create', '--kind', 'api', '--role', 'viewer', '--uses', 'any'])
  assert.equal(api.writes.at(-1)?.body, { kind: 'api', role: 'viewer', uses: null })
})

test('what the node refuses keeps its words, its code and its exit code', async ({ api }) => {
  api.refusal = {
    code: 'E_NO_QUORUM',
    message: '1 of 3 voters reachable',
    why: 'ash and cedar are dead',
    try: 'start ash',
  }
  const { code, out, err } = await tutti(api.socket, ['rm', 'web'])
  assert.is(code, 6)
  assert.is(out, '')
  assert.match(
    err,
    /^error: 1 of 3 voters reachable\n {3}why: ash and cedar are dead\n {3}try: start ash\n {2}code: E_NO_QUORUM/,
  )
  api.refusal = { code: 'E_CONFLICT', message: 'it is newer' }
  assert.is((await tutti(api.socket, ['rm', 'web'])).code, 4)
  assert.is((await tutti(api.socket, ['scale', 'nothing=1', '-d'])).code, 4)
})

test('without a node the addresses that were tried are named, exit 6', async ({ api }) => {
  const environment = { TUTTI_CONNECT: 'unix:/no/such.sock,http://127.0.0.1:1' }
  const { code, err } = await tutti(api.socket, ['ps'], { environment })
  assert.is(code, 6)
  assert.match(
    err,
    /why: tried unix:\/no\/such\.sock: no such socket, then http:\/\/127\.0\.0\.1:1: nobody listens there/,
  )
  const second = await tutti(api.socket, ['ps'], {
    environment: { TUTTI_CONNECT: `unix:/no/such.sock,unix:${api.socket}` },
  })
  assert.is(second.code, 0, 'the next address is tried')
})

test('the summary of a batch counts each slot once, and never speaks of health', async ({ api }) => {
  api.workloads = [workload('web', 2, { kind: 'batch', generation: 2, running: 0 })]
  const ended = { state: 'succeeded', health: 'none', workload: 'web' } as const
  api.pods = [
    pod(1, { ...ended, id: 'old1', generation: 1 }),
    pod(2, { ...ended, id: 'old2', generation: 1 }),
    pod(1, { ...ended, generation: 2 }),
    pod(2, { ...ended, generation: 2 }),
  ]
  const { err } = await tutti(api.socket, ['restart', 'web'])
  assert.match(err, /✔ web 2\/2 succeeded {2}\(ash, birch\)/)
})

test('where nobody can be asked, the danger is told once', async ({ api }) => {
  api.status = { ...api.status, toleratesCount: 0 }
  const { code, err } = await tutti(api.socket, ['leave'])
  assert.is(code, 2)
  assert.match(err, /^error: birch is a voter/)
  assert.is(err.match(/is a voter/g)?.length, 1)
})

test('a flag that cannot be read leads to the help of its verb', async ({ api }) => {
  const { code, err } = await tutti(api.socket, ['run', '--name', 'x', '--count', 'many', 'nginx'])
  assert.is(code, 2)
  assert.match(err, /try: tutti run --help/)
})

test.run()
