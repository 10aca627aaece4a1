import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Failure } from '../../../node/errors.ts'
import { EngineRefusal, failureOfRefusal, unavailable } from '../../../node/runtime/docker-client.ts'

const codeOf = (status: number, words: string): [string, string] => {
  const failure = failureOfRefusal(new EngineRefusal(status, words), 'start web.1') as Failure
  return [failure.code, failure.message]
}

// Words as real engines say them: Docker 20.10, 24 and 28, Podman 4.
test('a missing command is told from the many wrappings of runc', () => {
  const wrappings = [
    'OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "nosuch": executable file not found in $PATH: unknown',
    'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "nosuch": executable file not found in $PATH: unknown',
    'crun: executable file `nosuch` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found',
  ]
  for (const words of wrappings) assert.is(codeOf(400, words)[0], 'E_COMMAND_INVALID')
  assert.is(codeOf(400, wrappings[0] ?? '')[1], 'The command nosuch is not in the image.')
})

test('a file that may not be executed is told as such', () => {
  const words =
    'OCI runtime create failed: runc create failed: exec: "/etc/passwd": permission denied: unknown'
  assert.equal(codeOf(400, words), [
    'E_COMMAND_INVALID',
    'The command /etc/passwd is not an executable file of the image.',
  ])
})

test('a port that is taken is told, whoever took it', () => {
  const wrappings = [
    'driver failed programming external connectivity on endpoint x (y): Bind for 127.0.0.1:80 failed: port is already allocated',
    'driver failed programming external connectivity on endpoint x: Error starting userland proxy: listen tcp4 127.0.0.1:80: bind: address already in use',
    'failed to set up container networking: failed to bind host port for 127.0.0.1:80:172.17.0.2:80/tcp: address already in use',
  ]
  for (const words of wrappings) assert.is(codeOf(500, words)[0], 'E_PORT_IN_USE')
})

test('other refusals keep the engine’s own words', () => {
  const failure = failureOfRefusal(
    new EngineRefusal(500, 'no space left on device'),
    'start web.1',
  ) as Failure
  assert.is(failure.code, 'E_INTERNAL')
  assert.is(failure.message, 'The container engine would not start web.1.')
  assert.is(failure.why, 'no space left on device')
})

test('an engine that is away names its socket and what to try', () => {
  const gone = unavailable('/run/x.sock', 'connect ECONNREFUSED /run/x.sock')
  assert.is(gone.code, 'E_RUNTIME_UNAVAILABLE')
  assert.match(gone.message, /\/run\/x\.sock/)
  assert.match(gone.hint ?? '', /systemctl start docker/)
  assert.match(unavailable('/run/x.sock', 'connect EACCES /run/x.sock').hint ?? '', /group/)
})

test.run()
