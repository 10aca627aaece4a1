import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type ContainerSpec,
  sameTemplate,
  validateSpec,
  type WorkloadSpec,
} from '../../../scheduler/index.ts'
import { constraint, container, spec } from './fixtures.ts'

const paths = (facts: Partial<WorkloadSpec>, one: Partial<ContainerSpec> = {}): readonly string[] =>
  validateSpec(spec(facts, one)).map(({ path }) => path)

const port = (name: string, inner: number, host: number | null = null) =>
  ({ name, container: inner, host, protocol: 'tcp' }) as const

const place = (constraints: WorkloadSpec['place']['constraints']): Partial<WorkloadSpec> => ({
  place: { strategy: 'spread', constraints, spread: [], maxPerNode: null },
})

test('a sound spec has no problem', () => {
  const health = {
    type: 'http',
    path: '/',
    port: 'http',
    intervalMs: 1_000,
    timeoutMs: 500,
    startPeriodMs: 0,
    threshold: 3,
  } as const
  assert.equal(paths({}, { ports: [port('http', 80), port('admin', 81, 8_081)], health }), [])
  assert.equal(paths(place([constraint('zone', '==', 'eu'), constraint('node.name', 'regex', '^a')])), [])
})

test('names, counts and limits are checked, each with its path', () => {
  assert.equal(paths({ name: 'Web!' }), ['name'])
  assert.equal(paths({ count: -1 }), ['count'])
  assert.equal(paths({ update: { parallelism: 0, order: 'stop-first' } }), ['update.parallelism'])
  assert.equal(paths({ restart: { policy: 'always', backoffMs: 9, backoffMsMax: 8, attemptsMax: null } }), [
    'restart.backoffMsMax',
  ])
  assert.equal(paths({ place: { strategy: 'spread', constraints: [], spread: ['a b'], maxPerNode: 0 } }), [
    'place.maxPerNode',
    'place.spread[0]',
  ])
})

test('what every report and every refusal repeats is short', () => {
  const long = 'x'.repeat(5_000)
  assert.equal(paths({}, { image: long }), ['pod.containers[0].image'])
  const times = { intervalMs: 1_000, timeoutMs: 500, startPeriodMs: 0, threshold: 3 }
  const health = { type: 'http', path: `/${long}`, port: 'http', ...times } as const
  assert.equal(paths({}, { ports: [port('http', 80)], health }), ['pod.containers[0].health.path'])
  assert.equal(paths(place([constraint('zone', '==', long)])), ['place.constraints[0].values'])
  const many = Array.from({ length: 101 }, String)
  assert.equal(paths(place([constraint('zone', 'in', ...many)])), ['place.constraints[0].values'])
})

test('a pod has containers, with names of their own', () => {
  assert.equal(paths({ pod: { labels: {}, containers: [] } }), ['pod.containers'])
  const twice = { labels: {}, containers: [container(), container()] }
  assert.equal(paths({ pod: twice }), ['pod.containers[1].name'])
  assert.equal(paths({}, { image: null, command: [] }), ['pod.containers[0].command'])
  assert.equal(paths({}, { env: { '1A': 'x' } }), ['pod.containers[0].env'])
})

test('ports are unique within the pod, also across containers', () => {
  const pod = {
    labels: {},
    containers: [
      container({ name: 'a', ports: [port('http', 80, 8_080)] }),
      container({ name: 'b', ports: [port('http', 81, 8_080)] }),
    ],
  }
  assert.equal(paths({ pod }), ['pod.containers[1].ports[0].name', 'pod.containers[1].ports[0].host'])
  assert.equal(paths({}, { ports: [port('a', 80), port('b', 80)] }), ['pod.containers[0].ports[1].container'])
  assert.equal(
    paths({}, { ports: [port('a', 80, 90), port('b', 81, 91), port('b', 81, 91)] }),
    ['name', 'container', 'host'].map(field => `pod.containers[0].ports[2].${field}`),
  )
  assert.equal(paths({}, { ports: [port('a', 0), port('b', 0)] }), [], 'a told port may be declared again')
  assert.equal(paths({}, { ports: [port('a', 70_000)] }), ['pod.containers[0].ports[0].container'])
})

test('a health check names a tcp port of its container', () => {
  const health = {
    type: 'tcp',
    port: 'admin',
    intervalMs: 1,
    timeoutMs: 1,
    startPeriodMs: 0,
    threshold: 1,
  } as const
  const problems = validateSpec(spec({}, { ports: [port('http', 80)], health }))
  assert.equal(problems[0]?.path, 'pod.containers[0].health.port')
  assert.match(problems[0]?.message ?? '', 'it has http')
})

test('constraints have the values that their operator takes, and patterns that compile', () => {
  assert.equal(paths(place([constraint('zone', '==')])), ['place.constraints[0].values'])
  assert.equal(paths(place([constraint('zone', 'exists', 'x')])), ['place.constraints[0].values'])
  assert.equal(paths(place([constraint('zone', 'in')])), ['place.constraints[0].values'])
  assert.equal(paths(place([constraint('zone', 'regex', '(')])), ['place.constraints[0].values[0]'])
  assert.equal(paths(place([{ ...constraint('zone', '==', 'eu'), hard: false, weight: 0 }])), [
    'place.constraints[0].weight',
  ])
})

test('templates are compared by what they say, not by the order of keys', () => {
  const a = { labels: { x: '1', y: '2' }, containers: [container()] }
  assert.ok(sameTemplate(a, { containers: [container()], labels: { y: '2', x: '1' } }))
  assert.not(sameTemplate(a, { ...a, labels: { x: '1' } }))
})

test.run()
