import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { resolveConfig, type StartOptions } from '../../node/config.ts'
import type { Failure } from '../../node/errors.ts'

const config = (over: Partial<StartOptions>) =>
  resolveConfig({
    join: [],
    token: null,
    name: 'ash',
    dataDirectory: '/tmp/ash',
    listen: null,
    api: 'off',
    labels: {},
    runtime: 'process',
    dockerSocket: null,
    logLevel: 'info',
    logFile: null,
    advertise: [],
    ...over,
  })

test('a cluster is on one machine when its node is reached at a loopback address', () => {
  const isOneMachine = (listen: string, ...advertise: readonly string[]): boolean =>
    config({ listen, advertise }).isOneMachine
  assert.ok(isOneMachine('127.0.0.1:7701'))
  assert.ok(isOneMachine('127.0.77.3:7701'))
  assert.ok(isOneMachine('localhost:7701'))
  assert.ok(isOneMachine('[::1]:7701'))
  assert.not(isOneMachine('10.0.0.11:7701'))
  assert.not(isOneMachine('127.0.0.1:7701', '10.0.0.11'), 'others come through a tunnel')
})

test('a node is reached where it was said, best first, and else where it listens', () => {
  const said = config({ listen: '10.0.0.11:7701', advertise: ['203.0.113.7', '10.0.0.11', '203.0.113.7'] })
  assert.equal([said.address, said.addresses], ['203.0.113.7', ['203.0.113.7', '10.0.0.11']])
  assert.equal(config({ listen: '10.0.0.11:7701' }).addresses, ['10.0.0.11'])
  const many = Array.from({ length: 5 }, (_, n) => `10.0.0.${n}`)
  assert.throws(
    () => config({ advertise: many }),
    (thrown: unknown) => (thrown as Failure).code === 'E_INVALID',
  )
})

test.run()
