/** What a listing of an engine shows may be over by the time it is read. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../node/clock.ts'
import { createDockerRuntime } from '../../node/runtime/docker.ts'
import type { Runtime } from '../../node/runtime/runtime.ts'
import { LABELS, OWNER } from '../harness/engine-labels.ts'

/** An engine whose listing says `created`; whether the container runs by now is the test's to say. */
const serve = (socket: string, engine: { isRunning: boolean; isThere: boolean }): Promise<Server> =>
  new Promise(resolve => {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://engine')
      const answer = (status: number, body: unknown) => {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(JSON.stringify(body))
      }
      if (url.pathname.endsWith('/containers/json'))
        return answer(
          200,
          engine.isThere ? [{ Id: 'id1', State: 'created', Labels: LABELS, Created: 1 }] : [],
        )
      if (request.method !== 'DELETE') return answer(404, { message: 'no such thing' })
      const isForced = ['1', 'true'].includes(url.searchParams.get('force') ?? '')
      if (engine.isRunning && !isForced) return answer(409, { message: 'it is running: stop it first' })
      engine.isThere = false
      response.writeHead(204).end()
    })
    server.listen(socket, () => resolve(server))
  })

const story = suite<{ directory: string; server: Server; runtime: Runtime }>('containers half made')

story.after.each(async ({ directory, server, runtime }) => {
  await runtime.close()
  server.closeAllConnections()
  server.close()
  rmSync(directory, { recursive: true, force: true })
})

const open = async (
  context: { directory: string; server: Server; runtime: Runtime },
  engine: { isRunning: boolean; isThere: boolean },
): Promise<void> => {
  context.directory = mkdtempSync(join(tmpdir(), 'tutti-half-'))
  const socket = join(context.directory, 'engine.sock')
  context.server = await serve(socket, engine)
  context.runtime = await createDockerRuntime({ owner: OWNER, socket, clock: systemClock() })
}

story('one that was never started is removed, and not told of', async context => {
  const engine = { isRunning: false, isThere: true }
  await open(context, engine)
  assert.equal(await context.runtime.list(), [])
  assert.not.ok(engine.isThere)
})

story('one that was started since the engine looked is left alone', async context => {
  const engine = { isRunning: true, isThere: true }
  await open(context, engine)
  await context.runtime.list()
  assert.ok(engine.isThere)
})

story.run()
