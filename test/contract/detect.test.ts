import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../node/clock.ts'
import { silentLog } from '../../node/log.ts'
import { type DetectOptions, detectRuntime } from '../../node/runtime/detect.ts'
import { failureFrom } from './runtime-suite.ts'

const story = suite<{ directory: string; server: Server | null }>('which runtime a machine offers')

story.before.each(context => {
  context.directory = mkdtempSync(join(tmpdir(), 'tutti-detect-'))
  context.server = null
})
story.after.each(async ({ directory, server }) => {
  server?.closeAllConnections()
  if (server !== null) await new Promise(resolve => server.close(resolve))
  rmSync(directory, { recursive: true, force: true })
})

const options = (directory: string, over: Partial<DetectOptions>): DetectOptions => ({
  wanted: 'auto',
  dockerSocket: null,
  environment: { HOME: directory },
  directory,
  clock: systemClock(),
  log: silentLog,
  ...over,
})

const serveEngine = (socket: string, ping: number): Promise<Server> =>
  new Promise(resolve => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/_ping' ? ping : 200
      response.end(request.url === '/_ping' ? 'OK' : JSON.stringify({ NCPU: 3, MemTotal: 12_345 }))
    })
    server.listen(socket, () => resolve(server))
  })

story('an engine that answers is taken, with its own capacity', async context => {
  const socket = join(context.directory, 'engine.sock')
  context.server = await serveEngine(socket, 200)
  const detected = await detectRuntime(options(context.directory, { dockerSocket: socket }))
  assert.is(detected.kind, 'docker')
  assert.equal(detected.capacity, { cpuMillis: 3_000, memoryBytes: 12_345 })
  assert.match(detected.description, /engine\.sock/)
})

story('DOCKER_HOST names a socket too', async context => {
  const socket = join(context.directory, 'engine.sock')
  context.server = await serveEngine(socket, 200)
  const environment = { DOCKER_HOST: `unix://${socket}` }
  const detected = await detectRuntime(options(context.directory, { environment }))
  assert.is(detected.description, `docker at ${socket}`)
})

story(
  'docker demanded without an engine is a failure that names the socket and what to try',
  async ({ directory }) => {
    const dockerSocket = join(directory, 'no.sock')
    const failure = await failureFrom(detectRuntime(options(directory, { wanted: 'docker', dockerSocket })))
    assert.is(failure.code, 'E_RUNTIME_UNAVAILABLE')
    assert.match(failure.message, /no\.sock/)
    assert.match(failure.why ?? '', /ENOENT/)
    assert.match(failure.hint ?? '', /--runtime process/)
  },
)

story('a socket that was named is not silently replaced by processes', async context => {
  const socket = join(context.directory, 'engine.sock')
  context.server = await serveEngine(socket, 500)
  const failure = await failureFrom(detectRuntime(options(context.directory, { dockerSocket: socket })))
  assert.match(failure.why ?? '', /status 500/)
})

story('processes are there on demand, and open needs no engine', async ({ directory }) => {
  const detected = await detectRuntime(options(directory, { wanted: 'process' }))
  assert.is(detected.kind, 'process')
  assert.ok(detected.capacity.cpuMillis >= 1_000)
  const runtime = await detected.open({ cluster: 'c', node: 'n' })
  assert.equal(await runtime.list(), [])
  await runtime.close()
})

story.run()
