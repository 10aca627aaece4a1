import { statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EventView } from '../../node/api/native/schema.ts'
import { createApi } from '../../node/api/server.ts'
import { Failure } from '../../node/errors.ts'
import { ask, follow } from '../harness/api-client.ts'
import { closeAll, house, optionsFor } from '../harness/api-house.ts'

const start = suite('api start and stop')
start.after.each(closeAll)

const failureOf = async (work: Promise<unknown>): Promise<Failure> => {
  try {
    await work
  } catch (thrown) {
    assert.instance(thrown, Failure)
    return thrown as Failure
  }
  return assert.unreachable('it should fail') as never
}

start('a second node in the same directory is told so, and the first one stays', async () => {
  const { world, directory, local } = await house()
  const second = createApi(optionsFor(directory, 'ash', false), world.deps('ash'))
  const failure = await failureOf(second.start())
  assert.is(failure.code, 'E_CONFLICT')
  assert.match(failure.message, 'another node already runs in this data directory')
  assert.is((await ask(local, '/tutti/v1/status')).status, 200)
})

start('the socket of a dead node is replaced, any other file is left alone', async () => {
  const { world, directory } = await house()
  const dead = join(directory, 'dead.sock')
  // A listening socket whose file is left behind, as a kill leaves it.
  const { spawnSync } = await import('node:child_process')
  spawnSync(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ])
  assert.ok(statSync(dead).isSocket())
  const api = createApi(optionsFor(directory, 'dead', false), world.deps('ash'))
  await api.start()
  assert.is((await ask({ socketPath: dead }, '/tutti/v1/status')).status, 200)
  assert.is(statSync(dead).mode & 0o777, 0o600)
  await api.stop()

  const file = join(directory, 'file.sock')
  writeFileSync(file, 'precious')
  const failure = await failureOf(createApi(optionsFor(directory, 'file', false), world.deps('ash')).start())
  assert.is(failure.code, 'E_CONFLICT')
  assert.match(failure.message, 'in the way')
  assert.ok(statSync(file).isFile())
})

start('a port in use names the address and what to do, and leaves nothing open', async () => {
  const { world, directory } = await house()
  const squatter = createServer()
  await new Promise<void>(resolve => squatter.listen(0, '127.0.0.1', resolve))
  const { port } = squatter.address() as { port: number }
  const options = { ...optionsFor(directory, 'other', false), listen: `127.0.0.1:${port}` }
  const failure = await failureOf(createApi(options, world.deps('ash')).start())
  squatter.close()
  assert.is(failure.code, 'E_PORT_IN_USE')
  assert.match(failure.message, `127.0.0.1:${port}`)
  assert.match(failure.hint ?? '', '--api')
  assert.not.ok(await ask({ socketPath: options.socketPath }, '/tutti/v1/status').catch(() => null))
})

start('nonsense is no address', async () => {
  const { world, directory } = await house()
  for (const listen of ['nonsense', '127.0.0.1', '127.0.0.1:99999', ':7700', '203.0.113.1:7700']) {
    const api = createApi({ ...optionsFor(directory, 'x', false), listen }, world.deps('ash'))
    assert.is((await failureOf(api.start())).code, 'E_INVALID', listen)
  }
})

start('stopping ends open streams, lets a request finish, and removes the socket', async () => {
  let finish = (): void => undefined
  const called = Promise.withResolvers<void>()
  const { apis, local, directory } = await house(['ash'], {
    leave: () => {
      called.resolve()
      return new Promise<void>(resolve => (finish = resolve))
    },
  })
  const events = await follow(local, '/tutti/v1/events?follow=1')
  const leaving = ask(local, '/tutti/v1/leave', { method: 'POST' })
  while ((await events.next<EventView>())?.verb !== 'joined');
  await called.promise
  const stopping = apis[0]!.stop()
  finish()
  assert.is((await leaving).status, 200)
  assert.is(await events.next(), null)
  await stopping
  assert.throws(() => statSync(join(directory, 'ash.sock')))
  await apis[0]!.stop()
})

start.run()
