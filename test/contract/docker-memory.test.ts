/** The engine may tell of a lack of memory after the end that it caused; what it says of the container stays wrong then. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../node/clock.ts'
import { createDockerRuntime } from '../../node/runtime/docker.ts'
import type { Runtime, RuntimeEvent } from '../../node/runtime/runtime.ts'
import { LABELS, OWNER } from '../harness/engine-labels.ts'
import { until } from './runtime-suite.ts'

type Scene = {
  directory: string
  server: Server
  runtime: Runtime
  events: RuntimeEvent[]
  /** Resolves with the open stream of events. */
  stream: Promise<ServerResponse>
}

const serve = (
  socket: string,
  container: { exitCode: number; memory: number },
  opened: (stream: ServerResponse) => void,
): Promise<Server> =>
  new Promise(resolve => {
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://engine')
      if (pathname.endsWith('/events')) {
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
        return opened(response)
      }
      const isInspect = pathname.endsWith('/containers/id1/json')
      const inspected = {
        Id: 'id1',
        State: { Running: false, ExitCode: container.exitCode, OOMKilled: false, StartedAt: '' },
        HostConfig: { Memory: container.memory },
        Config: { Labels: LABELS },
      }
      response.writeHead(isInspect ? 200 : 404, { 'content-type': 'application/json' })
      response.end(JSON.stringify(isInspect ? inspected : { message: 'no such thing' }))
    })
    server.listen(socket, () => resolve(server))
  })

const story = suite<Scene>('ends for want of memory')

story.after.each(async ({ directory, server, runtime }) => {
  await runtime.close()
  server.closeAllConnections()
  server.close()
  rmSync(directory, { recursive: true, force: true })
})

const open = async (context: Scene, container: { exitCode: number; memory: number }): Promise<void> => {
  context.directory = mkdtempSync(join(tmpdir(), 'tutti-memory-'))
  const socket = join(context.directory, 'engine.sock')
  const { promise, resolve } = Promise.withResolvers<ServerResponse>()
  context.stream = promise
  context.server = await serve(socket, container, resolve)
  context.events = []
  context.runtime = await createDockerRuntime({ owner: OWNER, socket, clock: systemClock() })
  context.runtime.subscribe(event => context.events.push(event))
}

const say = (stream: ServerResponse, action: string, attributes: object): void =>
  void stream.write(
    `${JSON.stringify({ Action: action, Actor: { ID: 'id1', Attributes: { ...LABELS, ...attributes } } })}\n`,
  )

const exit = async ({ events }: Scene) => {
  const event = await until('the end', () => events.find(({ type }) => type === 'exited'))
  return event.type === 'exited' ? { exitCode: event.exitCode, outOfMemory: event.outOfMemory } : null
}

for (const order of [
  ['die', 'oom'],
  ['oom', 'die'],
])
  story(`told in the order ${order.join(', ')}`, async context => {
    await open(context, { exitCode: 137, memory: 8_388_608 })
    const stream = await context.stream
    for (const action of order) say(stream, action, action === 'die' ? { exitCode: '137' } : {})
    assert.equal(await exit(context), { exitCode: 137, outOfMemory: true })
  })

story('killed within its limit: the end is told, and memory was not why', async context => {
  await open(context, { exitCode: 137, memory: 8_388_608 })
  say(await context.stream, 'die', { exitCode: '137' })
  assert.equal(await exit(context), { exitCode: 137, outOfMemory: false })
})

story('a part of it was killed long before its own end: memory was not why', async context => {
  await open(context, { exitCode: 1, memory: 8_388_608 })
  const stream = await context.stream
  say(stream, 'oom', {})
  say(stream, 'die', { exitCode: '1' })
  assert.equal(await exit(context), { exitCode: 1, outOfMemory: false })
})

story.run()
