/** Who gets in and what is on record: real nodes, the real command line, raw sockets, and a server that only pretends. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { AuditItem } from '../../cli/audit-trail.ts'
import type { DemoNode } from '../../cli/demo/demo-node.ts'
import { ACCESS } from '../../node/api/native/access.ts'
import { issue } from '../../node/authority/authority.ts'
import { foundCluster } from '../../node/founding.ts'
import { createToken } from '../../node/membership/token.ts'
import { socketPath } from '../../node/paths.ts'
import { raw } from '../harness/api-client.ts'
import { LocalCluster } from '../harness/local-cluster.ts'
import { type Finished, run } from '../harness/run-command.ts'

const TLS_PORT = 17_700
const LAUNCHER = new URL('../../cli/bin.mjs', import.meta.url).pathname
const PLAIN_PORT = 7700

const story = suite('access, with real nodes')
let cluster: LocalCluster
let ash: DemoNode
let birch: DemoNode
let home = ''

/** ash speaks TLS on all addresses, birch without it on a loopback one. */
story.before(async () => {
  home = mkdtempSync(join(tmpdir(), 'tutti-home-'))
  cluster = LocalCluster.create()
  ash = cluster.prepare()
  ash.start({ runtime: 'process', join: null, token: null, api: `0.0.0.0:${TLS_PORT}` })
  await ash.ready(AbortSignal.timeout(60_000))
  birch = await cluster.grow()
})

story.after(async () => {
  await cluster.stop()
  rmSync(home, { recursive: true, force: true })
})

/** As a user elsewhere: no socket, a home of its own. */
const afar = (args: readonly string[], environment: object = {}, input = ''): Promise<Finished> =>
  run(process.execPath, [LAUNCHER, ...args], {
    timeoutMs: 60_000,
    env: { PATH: process.env.PATH, HOME: home, NO_COLOR: '1', ...environment },
    input,
  })

const admin = async (node: DemoNode, ...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await cluster.tutti(node, args)
  assert.is(code, 0, `${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

/** Status and body of a request over TLS to ash, whoever it proves to be. */
const askAsh = (
  method: string,
  path: string,
  token: string | null,
): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const headers = token === null ? {} : { authorization: `Bearer ${token}` }
    const asked = request(
      { host: '127.0.0.1', port: TLS_PORT, method, path, headers, rejectUnauthorized: false, agent: false },
      async response => {
        let body = ''
        for await (const chunk of response) body += chunk
        resolve({ status: response.statusCode ?? 0, body })
      },
    )
    asked.once('error', reject)
    asked.end()
  })

/** TCP ports that a process listens on. */
const portsOf = (pid: number): readonly number[] =>
  execFileSync('ss', ['-Hltnp'], { encoding: 'utf8' })
    .split('\n')
    .filter(line => line.includes(`pid=${pid},`))
    .map(line => Number(line.trim().split(/\s+/)[3]?.split(':').at(-1)))
    .sort((a, b) => a - b)

story('S1: a node listens for peers and for its API, and neither tells a stranger anything', async () => {
  assert.equal(portsOf(ash.pid as number), [7701, TLS_PORT])
  assert.equal(portsOf(birch.pid as number), [PLAIN_PORT, 7701])
  assert.is(statSync(socketPath(ash.directory)).mode & 0o777, 0o600)
  const routes = Object.keys(ACCESS).map(route => route.split(' ') as [string, string])
  for (const [method, path] of [...routes, ['GET', ''], ['POST', '/no/such/route']] as readonly (readonly [
    string,
    string,
  ])[]) {
    const whole = `/tutti/v1${path}`
    const { status, body } = await askAsh(method, whole, null)
    assert.is(status, 401, `${method} ${path}`)
    const told = await raw(
      { host: birch.address, port: PLAIN_PORT },
      `${method} ${whole} HTTP/1.1\r\nhost: ${birch.address}\r\nconnection: close\r\n\r\n`,
    )
    assert.match(told, /^HTTP\/1\.1 401 /, `${method} ${path}`)
    assert.not.match(body + told, /birch|tutti-index|"items"/)
  }
})

story('S1: the API speaks nothing but TLS off loopback, and the peers’ port no HTTP', async () => {
  const http = `GET /tutti/v1/status HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`
  assert.not.match(await raw({ host: '127.0.0.1', port: TLS_PORT }, http).catch(String), /HTTP\/1/)
  assert.not.match(await raw({ host: ash.address, port: 7701 }, http).catch(String), /HTTP\/1/)
})

story('login proves the server by the token, and keeps both for its owner alone', async () => {
  const token = await admin(ash, 'token', 'create', '--role', 'operator', '--name', 'ci', '-q')
  const file = join(home, 'token')
  writeFileSync(file, token)
  const told = await afar([
    'login',
    `https://127.0.0.1:${TLS_PORT}`,
    '--token',
    `file:${file}`,
    '--name',
    'prod',
  ])
  assert.is(told.code, 0, told.stderr)
  assert.match(told.stderr, /logged in to "[a-z-]+" as operator · context prod is in use/)
  const stored = join(home, '.config', 'tutti', 'contexts.json')
  assert.is(statSync(stored).mode & 0o777, 0o600)
  assert.match(readFileSync(stored, 'utf8'), 'BEGIN CERTIFICATE')
  const nodes = await afar(['nodes', '-q'])
  assert.is(nodes.stdout, 'ash\nbirch\n', nodes.stderr)
  assert.match((await afar(['context', 'ls'])).stdout, /^prod +yes /m)
  const written = await afar(['run', '--name', 'sleeper', '--count', '2', '-d', '--', 'sleep', '600'])
  assert.is(written.code, 0, written.stderr)
  assert.is((await afar(['scale', 'sleeper=1', '-d'])).code, 0)
  const refused = await afar(['token', 'ls'])
  assert.is(refused.code, 5)
  assert.match(refused.stderr, /takes the role admin; token\/\w+ has operator/)
  const unsafe = await afar(['login', `http://10.0.0.9:${PLAIN_PORT}`], { TUTTI_TOKEN: token })
  assert.match(unsafe.stderr, /would carry the token in the clear/)
})

story('a server of another cluster, or of none, is not shown the token', async () => {
  const heard: string[] = []
  const { key, cert } = issue(foundCluster(Date.now()), {
    name: 'liar',
    hosts: ['127.0.0.1'],
    nowMs: Date.now(),
  })
  const liar = createServer({ key, cert }, socket => {
    socket.on('data', chunk => heard.push(String(chunk)))
    socket.on('error', () => undefined)
  })
  await new Promise<void>(resolve => liar.listen(0, '127.0.0.1', resolve))
  const address = `https://127.0.0.1:${(liar.address() as AddressInfo).port}`
  const token = await admin(ash, 'token', 'create', '--role', 'viewer', '-q')
  const login = await afar(['login', address], { TUTTI_TOKEN: token })
  assert.is(login.code, 5, login.stderr)
  assert.match(login.stderr, /does not belong to the cluster of the token/)
  const direct = await afar(['status', '--connect', address], { TUTTI_TOKEN: token })
  assert.is(direct.code, 5, direct.stderr)
  const path = join(home, '.config', 'tutti', 'contexts.json')
  const moved = readFileSync(path, 'utf8').replace(`https://127.0.0.1:${TLS_PORT}`, address)
  writeFileSync(join(home, 'moved'), moved)
  const elsewhere = mkdtempSync(join(tmpdir(), 'tutti-moved-'))
  execFileSync('mkdir', ['-p', join(elsewhere, 'tutti')])
  writeFileSync(join(elsewhere, 'tutti', 'contexts.json'), moved, { mode: 0o600 })
  const context = await afar(['status'], { XDG_CONFIG_HOME: elsewhere })
  rmSync(elsewhere, { recursive: true })
  assert.is(context.code, 6)
  assert.match(context.stderr, /its certificate is not of the cluster that was logged in to/)
  assert.equal(heard, [])
  await new Promise(resolve => liar.close(resolve))
})

story('S3: a join token, an expired and a revoked one open nothing, on any node', async () => {
  const joining = /tutti1_\S+/.exec(await admin(ash, 'token', 'create'))?.[0] as string
  const brief = await admin(ash, 'token', 'create', '--role', 'viewer', '--ttl', '1s', '-q')
  const good = await admin(ash, 'token', 'create', '--role', 'viewer', '-q')
  const onBirch = async (token: string): Promise<string> =>
    (
      await raw(
        { host: birch.address, port: PLAIN_PORT },
        `GET /tutti/v1/version HTTP/1.1\r\nhost: ${birch.address}\r\nconnection: close\r\nauthorization: Bearer ${token}\r\n\r\n`,
      )
    ).slice(9, 12)
  const both = async (token: string): Promise<readonly string[]> => [
    String((await askAsh('GET', '/tutti/v1/version', token)).status),
    await onBirch(token),
  ]
  assert.equal(await both(joining), ['401', '401'])
  assert.equal(await both(createToken(foundCluster(0).publicKey).text), ['401', '401'])
  assert.equal(await both(good), ['200', '200'])
  await admin(birch, 'token', 'revoke', good.split('_')[1] as string)
  await admin(ash, 'status', '--consistency', 'linear')
  assert.equal(await both(good), ['401', '401'])
  const expiresBy = Date.now() + 5_000
  let last = await both(brief)
  while (String(last) !== '401,401' && Date.now() < expiresBy) last = await both(brief)
  assert.equal(last, ['401', '401'])
})

story(
  'S13: foreign hosts and origins are refused over raw sockets: reads, writes, streams, web sockets',
  async () => {
    const token = await admin(ash, 'token', 'create', '--role', 'admin', '-q')
    const host = `${birch.address}:${PLAIN_PORT}`
    const status = async (line: string, headers: readonly string[]): Promise<string> => {
      const all = [line, ...headers, `authorization: Bearer ${token}`, 'connection: close', '', '']
      return (await raw({ host: birch.address, port: PLAIN_PORT }, all.join('\r\n'))).slice(9, 12)
    }
    const upgrade = [
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
    ]
    const lines = [
      ['GET /tutti/v1/status HTTP/1.1', []],
      ['POST /tutti/v1/workloads/sleeper/stop HTTP/1.1', ['content-length: 0']],
      ['GET /tutti/v1/events?follow=1 HTTP/1.1', []],
      ['GET /tutti/v1/events HTTP/1.1', upgrade],
    ] as const
    for (const [line, headers] of lines) {
      assert.is(await status(line, [...headers, 'host: evil.example']), '403', line)
      for (const origin of ['http://evil.example', 'null', `https://${host}`, 'http://evil.example:7700'])
        assert.is(
          await status(line, [...headers, `host: ${host}`, `origin: ${origin}`]),
          '403',
          `${line} ${origin}`,
        )
      assert.is(await status(line, [...headers, 'host: 10.9.9.9', 'origin: http://10.9.9.9']), '403', line)
    }
    assert.is(await status(lines[0][0], [`host: ${host}`, `origin: http://${host}`]), '200')
  },
)

story('S14: every write has its author, on every node alike, and the chain holds', async () => {
  await afar(['stop', 'sleeper'])
  await admin(birch, 'drain', 'birch', '-d')
  await admin(birch, 'activate', 'birch')
  await admin(ash, 'backup', join(home, 'backup'))
  const id = (await admin(ash, 'token', 'ls', '-o', 'json').then(text => JSON.parse(text))).items.find(
    (token: { name: string | null }) => token.name === 'ci',
  ).id
  const seen = async (node: DemoNode): Promise<readonly AuditItem[]> =>
    JSON.parse(await admin(node, 'audit', '-o', 'json')).items
  // What was refused at the doors is gathered for some seconds.
  const deadline = Date.now() + 30_000
  let items = await seen(ash)
  const isThere = (action: string): boolean => items.some(item => item.action === action)
  while (!(isThere('login') && isThere('backup')) && Date.now() < deadline) items = await seen(ash)
  const told = items.map(({ who, name, from, node, action, target, outcome }) =>
    [who, name, from, node, action, target, outcome].join(' '),
  )
  for (const expected of [
    `token/${id} ci 127.0.0.1 ash workload/Apply workload/sleeper ok`,
    `token/${id} ci 127.0.0.1 ash workload/Scale workload/sleeper ok`,
    `token/${id} ci 127.0.0.1 ash workload/Stop workload/sleeper ok`,
    'local   birch node/Drain node/birch ok',
    'local   birch node/Activate node/birch ok',
    'local   ash backup cluster ok',
    `token/${id} ci 127.0.0.1 ash GET /tutti/v1/tokens  E_FORBIDDEN`,
    'unknown  127.0.0.1 ash login  E_AUTH',
  ])
    assert.ok(told.includes(expected), `${expected}\nis not in\n${told.join('\n')}`)
  assert.ok(items.some(item => item.action === 'node/Join' && item.node === 'birch'))
  assert.not.ok(
    told.some(line => line.includes('sleep 600')),
    'what is run is nobody’s business',
  )
  const verified = await admin(birch, 'audit', '--verify')
  assert.match(
    verified,
    /^done: \d+ records, from 1 to \d+, unbroken on ash, birch · head done:\d+:[0-9a-f]{64}$/m,
  )
  const head = /head (done:\S+)/.exec(verified)?.[1] as string
  await admin(ash, 'audit', '--verify', '--expect', head)
  const wrong = await cluster.tutti(ash, [
    'audit',
    '--verify',
    '--expect',
    `${head.slice(0, -20)}${'0'.repeat(20)}`,
  ])
  assert.is(wrong.code, 1)
  assert.match(wrong.stderr, /is not the one that was noted/)
})

story('a connection that says nothing holds nothing up', async () => {
  const silent = connect({ host: '127.0.0.1', port: TLS_PORT })
  await new Promise(resolve => silent.once('connect', resolve))
  assert.is((await askAsh('GET', '/tutti/v1/version', null)).status, 401)
  silent.destroy()
})

story.run()
