import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Parsed,
  parseConstraint,
  parseCpu,
  parseDuration,
  parseInterval,
  parseMemory,
  parsePort,
} from '../../../node/api/native/quantities.ts'

const all = <T>(
  parse: (value: unknown) => Parsed<T>,
  cases: readonly (readonly [unknown, T | null])[],
): void => {
  for (const [value, expected] of cases) {
    const parsed = parse(value)
    assert.equal(parsed.ok ? parsed.value : null, expected, JSON.stringify(value))
    if (!parsed.ok) assert.match(parsed.message, /, got /)
  }
}

test('cpu is cores or thousandths of one', () => {
  all(parseCpu, [
    [0.5, 500],
    ['0.5', 500],
    ['500m', 500],
    [2, 2000],
    [0, 0],
    ['1.5m', 2],
    [-1, null],
    ['x', null],
    [true, null],
    [null, null],
    ['', null],
    [1e9, null],
    [Number.NaN, null],
  ])
})

test('memory has binary units', () => {
  all(parseMemory, [
    [1024, 1024],
    ['128M', 128 * 2 ** 20],
    ['128Mi', 128 * 2 ** 20],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['64k', 65_536],
    ['1 G', 2 ** 30],
    ['128X', null],
    ['M', null],
    [-1, null],
    [[], null],
    ['99999T', null],
  ])
})

test('durations may be nothing, intervals may not', () => {
  all(parseDuration, [
    ['500ms', 500],
    [5, 5000],
    ['0s', 0],
    ['soon', null],
    ['400d', null],
  ])
  all(parseInterval, [
    ['5s', 5000],
    ['0s', null],
    [0, null],
  ])
})

test('ports are numbers or HOST:CONTAINER with a protocol', () => {
  const port = (container: number, host: number | null = null, protocol: 'tcp' | 'udp' = 'tcp') => ({
    name: null,
    container,
    host,
    protocol,
  })
  all(parsePort, [
    [80, port(80)],
    ['80', port(80)],
    ['8080:80', port(80, 8080)],
    ['53/udp', port(53, null, 'udp')],
    [0, port(0)],
    ['8080:80/udp', port(80, 8080, 'udp')],
    ['0:80', null],
    [65_536, null],
    ['a:b', null],
    [true, null],
    ['80/sctp', null],
    [1.5, null],
  ])
})

test('constraints are read in all their spellings', () => {
  const hard = { hard: true, weight: 50 }
  all(parseConstraint, [
    ['zone==eu', { attribute: 'zone', operator: '==', values: ['eu'], ...hard }],
    ['zone=eu', { attribute: 'zone', operator: '==', values: ['eu'], ...hard }],
    ['zone != eu', { attribute: 'zone', operator: '!=', values: ['eu'], ...hard }],
    ['disk in ssd, nvme', { attribute: 'disk', operator: 'in', values: ['ssd', 'nvme'], ...hard }],
    ['disk in (ssd,nvme)', { attribute: 'disk', operator: 'in', values: ['ssd', 'nvme'], ...hard }],
    ['disk notin hdd', { attribute: 'disk', operator: 'notin', values: ['hdd'], ...hard }],
    ['disk not in hdd', { attribute: 'disk', operator: 'notin', values: ['hdd'], ...hard }],
    ['exists gpu', { attribute: 'gpu', operator: 'exists', values: [], ...hard }],
    ['gpu exists', { attribute: 'gpu', operator: 'exists', values: [], ...hard }],
    ['node.name =~ ^a', { attribute: 'node.name', operator: 'regex', values: ['^a'], ...hard }],
    ['zone==eu ~', { attribute: 'zone', operator: '==', values: ['eu'], hard: false, weight: 50 }],
    ['zone==eu ~80', { attribute: 'zone', operator: '==', values: ['eu'], hard: false, weight: 80 }],
    ['zone==eu ~0', null],
    ['zone==eu ~101', null],
    ['zone', null],
    ['', null],
    ['disk in', null],
    ['disk in a,,b', null],
    ['!exists gpu', null],
    [5, null],
    [null, null],
  ])
})

test.run()
