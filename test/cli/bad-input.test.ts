/** Bad input of every kind against real nodes: a clear error, nothing changed, nobody harmed. */
import { connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DemoNode } from '../../cli/demo/demo-node.ts'
import { LocalCluster } from '../harness/local-cluster.ts'
import { prng } from '../harness/prng.ts'
import { type Finished, run } from '../harness/run-command.ts'

const test = suite<{ cluster: LocalCluster; first: DemoNode }>('bad input')

test.before(async context => {
  context.cluster = await LocalCluster.start(1)
  context.first = context.cluster.node(0)
})

test.after(async context => {
  await context.cluster?.stop()
})

/** What a node measures of itself changes by itself. */
const MEASURES: ReadonlySet<string> = new Set(['diskMs', 'skewMs', 'health', 'ailments'])

const digest = async (cluster: LocalCluster): Promise<string> => {
  const node = cluster.node(0)
  const parts = await Promise.all(['jobs', 'nodes'].map(verb => cluster.tutti(node, [verb, '-o', 'json'])))
  return parts.map(part => JSON.stringify(itemsOf(part))).join()
}

const itemsOf = ({ stdout }: Finished): unknown =>
  (JSON.parse(stdout, (key, value) => (MEASURES.has(key) ? undefined : value)) as { items: unknown }).items

/** The command fails with this exit code and says all of these; the cluster is as before and still answers. */
const refused = async (
  cluster: LocalCluster,
  exit: number,
  says: readonly RegExp[],
  act: () => Promise<Finished>,
): Promise<void> => {
  const before = await digest(cluster)
  const done = await act()
  assert.is(done.code, exit, `exit ${done.code}: ${done.stdout}${done.stderr}`)
  for (const pattern of says) assert.match(done.stderr, pattern)
  assert.is(await digest(cluster), before, 'nothing changed')
}

test('an unknown field is refused with its place and a guess', ({ cluster, first }) =>
  refused(cluster, 2, [/:5:\d+/, /imagee/, /did you mean "image"/], () =>
    cluster.tutti(
      first,
      ['apply', '-f', '-'],
      'name: web\nkind: service\npod:\n  containers:\n    - imagee: nginx\n',
    ),
  ))

test('a wrong type is refused with its place', ({ cluster, first }) =>
  refused(cluster, 2, [/:2:\d+/, /count/], () =>
    cluster.tutti(
      first,
      ['apply', '-f', '-'],
      'name: web\ncount: lots\npod:\n  containers:\n    - command: [sleep, "1"]\n',
    ),
  ))

test('an impossible constraint is refused in time with the reason, and takes nothing away', async ({
  cluster,
  first,
}) => {
  const done = await cluster.tutti(first, [
    'run',
    '--name',
    'picky',
    '--constraint',
    'zone==moon',
    '--timeout',
    '5s',
    '--',
    'sleep',
    '60',
  ])
  assert.is(done.code, 7, done.stderr)
  assert.match(done.stderr + done.stdout, /zone/)
  const pods = await cluster.tutti(first, ['ps', '-o', 'json'])
  const [pod] = (JSON.parse(pods.stdout) as { items: { state: string; reason: string }[] }).items
  assert.is(pod?.state, 'pending')
  assert.match(pod?.reason ?? '', /zone/)
  assert.is((await cluster.tutti(first, ['rm', 'picky'])).code, 0)
})

test('a command that does not exist gives its reason in ps', async ({ cluster, first }) => {
  await cluster.tutti(first, ['run', '--name', 'ghost', '--timeout', '6s', '--', '/no/such/program'])
  const pods = await cluster.tutti(first, ['ps', '-o', 'json'])
  const reasons = (JSON.parse(pods.stdout) as { items: { name: string; reason: string | null }[] }).items.map(
    pod => pod.reason ?? '',
  )
  assert.ok(
    reasons.some(reason => /\/no\/such\/program/.test(reason)),
    JSON.stringify(reasons),
  )
  const told = await cluster.tutti(first, ['explain', 'ghost.1'])
  assert.match(told.stdout, /\/no\/such\/program/)
  assert.is((await cluster.tutti(first, ['rm', 'ghost'])).code, 0)
})

const joinWith = (cluster: LocalCluster, token: string, name: string): Promise<Finished> =>
  run(
    process.execPath,
    [
      'cli/bin.mjs',
      'start',
      '--name',
      name,
      '--data',
      `${cluster.directory}/${name}`,
      '--listen',
      '127.0.77.9:7701',
      '--api',
      'off',
      '--runtime',
      'process',
      '--join',
      cluster.node(0).peerAddress,
    ],
    {
      timeoutMs: 30_000,
      env: { ...process.env, TUTTI_TOKEN: token, NO_COLOR: '1' },
    },
  )

test('a malformed token is refused before anything is sent', ({ cluster }) =>
  refused(cluster, 2, [/token/i, /E_JOIN_TOKEN_MALFORMED/], () =>
    joinWith(cluster, 'tutti1_not-a-token', 'stranger'),
  ))

test('a token of another cluster is refused by the joiner itself', async ({ cluster }) => {
  const token = await cluster.createToken(1)
  const [version, id, , secret] = token.split('_')
  await refused(cluster, 5, [/E_JOIN_WRONG_CLUSTER/], () =>
    joinWith(cluster, [version, id, 'a'.repeat(26), secret].join('_'), 'stranger'),
  )
})

test('a wrong secret, a spent token and a revoked token are refused', async ({ cluster, first }) => {
  const token = await cluster.createToken(1)
  const parts = token.split('_')
  const last = parts[3] as string
  const wrong = [...parts.slice(0, 3), (last.startsWith('a') ? 'b' : 'a') + last.slice(1)].join('_')
  await refused(cluster, 5, [/E_JOIN_TOKEN_UNKNOWN/], () => joinWith(cluster, wrong, 'stranger'))
  assert.is((await cluster.tutti(first, ['token', 'revoke', parts[1] as string])).code, 0)
  await refused(cluster, 5, [/E_JOIN_TOKEN_REVOKED/, /token create/], () =>
    joinWith(cluster, token, 'stranger'),
  )
})

test('a port in use and a used data directory are told apart, and the running node lives on', async ({
  cluster,
  first,
}) => {
  const start = (data: string, listen: string) =>
    run(
      process.execPath,
      [
        'cli/bin.mjs',
        'start',
        '--name',
        'twin',
        '--data',
        data,
        '--listen',
        listen,
        '--api',
        'off',
        '--runtime',
        'process',
      ],
      { timeoutMs: 30_000 },
    )
  await refused(cluster, 1, [/E_PORT_IN_USE/, /7701/], () =>
    start(`${cluster.directory}/twin`, first.peerAddress),
  )
  await refused(cluster, 4, [/data directory/], () => start(first.directory, '127.0.77.9:7701'))
})

test('a dead Docker socket is named', ({ cluster }) =>
  refused(cluster, 1, [/E_RUNTIME_UNAVAILABLE/, /no-such\.sock/], () =>
    run(
      process.execPath,
      [
        'cli/bin.mjs',
        'start',
        '--data',
        `${cluster.directory}/dead`,
        '--listen',
        '127.0.77.9:7701',
        '--api',
        'off',
        '--runtime',
        'docker',
        '--docker-socket',
        '/tmp/no-such.sock',
      ],
      { timeoutMs: 30_000 },
    ),
  ))

test('malformed frames and strangers on the peer port harm nobody', async ({ cluster, first }) => {
  const before = await digest(cluster)
  const dice = prng(8)
  for (let round = 0; round < 12; round++) await throwGarbage(first.address, 7701, dice)
  assert.is(first.hasEnded(), false)
  assert.is(await digest(cluster), before)
})

const throwGarbage = (host: string, port: number, dice: ReturnType<typeof prng>): Promise<void> =>
  new Promise(resolve => {
    const socket = connect(port, host)
    const bytes = Buffer.from(Array.from({ length: dice.between(1, 4_096) }, () => dice.between(0, 255)))
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
    socket.write(dice.chance(0.3) ? Buffer.concat([Buffer.from('\x13/multistream/1.0.0\n'), bytes]) : bytes)
    socket.end()
    socket.setTimeout(500, () => socket.destroy())
  })

test('the API on TCP answers nobody without a token', async ({ cluster, first }) => {
  const connection = `http://${first.address}:7700`
  const done = await run(process.execPath, ['cli/bin.mjs', 'ps'], {
    timeoutMs: 20_000,
    env: { ...process.env, TUTTI_CONNECT: connection, TUTTI_TOKEN: '' },
  })
  assert.is(done.code, 5, done.stderr)
  assert.is((await fetch(`${connection}/tutti/v1/nodes`)).status, 401)
  assert.is((await fetch(`${connection}/no/such/path`)).status, 401)
  assert.is(cluster.node(0).hasEnded(), false)
})

test.run()
