import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '../../../node/errors.ts'
import { parseStat } from '../../../node/runtime/process-identity.ts'
import { folderOf } from '../../../node/runtime/process-record.ts'
import { environmentOf, resolveCommand } from '../../../node/runtime/process-spawn.ts'
import type { ContainerRun } from '../../../node/runtime/runtime.ts'
import { containerSpec } from '../../harness/agent-world.ts'

const key = { cluster: 'c1', node: 'n1', pod: 'p1', podName: 'web.2', container: 'main' }

const runWith = (over: Parameters<typeof containerSpec>[0]): ContainerRun => ({
  key,
  spec: containerSpec(over),
  ports: [
    { name: 'http', owner: 'main', container: 0, host: 20_001, protocol: 'tcp' },
    { name: 'grpc.v2', owner: 'main', container: 9_000, host: 20_002, protocol: 'tcp' },
  ],
  address: '127.0.0.3',
  pod: { firstContainer: 'main', ports: [] },
  env: { TUTTI_NODE: 'ash', HOST: 'node' },
})

const failureOf = (act: () => unknown): Failure => {
  try {
    act()
  } catch (thrown) {
    assert.instance(thrown, Failure)
    return thrown as Failure
  }
  throw new Error('it should have failed')
}

test('a process sees its ports, where to bind, and four variables of the host', () => {
  const host = { PATH: '/bin', HOME: '/root', LANG: 'C', SECRET: 'x' }
  assert.equal(environmentOf(runWith({ env: { TUTTI_NODE: 'mine' } }), host), {
    PATH: '/bin',
    HOME: '/root',
    LANG: 'C',
    PORT: '20001',
    PORT_HTTP: '20001',
    PORT_GRPC_V2: '20002',
    HOST: 'node',
    TUTTI_ADDRESS: '127.0.0.3',
    TUTTI_NODE: 'mine',
  })
})

test('commands are looked for in the process’s own PATH, and must be executable', () => {
  assert.is(resolveCommand(runWith({ command: ['sh'] }), { PATH: '/nowhere:/bin' }), '/bin/sh')
  assert.is(resolveCommand(runWith({ command: ['/bin/sh', '-c'] }), {}), '/bin/sh')
  const absent = failureOf(() => resolveCommand(runWith({ command: ['sh'] }), { PATH: '/nowhere' }))
  assert.is(absent.code, 'E_COMMAND_INVALID')
  assert.match(absent.why ?? '', /\/nowhere/)
  const file = failureOf(() => resolveCommand(runWith({ command: ['/etc/passwd'] }), {}))
  assert.match(file.why ?? '', /not an executable file/)
  assert.is(failureOf(() => resolveCommand(runWith({ command: [] }), {})).code, 'E_COMMAND_INVALID')
})

test('an image is refused kindly', () => {
  const failure = failureOf(() => resolveCommand(runWith({ image: 'nginx' }), {}))
  assert.is(failure.code, 'E_IMAGE_MISSING')
  assert.match(failure.why ?? '', /process runtime/)
})

test('no id climbs out of the data directory', () => {
  for (const name of ['..', '.', '../../etc', 'a/b', '...'])
    assert.match(folderOf('/data', { ...key, pod: name, container: name }), /^\/data\/pods\/[^/]+\/[^/]+$/)
  assert.not.match(folderOf('/data', { ...key, pod: '..' }), /\/\.\.?\//)
})

test('a process’s name may hold brackets, spaces and numbers', () => {
  const fields = Array.from({ length: 49 }, (_, n) => String(n + 4)).join(' ')
  assert.equal(parseStat(`42 (a) b (1 2) S ${fields}`), { pid: 42, startTicks: 22, state: 'S' })
  for (const line of ['', '42', '42 (x', 'x (y) S 1 2']) assert.is(parseStat(line), null)
})

test.run()
