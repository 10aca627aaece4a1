/** The command line against the real API server over a small cluster: both sides of the contract in one room. */
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closeAll, house } from '../harness/api-house.ts'
import { spec } from '../harness/api-world.ts'
import { FakeTerminal, type Told, tutti } from '../harness/fake-terminal.ts'

const test = suite('the command line and the real API')
test.after.each(closeAll)

const open = async (): Promise<{
  readonly world: Awaited<ReturnType<typeof house>>['world']
  readonly ask: (...argv: string[]) => Promise<Told>
}> => {
  const { world, directory } = await house()
  world.apply(spec('web', { count: 2 }))
  world.settle()
  return { world, ask: (...argv) => tutti(join(directory, 'ash.sock'), argv) }
}

test('every reading verb is answered in every format', async () => {
  const { ask } = await open()
  for (const verb of [
    'ps',
    'ps --all',
    'jobs',
    'nodes',
    'status',
    'members',
    'raft',
    'actors',
    'token ls',
    'audit',
    'events',
    'version',
    'explain web',
    'explain web.1',
    'explain node/ash',
  ]) {
    for (const format of ['table', 'wide', 'json', 'jsonl', 'yaml', 'name']) {
      const { code, out, err } = await ask(...verb.split(' '), '-o', format)
      assert.is(code, 0, `${verb} -o ${format}: ${err}`)
      assert.not.match(out, /undefined|NaN|\[object/, `${verb} -o ${format}`)
    }
  }
  assert.is((await ask('ps', '-q')).out, 'web.1\nweb.2\n')
})

test('what json promises is there', async () => {
  const { ask } = await open()
  const first = async (verb: string): Promise<Record<string, unknown>> => {
    const body = JSON.parse((await ask(verb, '-o', 'json')).out)
    assert.is(body.apiVersion, 'tutti/v1')
    return body.items[0]
  }
  const promised = {
    nodes: ['id', 'name', 'address', 'state', 'role', 'labels', 'capacity', 'pods'],
    ps: ['id', 'name', 'workload', 'slot', 'node', 'state', 'health', 'restarts', 'reason', 'containers'],
    status: ['cluster', 'node', 'leader', 'term', 'index', 'voters', 'hasQuorum', 'ageMs'],
  }
  for (const [verb, fields] of Object.entries(promised)) {
    const item = await first(verb)
    for (const field of fields) assert.ok(field in item, `${verb}: ${field}`)
  }
})

test('writes are understood, and what is refused says why', async () => {
  const { world, ask } = await open()
  const ok = async (...argv: string[]): Promise<string> => {
    const { code, err } = await ask(...argv)
    assert.is(code, 0, `${argv.join(' ')}: ${err}`)
    return err
  }
  assert.match(
    await ok(
      'run',
      '--name',
      'api',
      '--count',
      '2',
      '-p',
      '80',
      '--health-http',
      '/',
      '-e',
      'A=1',
      '-d',
      'nginx',
    ),
    /api created: 2 pods wanted/,
  )
  assert.is(world.log.state.workloads.get('api')?.spec.pod.containers[0]?.health?.type, 'http')
  assert.match(
    await ok(
      'run',
      '--name',
      'api',
      '--count',
      '2',
      '-p',
      '80',
      '--health-http',
      '/',
      '-e',
      'A=1',
      '-d',
      'nginx',
    ),
    /no changes/,
  )
  assert.match(await ok('run', '--name', 'new', '--dry-run', 'nginx'), /new would be created/)
  assert.match(await ok('scale', 'api=3', '-d'), /api: 2 → 3/)
  await ok('stop', 'api')
  await ok('restart', 'api', '-d')
  await ok('rm', 'api')
  assert.is(world.log.state.workloads.has('api'), false)
  await ok('drain', 'ash', '-d')
  await ok('activate', 'node/ash')
  assert.match(await ok('voters', '7'), /at most 7 nodes vote/)
  assert.match((await ask('voters', '4')).err, /count must be one of 3, 5, 7/)
  assert.match(await ok('zone-loss', '90s'), /moves after 90 s/)
  assert.match(await ok('zone-loss', '90s'), /as before/)
  assert.match(await ok('zone-loss', 'never'), /waits until it is back/)
  assert.match((await ask('zone-loss', 'soon')).err, /"soon" is no duration/)
  assert.match((await ask('zone-loss', '2d')).err, /up to a day/)
  const missing = await ask('scale', 'wbe=3')
  assert.is(missing.code, 3)
  assert.match(missing.err, /web/)
  const wrong = await ask('run', '--name', 'api', '--cpu', 'lots', 'nginx')
  assert.is(wrong.code, 2)
  assert.match(wrong.err, /pod\.containers\[0\]\.resources\.cpu: must be a number of cores/)
  assert.is((await ask('run', '--name', 'web', '--check-index', '0', 'nginx')).code, 4)
})

test('a file is read the same on both sides', async () => {
  const { directory } = await house()
  const input =
    'name: web\ncount: 2\npod:\n  containers:\n    - image: nginx\n      ports: ["8080:80"]\n      health: {http: /}\n'
  const terminal = new FakeTerminal({ input })
  const told = await tutti(join(directory, 'ash.sock'), ['apply', '-f', '-', '-d'], { terminal })
  assert.is(told.code, 0, told.err)
  const jobs = await tutti(join(directory, 'ash.sock'), ['jobs', '-o', 'json'])
  assert.is(JSON.parse(jobs.out).items[0].spec.pod.containers[0].ports[0].host, 8080)
})

test('tokens are made, listed and revoked', async () => {
  const { ask } = await open()
  const made = await ask('token', 'create', '--uses', '3')
  assert.is(made.code, 0, made.err)
  assert.match(made.out, /^ {2}TUTTI_TOKEN=tutti1_\S+ tutti start --join \S+:7701\n$/)
  const id = /tutti1_([^_]+)_/.exec(made.out)?.[1] ?? ''
  assert.match((await ask('token', 'ls')).out, new RegExp(`${id}\\s+join\\s+● valid\\s+3`))
  assert.is((await ask('token', 'revoke', id)).code, 0)
  assert.match((await ask('token', 'ls')).out, new RegExp(`${id}\\s+join\\s+✗ revoked`))
})

test('logs come through, merged', async () => {
  const { world, ask } = await open()
  for (const pod of world.log.state.pods.values()) {
    world.lines.set(pod.id, [{ atMs: 1_000, stream: 'stdout', line: `from ${pod.slot}`, container: 'main' }])
  }
  const { code, out, err } = await ask('logs', 'web')
  assert.is(code, 0, err)
  assert.match(out, /web\.1@\w+\s+│ from 1\n/)
  assert.match(out, /web\.2@\w+\s+│ from 2\n/)
  assert.is((await ask('logs', 'nobody')).code, 3)
})

test.run()
