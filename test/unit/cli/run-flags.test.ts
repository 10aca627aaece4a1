import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { command, workloadOf } from '../../../cli/commands/run.ts'
import { wishesOf } from '../../../cli/commands/scale.ts'
import { verbNamed } from '../../../cli/commands.ts'
import { readCall } from '../../../cli/program.ts'
import { parseWorkload } from '../../../node/api/native/workload-file.ts'
import type { WorkloadSpec } from '../../../scheduler/index.ts'

const fileOf = (words: readonly string[]): unknown =>
  workloadOf(readCall(verbNamed('run') as NonNullable<ReturnType<typeof verbNamed>>, command, words))

const specOf = (words: readonly string[]): WorkloadSpec => {
  const parsed = parseWorkload(fileOf(words))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  return parsed.spec
}

test('an image and its arguments', () => {
  assert.equal(fileOf(['--name', 'web', '--count', '3', 'nginx:1.27', '--', '-g', 'daemon off;']), {
    name: 'web',
    count: 3,
    pod: { containers: [{ image: 'nginx:1.27', command: ['-g', 'daemon off;'] }] },
  })
})

test('a command without an image runs in the process runtime', () => {
  const spec = specOf(['--name', 'web', '--count', '6', '--', 'node', 'server.js', '--port', '$PORT'])
  assert.is(spec.pod.containers[0]?.image, null)
  assert.equal(spec.pod.containers[0]?.command, ['node', 'server.js', '--port', '$PORT'])
})

test('every flag ends in the spec', () => {
  const spec = specOf([
    '--name',
    'web',
    '--kind',
    'batch',
    '--count',
    '4',
    '-p',
    '8080:80',
    '-p',
    '53/udp',
    '-e',
    'A=1',
    '--label',
    'app=x',
    '--health-http',
    '/up',
    '--health-interval',
    '2s',
    '--health-timeout',
    '1s',
    '--health-start-period',
    '3s',
    '--health-threshold',
    '5',
    '--cpu',
    '0.5',
    '--memory',
    '64M',
    '--constraint',
    'zone==eu',
    '--constraint',
    'exists gpu',
    '--spread',
    'zone',
    '--spread',
    'rack',
    '--strategy',
    'binpack',
    '--max-per-node',
    '2',
    '--restart',
    'never',
    '--image',
    'nginx',
  ])
  assert.equal([spec.kind, spec.count, spec.restart.policy], ['batch', 4, 'never'])
  assert.equal(spec.pod.labels, { app: 'x' })
  const [container] = spec.pod.containers
  assert.equal(
    container?.ports.map(port => port.host),
    [8080, null],
  )
  assert.equal(container?.resources, { cpuMillis: 500, memoryBytes: 64 * 2 ** 20 })
  assert.equal(container?.health, {
    type: 'http',
    path: '/up',
    port: 'http',
    intervalMs: 2000,
    timeoutMs: 1000,
    startPeriodMs: 3000,
    threshold: 5,
  })
  assert.equal(
    spec.place.constraints.map(each => each.operator),
    ['==', 'exists'],
  )
  assert.equal(
    [spec.place.spread, spec.place.strategy, spec.place.maxPerNode],
    [['zone', 'rack'], 'binpack', 2],
  )
})

test('nothing to run, no name and two images are refused', () => {
  assert.throws(
    () => fileOf(['--name', 'web']),
    (thrown: Error) => /nothing to run/.test(thrown.message),
  )
  assert.throws(
    () => fileOf(['nginx']),
    (thrown: Error) => /needs a name/.test(thrown.message),
  )
  assert.throws(
    () => fileOf(['--name', 'web', '--image', 'a', 'b']),
    (thrown: Error) => /said twice/.test(thrown.message),
  )
})

test('scale understands web=5 and web 5', () => {
  assert.equal(wishesOf(['web=5', 'api=0']), [
    ['web', 5],
    ['api', 0],
  ])
  assert.equal(wishesOf(['web', '5']), [['web', 5]])
  for (const wrong of ['web', 'web=', '=5', 'web=-1', 'web=x'])
    assert.throws(() => wishesOf([wrong]), undefined, wrong)
})

test.run()
