import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProber, type ProbeTarget } from '../../node/agent/prober.ts'
import { Failure } from '../../node/errors.ts'
import type { HealthCheck } from '../../scheduler/index.ts'

const story = suite<{ servers: Server[] }>('health checks over sockets')

story.before.each(context => {
  context.servers = []
})
story.after.each(async ({ servers }) => {
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
})

const serve = async (servers: Server[], listener: RequestListener): Promise<number> => {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const target = (port: number, address = '127.0.0.1'): ProbeTarget => ({
  key: { cluster: 'c', node: 'n', pod: 'p', podName: 'web.1', container: 'main' },
  address,
  ports: { http: port },
})

const timing = { intervalMs: 1_000, timeoutMs: 500, startPeriodMs: 0, threshold: 3 }
const http = (path: string, port = 'http'): HealthCheck => ({ type: 'http', path, port, ...timing })
const tcp: HealthCheck = { type: 'tcp', port: 'http', ...timing }

const prober = createProber({
  async exec(_, command) {
    if (command[0] === 'hang') throw new Failure('E_TIMEOUT', 'The command did not end within 500 ms.')
    return { exitCode: command[0] === 'true' ? 0 : 2, output: 'all is lost\n' }
  },
})

story('2xx and 3xx are well, everything else is not', async ({ servers }) => {
  const port = await serve(servers, (request, response) => {
    response.statusCode = Number(request.url?.slice(1))
    response.end('body')
  })
  for (const [status, ok] of [
    [200, true],
    [204, true],
    [302, true],
    [399, true],
    [404, false],
    [500, false],
  ] as const)
    assert.is((await prober.probe(http(`/${status}`), target(port))).ok, ok, `status ${status}`)
  assert.match((await prober.probe(http('/500'), target(port))).text, /GET \/500 on port \d+: status 500/)
})

story('a redirect is an answer and is never followed', async ({ servers }) => {
  let asked = 0
  const elsewhere = await serve(servers, (_, response) => {
    asked++
    response.end()
  })
  const port = await serve(servers, (_, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${elsewhere}/secret` })
    response.end()
  })
  assert.is((await prober.probe(http('/'), target(port))).ok, true)
  assert.is(asked, 0)
})

story('a path cannot lead to another host', async ({ servers }) => {
  let asked = 0
  const elsewhere = await serve(servers, (_, response) => {
    asked++
    response.end()
  })
  const seen: string[] = []
  const port = await serve(servers, (request, response) => {
    seen.push(request.url ?? '')
    response.end()
  })
  const paths = [
    `http://127.0.0.1:${elsewhere}/`,
    `//127.0.0.1:${elsewhere}/`,
    `@127.0.0.1:${elsewhere}/`,
    '/../../x',
  ]
  for (const path of paths) await prober.probe(http(path), target(port))
  assert.is(asked, 0)
  assert.is(seen.length, paths.length)
  assert.ok(seen.every(path => path.startsWith('/')))
})

story('a path with control characters is refused before anything is sent', async ({ servers }) => {
  let asked = 0
  const port = await serve(servers, (_, response) => {
    asked++
    response.end()
  })
  assert.is((await prober.probe(http('/ HTTP/1.1\r\nHost: evil\r\n\r\nGET /'), target(port))).ok, false)
  assert.is(asked, 0)
})

story('names are not resolved: an address is an address', async () => {
  const result = await prober.probe(tcp, target(80, 'localhost'))
  assert.equal(result, { ok: false, text: 'the container has no address yet' })
})

story('an endless body does not hold the check up', async ({ servers }) => {
  const port = await serve(servers, (_, response) => {
    response.writeHead(200)
    const more = () => {
      if (!response.destroyed && response.write('x'.repeat(65_536))) setImmediate(more)
    }
    response.on('drain', more)
    more()
  })
  const beganMs = performance.now()
  assert.is((await prober.probe(http('/'), target(port))).ok, true)
  assert.ok(performance.now() - beganMs < 400)
})

story(
  'silence ends at the timeout, whether before the answer or in the middle of it',
  async ({ servers }) => {
    const port = await serve(servers, (request, response) => {
      if (request.url === '/half') response.writeHead(200).write('half')
    })
    for (const path of ['/none', '/half']) {
      const result = await prober.probe(http(path), target(port))
      assert.is(result.ok, false)
      assert.match(result.text, /no answer within 500 ms/)
    }
  },
)

story('a closed port and an unknown one say so', async ({ servers }) => {
  const port = await serve(servers, (_, response) => void response.end())
  assert.is((await prober.probe(tcp, target(port))).ok, true)
  const server = servers.pop() as Server
  await new Promise(resolve => server.close(resolve))
  assert.match((await prober.probe(tcp, target(port))).text, /ECONNREFUSED/)
  assert.match((await prober.probe(http('/', 'admin'), target(port))).text, /no port named admin/)
})

story('a command is judged by its exit code, and its words are quoted', async () => {
  const exec = (command: string[]): HealthCheck => ({ type: 'exec', command, ...timing })
  assert.is((await prober.probe(exec(['true']), target(1))).ok, true)
  assert.equal(await prober.probe(exec(['false', 'x']), target(1)), {
    ok: false,
    text: 'false x: exit code 2 (all is lost)',
  })
  assert.match((await prober.probe(exec(['hang']), target(1))).text, /did not end within 500 ms/)
})

story.run()
