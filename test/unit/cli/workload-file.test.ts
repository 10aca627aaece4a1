import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { issueText, parseWorkload } from '../../../node/api/native/workload-file.ts'
import { validateSpec, type WorkloadSpec } from '../../../scheduler/index.ts'

const specOf = (value: unknown): WorkloadSpec => {
  const parsed = parseWorkload(value)
  if (!parsed.ok) throw new Error(parsed.issues.map(issueText).join('\n'))
  return parsed.spec
}

const complaintsOf = (value: unknown): readonly string[] => {
  const parsed = parseWorkload(value)
  return parsed.ok ? [] : parsed.issues.map(issueText)
}

const web = (container: object = {}, more: object = {}): object => ({
  name: 'web',
  pod: { containers: [{ image: 'nginx', ...container }] },
  ...more,
})

test('the shortest file gets every default', () => {
  assert.equal(specOf(web()), {
    name: 'web',
    kind: 'service',
    count: 1,
    pod: {
      labels: {},
      containers: [
        {
          name: 'main',
          image: 'nginx',
          command: [],
          env: {},
          ports: [],
          resources: { cpuMillis: 0, memoryBytes: 0 },
          health: null,
        },
      ],
    },
    place: { strategy: 'spread', constraints: [], spread: [], maxPerNode: null },
    restart: { policy: 'always', backoffMs: 500, backoffMsMax: 30_000, attemptsMax: null },
    update: { parallelism: 1, order: 'stop-first' },
  })
})

test('a full file is read field by field', () => {
  const spec = specOf(
    web(
      {
        name: 'front',
        command: `sh -c 'echo "hi there"'`,
        ports: ['8080:80', { name: 'admin', container: 9000 }, '53/udp'],
        env: { A: 1, B: true, C: 'text' },
        resources: { cpu: '500m', memory: '128Mi' },
        health: {
          http: '/healthz',
          port: 'admin',
          interval: '5s',
          timeout: '500ms',
          startPeriod: 0,
          threshold: 2,
        },
      },
      {
        kind: 'batch',
        count: 3,
        place: {
          strategy: 'binpack',
          constraints: ['zone==eu', { match: 'exists gpu', soft: true, weight: 7 }],
          spread: 'zone',
          maxPerNode: 2,
        },
        restart: { policy: 'on-failure', backoff: '1s', backoffMax: '10s', attempts: 5 },
        update: { parallelism: 2, order: 'start-first' },
      },
    ),
  )
  const [container] = spec.pod.containers
  assert.equal(container?.command, ['sh', '-c', 'echo "hi there"'])
  assert.equal(
    container?.ports.map(port => [port.name, port.container, port.host, port.protocol]),
    [
      ['http', 80, 8080, 'tcp'],
      ['admin', 9000, null, 'tcp'],
      ['port-2', 53, null, 'udp'],
    ],
  )
  assert.equal(container?.env, { A: '1', B: 'true', C: 'text' })
  assert.equal(container?.resources, { cpuMillis: 500, memoryBytes: 128 * 2 ** 20 })
  assert.equal(container?.health, {
    type: 'http',
    path: '/healthz',
    port: 'admin',
    intervalMs: 5000,
    timeoutMs: 500,
    startPeriodMs: 0,
    threshold: 2,
  })
  assert.equal(spec.place.constraints[1], {
    attribute: 'gpu',
    operator: 'exists',
    values: [],
    hard: false,
    weight: 7,
  })
  assert.equal(spec.place.spread, ['zone'])
  assert.equal(spec.restart, { policy: 'on-failure', backoffMs: 1000, backoffMsMax: 10_000, attemptsMax: 5 })
})

test('a command without an image is given one port', () => {
  const [container] = specOf({ name: 'hello', pod: { containers: [{ command: './server' }] } }).pod.containers
  assert.equal(container?.ports, [{ name: 'http', container: 0, host: null, protocol: 'tcp' }])
})

test('a health check finds its port by number, by name, or takes the first', () => {
  const portOf = (health: object): unknown =>
    specOf(web({ ports: [80, 443], health })).pod.containers[0]?.health
  assert.match(JSON.stringify(portOf({ tcp: 443 })), /"port":"port-2"/)
  assert.match(JSON.stringify(portOf({ tcp: 'http' })), /"port":"http"/)
  assert.match(JSON.stringify(portOf({ http: { path: '/', port: 443 } })), /"port":"port-2"/)
  assert.match(JSON.stringify(portOf({ tcp: true })), /"port":"http"/)
})

test('every complaint says where, what, and what was meant', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [web({}, { count: 'lots' }), /^count: must be a whole number from 0 to 100000, got "lots"$/],
    [
      { name: 'web', pod: { containers: [{ imagee: 'x' }] } },
      /^pod\.containers\[0\]\.imagee: is not a known field — did you mean "image"\?$/,
    ],
    [{ nme: 'web' }, /^nme: is not a known field — did you mean "name"\?$/],
    [{ name: 'web' }, /^pod: is missing$/],
    [
      web({}, { kind: 'servce' }),
      /^kind: must be service, global or batch, got "servce" — did you mean "service"\?$/,
    ],
    [web({}, { name: 'Web' }), /^name: must be a name of lower-case letters/],
    [web({ ports: ['x'] }), /^pod\.containers\[0\]\.ports\[0\]: must be a port/],
    [
      web({ health: { http: '/', tcp: true }, ports: [80] }),
      /must have one of http, tcp and exec, got http and tcp$/,
    ],
    [web({ health: { http: '/' } }), /needs a port, and the container declares none$/],
    [
      web({ health: { tcp: 'htp' }, ports: [80] }),
      /names port "htp", which the container does not declare — did you mean "http"\?$/,
    ],
    [web({ env: { A: null } }), /^pod\.containers\[0\]\.env\.A: must be text, got null$/],
    [web({ command: `sh 'x` }), /has an unclosed '/],
    [web({ resources: { cpu: 'x' } }), /^pod\.containers\[0\]\.resources\.cpu: must be a number of cores/],
    [web({ image: '-v' }), /^pod\.containers\[0\]\.image: must be an image/],
    [web({}, { place: { constraints: ['zone=='] } }), /^place\.constraints\[0\]: must be a condition/],
    [web({}, { restart: { attempts: -1 } }), /^restart\.attempts: must be a whole number/],
    [{ name: 'web', pod: { containers: [] } }, /^pod\.containers: must hold at least 1$/],
    [{ name: 'web', pod: { containers: [{}] } }, /^pod\.containers\[0\]\.command: /],
    [web({ ports: [80, 80] }), /^pod\.containers\[0\]\.ports\[1\]\.container: /],
    ['text', /^workload: must be a map, got "text"$/],
    [null, /^workload: must be a map, got null$/],
    [[], /^workload: must be a map, got a list$/],
  ]
  for (const [value, pattern] of cases) {
    const complaints = complaintsOf(value)
    assert.ok(
      complaints.some(text => pattern.test(text)),
      `${JSON.stringify(value)}: ${complaints.join(' | ')}`,
    )
  }
})

test('names that reach into JavaScript are refused', () => {
  for (const text of ['{"__proto__":{"x":1}}', '{"name":"a","pod":{"labels":{"constructor":"x"}}}']) {
    assert.match(complaintsOf(JSON.parse(text))[0] ?? '', /is a name that is never allowed/)
  }
  assert.is(({} as { x?: number }).x, undefined)
})

test('depth and size have limits, shared parts count as often as they are used', () => {
  let deep: unknown = 1
  for (let level = 0; level < 100; level++) deep = [deep]
  assert.match(complaintsOf({ name: deep })[0] ?? '', /nested deeper/)
  let bomb: unknown = ['lol']
  for (let level = 0; level < 9; level++) bomb = Array(9).fill(bomb)
  assert.match(complaintsOf({ name: bomb })[0] ?? '', /holds more than/)
  assert.match(complaintsOf(web({ command: ['a\0b'] }))[0] ?? '', /NUL/)
})

test('whatever comes in, the answer is a complaint with a place or a spec that the scheduler takes', () => {
  const some = fc.oneof(fc.jsonValue(), fc.constantFrom('web', 3, '5s', 'zone==eu', '8080:80', true, null))
  const container = fc.record(
    {
      image: some,
      command: some,
      ports: fc.array(some),
      env: some,
      resources: some,
      health: some,
      name: some,
    },
    { requiredKeys: [] },
  )
  const file = fc.record(
    {
      name: fc.oneof(fc.constant('web'), some),
      kind: some,
      count: some,
      pod: fc.record({ containers: fc.array(container) }),
      place: some,
      restart: some,
      update: some,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(file, value => {
      const parsed = parseWorkload(value)
      if (parsed.ok) assert.equal(validateSpec(parsed.spec), [])
      else assert.ok(parsed.issues.length > 0 && parsed.issues.length <= 20)
    }),
    { numRuns: 300 },
  )
})

test.run()
