/** Verbs that read, against a fake node: formats, streams, filters, hostile names. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { NodeView } from '../../node/api/native/schema.ts'
import { FakeApi } from '../harness/fake-api.ts'
import { event, pod, workload } from '../harness/fake-cluster.ts'
import { FakeTerminal, tutti } from '../harness/fake-terminal.ts'
import { until } from '../harness/run-command.ts'

const test = suite<{ api: FakeApi }>('lists')

test.before.each(async context => {
  context.api = await FakeApi.start()
})
test.after.each(async context => {
  await context.api.stop()
})

test('ps is a table of pods, and nothing else goes to stdout', async ({ api }) => {
  const { code, out, err } = await tutti(api.socket, ['ps'])
  assert.is(code, 0)
  assert.is(err, '')
  const lines = out.trimEnd().split('\n')
  assert.match(lines[0] ?? '', /^NAME\s+NODE\s+STATE\s+HEALTH\s+RESTARTS\s+AGE\s+PORTS\s+REASON$/)
  assert.match(
    lines[1] ?? '',
    /^web\.1\s+ash\s+● running\s+● healthy\s+0\s+65s\s+10\.0\.0\.11:20001->80\s+-$/,
  )
})

test('json, jsonl, yaml and name are the list as the API gives it', async ({ api }) => {
  const json = JSON.parse((await tutti(api.socket, ['ps', '-o', 'json'])).out)
  assert.equal(json, { apiVersion: 'tutti/v1', items: api.pods })
  const lines = (await tutti(api.socket, ['ps', '-o', 'jsonl'])).out.trimEnd().split('\n')
  assert.equal(
    lines.map(line => JSON.parse(line)),
    api.pods,
  )
  assert.match(
    (await tutti(api.socket, ['ps', '-o', 'yaml'])).out,
    /^apiVersion: tutti\/v1\nitems:\n {2}- id: pod1\n/,
  )
  assert.is((await tutti(api.socket, ['ps', '-q'])).out, 'web.1\nweb.2\nweb.3\n')
  assert.is((await tutti(api.socket, ['nodes', '-o', 'name'])).out, 'ash\nbirch\ncedar\n')
})

test('every list verb answers in every format', async ({ api }) => {
  for (const verb of [
    'ps',
    'jobs',
    'nodes',
    'status',
    'members',
    'raft',
    'actors',
    'token ls',
    'doctor',
    'events',
    'version',
  ]) {
    for (const format of ['table', 'wide', 'json', 'jsonl', 'yaml', 'name']) {
      const { code, out, err } = await tutti(api.socket, [...verb.split(' '), '-o', format])
      assert.is(code, 0, `${verb} -o ${format}: ${err}`)
      if (format === 'json') assert.is(JSON.parse(out).apiVersion, 'tutti/v1', verb)
    }
  }
})

test('targets choose pods, and --all asks for those that ended', async ({ api }) => {
  api.pods = [
    ...api.pods,
    pod(4, { state: 'stopped', node: 'ash' }),
    pod(5, { workload: 'api', name: 'api.1', id: 'x' }),
  ]
  const names = async (...argv: string[]): Promise<string> =>
    (await tutti(api.socket, ['ps', '-q', ...argv])).out.trim().replaceAll('\n', ' ')
  assert.is(await names('web'), 'web.1 web.2 web.3 web.4')
  assert.is(await names('web@ash'), 'web.1 web.4')
  await names('--all')
  assert.is(api.asked.at(-1)?.query.get('all'), '1')
  assert.is(await names('web.2', 'api'), 'web.2 api.1')
  assert.is(await names('node/cedar'), 'web.3')
})

test('an empty list says what to do on stderr and nothing on stdout', async ({ api }) => {
  api.pods = []
  const { out, err } = await tutti(api.socket, ['ps'])
  assert.is(out, '')
  assert.match(err, /tutti run/)
})

test('hostile names and reasons cannot move the cursor in any format', async ({ api }) => {
  api.pods = [pod(1, { name: 'web\u001b[2J.1', reason: '\u202eevil\r\u009b1A', state: 'failed' })]
  for (const format of ['table', 'wide', 'json', 'jsonl', 'yaml', 'name']) {
    const { out } = await tutti(api.socket, ['ps', '-o', format])
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not come out
    assert.not.match(out, /[\u001b\r\u009b\u202e]/, format)
    if (format === 'json') assert.is(JSON.parse(out).items[0].reason, '\u202eevil\r\u009b1A')
  }
})

test('status says who leads, how many failures it bears and how old it is', async ({ api }) => {
  const { out } = await tutti(api.socket, ['status'])
  assert.match(out, /leader\s+birch {2}term 8, index 241/)
  assert.match(out, /quorum\s+● ok · tolerates 1 failure/)
  api.status = { ...api.status, leader: null, hasQuorum: false, ageMs: 4000 }
  const lost = await tutti(api.socket, ['status'])
  assert.match(lost.out, /quorum\s+✗ lost/)
  assert.match(lost.out, /reads\s+4000 ms old/)
})

test('data that may be old is shown, with its age beside it on stderr', async ({ api }) => {
  api.ageMs = 14_500
  const { code, out, err } = await tutti(api.socket, ['ps', 'web', '-o', 'json'])
  assert.is(code, 0)
  assert.is(JSON.parse(out).items.length, 3)
  assert.match(err, /^old: data as of \d\d:\d\d:\d\d\.\d, 14s ago: birch hears of no leader\./)
  assert.is(err.match(/old:/g)?.length, 1, 'once, however many lists were read')
  api.ageMs = null
  assert.match((await tutti(api.socket, ['ps'])).err, 'data of unknown age: birch has heard of no leader')
  api.ageMs = 900
  assert.is((await tutti(api.socket, ['ps'])).err, '', 'an election is no news')
})

test('--consistency is passed on with every read, and with a dry run', async ({ api }) => {
  await tutti(api.socket, ['ps', '--consistency', 'linear'])
  await tutti(api.socket, ['--consistency', 'bounded:500ms', 'events'])
  await tutti(api.socket, ['run', '--name', 'x', '--dry-run', '--consistency', 'local', 'img'])
  await tutti(api.socket, ['ps'])
  assert.equal(
    api.asked.map(({ path, query }) => [path, query.get('consistency')]),
    [
      ['pods', 'linear'],
      ['events', 'bounded:500ms'],
      ['workloads', 'local'],
      ['pods', null],
    ],
  )
})

test('raft tells how far each follower trails', async ({ api }) => {
  assert.match(
    (await tutti(api.socket, ['raft'])).out,
    /FOLLOWER[^\n]*TRAILS BY[^\n]*\n\s*ash\s+voter\s+replicate\s+239\s+2\s+40ms ago\s+~2ms/,
  )
})

test('explain tells the sentences and the candidates, and knows the error codes', async ({ api }) => {
  const live = await tutti(api.socket, ['explain', 'web.1'])
  assert.match(live.out, /^web\.1 runs on cedar and is healthy\.\n/)
  assert.match(live.out, /cedar\s+0\.71\s+spread 0\.50, fit 0\.21/)
  assert.match(live.out, /ash\s+-\s+node ash is dead/)
  assert.match((await tutti(api.socket, ['explain', 'E_PLACEMENT'])).out, /exit 7, HTTP 409/)
  const wrong = await tutti(api.socket, ['explain', 'E_PLACMENT'])
  assert.is(wrong.code, 2)
  assert.match(wrong.err, /did you mean E_PLACEMENT/)
})

test('doctor fails when a check does, and tells what it tried when no node answers', async ({ api }) => {
  assert.is((await tutti(api.socket, ['doctor'])).code, 0)
  api.doctor = [
    { check: 'engine', state: 'failure', text: 'port 2375 is open to everybody', try: 'close it' },
  ]
  const sick = await tutti(api.socket, ['doctor'])
  assert.is(sick.code, 1)
  assert.match(sick.out, /engine\s+✗ failure\s+port 2375/)
  const dead = await tutti(`${api.directory}/none.sock`, ['doctor'])
  assert.is(dead.code, 1)
  assert.match(dead.out, /none\.sock: no such socket/)
})

test('--watch adds what changes and ends with 130', async ({ api }) => {
  const controller = new AbortController()
  const terminal = new FakeTerminal()
  const watching = tutti(api.socket, ['ps', '-w', '-o', 'jsonl'], { terminal, signal: controller.signal })
  await until('following events', 5000, () => (api.asked.some(each => each.path === 'events') ? true : null))
  api.pods = [pod(1), pod(2, { health: 'unhealthy' }), pod(3)]
  api.push(event('web.2', 'unhealthy'))
  await until(
    'the change',
    5000,
    () => (terminal.out.trimEnd().split('\n').length === 4 ? true : null),
    () => terminal.out,
  )
  assert.is(JSON.parse(terminal.out.trimEnd().split('\n')[3] ?? '').health, 'unhealthy')
  controller.abort()
  assert.is((await watching).code, 130)
})

test('jobs says what is pending', async ({ api }) => {
  api.workloads = [
    workload('web', 3, {
      isConverged: false,
      healthy: 2,
      pending: [{ slot: 3, reason: 'no node has zone moon' }],
    }),
  ]
  assert.match((await tutti(api.socket, ['jobs'])).out, /web\s+service\s+○ pending\s+2\/3/)
  assert.match((await tutti(api.socket, ['jobs', '-o', 'wide'])).out, /web\.3: no node has zone moon/)
})

test('jobs tells what is over from what is on its way', async ({ api }) => {
  const stateWith = async (change: Parameters<typeof workload>[2]): Promise<string> => {
    api.workloads = [workload('sum', 2, change)]
    return (await tutti(api.socket, ['jobs', '--ascii'])).out.split('\n')[1]?.split(/\s+/)[3] ?? ''
  }
  assert.is(await stateWith({ isConverged: false, healthy: 1, failed: 0 }), 'converging')
  assert.is(await stateWith({ isConverged: false, healthy: 0, failed: 1 }), 'converging')
  assert.is(await stateWith({ isConverged: false, healthy: 1, failed: 1 }), 'failed')
  assert.is(await stateWith({ kind: 'batch', running: 1 }), 'converged')
  assert.is(await stateWith({ kind: 'batch', running: 0 }), 'succeeded')
})

test('a pod between two runs is restarting, and nothing is claimed of health that is not known', async ({
  api,
}) => {
  const exited = { name: 'main', image: null, runtimeId: '1', state: 'exited', exitCode: 1 } as const
  api.pods = [
    pod(1, {
      health: 'unhealthy',
      containers: [exited],
      reason: 'exited with code 1; tried again after 1 s',
    }),
    pod(2, { state: 'preparing', health: 'unknown', containers: [] }),
  ]
  const { out } = await tutti(api.socket, ['ps'])
  assert.match(out, /web\.1\s+ash\s+✗ restarting\s+✗ unhealthy/)
  assert.match(out, /web\.2\s+birch\s+◐ preparing\s+-\s/)
})

test('a drained node is draining while it has pods, and one that left has no role', async ({ api }) => {
  const [ash, birch, cedar] = api.nodes
  api.nodes = [
    { ...ash!, schedulable: false },
    { ...birch!, schedulable: false, pods: 0 },
    { ...cedar!, state: 'left', role: 'learner', schedulable: false },
  ]
  const { out } = await tutti(api.socket, ['nodes'])
  assert.match(out, /ash\s+◐ draining\s+voter/)
  assert.match(out, /birch\s+○ drained\s+leader/)
  assert.match(out, /cedar\s+○ left\s+-\s/)
})

test('a name that nothing has is an error, an idle workload or node is an empty list', async ({ api }) => {
  const ask = (...argv: string[]) => tutti(api.socket, argv)
  for (const argv of [
    ['ps', 'wob'],
    ['ps', 'web', 'wob.2'],
    ['ps', 'web@oak'],
    ['ps', 'node/oak'],
    ['jobs', 'wob'],
    ['nodes', 'oak'],
  ]) {
    const { code, out, err } = await ask(...argv)
    assert.is(code, 3, argv.join(' '))
    assert.is(out, '')
    assert.match(err, /error: there is no (workload wob|node oak)\n {3}try: /)
  }
  assert.match((await ask('ps', 'wob')).err, /did you mean "web"/)
  api.pods = []
  for (const target of ['web', 'web.7', 'web@ash', 'node/ash']) {
    const { code, err } = await ask('ps', target)
    assert.is(code, 0, target)
    assert.is(err, `no pods of ${target}\n`)
  }
})

test('another node is asked for by ?node=', async ({ api }) => {
  const { out } = await tutti(api.socket, ['status', '-o', 'json'], { node: 'cedar' })
  assert.is(JSON.parse(out).items[0].node, 'cedar')
  assert.is(api.asked.at(-1)?.query.get('node'), 'cedar')
})

test('members tells what each counts for, why as the leader knows it, and how many may be lost', async ({
  api,
}) => {
  const member = (name: string, vote: 'counts' | 'missing' | 'learns', seat: string | null) => ({
    ...({
      id: `id-${name}`,
      name,
      state: 'alive',
      incarnation: 1,
      addresses: [],
      isConnected: true,
    } as const),
    ...{ vote, seat, diskMs: 4 },
  })
  api.members = [
    member('ash', 'counts', 'votes'),
    member('birch', 'counts', 'leads'),
    member('cedar', 'missing', 'silent for 3 s: replaced after 5 s'),
  ]
  api.status = {
    ...api.status,
    node: 'ash',
    leader: 'birch',
    voters: ['ash', 'birch', 'cedar'],
    toleratesCount: 0,
  }
  const { out, err } = await tutti(api.socket, ['members'])
  assert.match(out, /cedar +\S+ alive +yes +missing +silent for 3 s: replaced after 5 s +4ms/)
  assert.match(err, /3 nodes vote, 2 must agree: you can lose none of them/)
  assert.ok(
    api.asked.some(({ path, query }) => path === 'members' && query.get('node') === 'birch'),
    'the leader is asked why',
  )
  api.status = { ...api.status, toleratesCount: 1 }
  assert.match((await tutti(api.socket, ['members'])).err, /you can lose 1 more at once/)
})

test('nodes -o wide says how well each machine is, and a node on probation is not just alive', async ({
  api,
}) => {
  const [ash, birch, cedar] = api.nodes as [NodeView, NodeView, NodeView]
  const well = {
    protocol: 2,
    probationMs: null,
    losses: 0,
    ailing: null,
    health: 100,
    ailments: [],
    skewMs: 0,
  }
  api.nodes = [
    { ...ash, ...well, diskMs: 2 },
    { ...birch, ...well, health: 85, losses: 2, probationMs: 20_400, diskMs: 4, skewMs: -4_096 },
    {
      ...cedar,
      ...well,
      health: 40,
      schedulable: false,
      pods: 0,
      ailing: 'health 40 of 100: its disk',
      diskMs: 2_048,
    },
  ]
  const lines = (await tutti(api.socket, ['nodes', '-o', 'wide'])).out.split('\n')
  assert.match(lines[1] ?? '', /alive .* 2ms +agrees +100 /)
  assert.match(
    lines[2] ?? '',
    /on probation .* 4ms +4\.1s behind +85 .*lost 2 times: on probation for 21s more/,
  )
  assert.match(
    lines[3] ?? '',
    /drained .* 2048ms +agrees +40 .*drained by the cluster: health 40 of 100: its disk/,
  )
  assert.not.match((await tutti(api.socket, ['nodes'])).out, /HEALTH|CONDITION/)
})

test('nodes -o wide bears a node one version back, which says nothing of all that', async ({ api }) => {
  const { code, out } = await tutti(api.socket, ['nodes', '-o', 'wide'])
  assert.is(code, 0)
  assert.match(out.split('\n')[1] ?? '', /alive .* -( +-)+/)
})

test.run()
