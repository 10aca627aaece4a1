import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { resolveConfig, type StartOptions } from '../../node/config.ts'

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
    advertise: null,
    ...over,
  })

test('a cluster is on one machine when its node is reached at a loopback address', () => {
  const isOneMachine = (listen: string, advertise: string | null = null): boolean =>
    config({ listen, advertise }).isOneMachine
  assert.ok(isOneMachine('127.0.0.1:7701'))
  assert.ok(isOneMachine('127.0.77.3:7701'))
  assert.ok(isOneMachine('localhost:7701'))
  assert.ok(isOneMachine('[::1]:7701'))
  assert.not(isOneMachine('10.0.0.11:7701'))
  assert.not(isOneMachine('127.0.0.1:7701', '10.0.0.11'), 'others come through a tunnel')
})

test.run()
