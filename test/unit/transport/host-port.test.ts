import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '../../../node/errors.ts'
import {
  advertisedAddresses,
  hostPortOf,
  isHostPort,
  multiaddrOf,
} from '../../../node/transport/host-port.ts'

const entry = (address: string, family: 'IPv4' | 'IPv6' = 'IPv4', internal = false) =>
  ({
    address,
    family,
    internal,
    netmask: '',
    mac: '',
    cidr: null,
    ...(family === 'IPv6' ? { scopeid: 0 } : {}),
  }) as never

test('addresses are read in their three forms', () => {
  assert.equal(hostPortOf('10.0.0.1:7701'), { host: '10.0.0.1', port: 7701 })
  assert.equal(hostPortOf('[fd00::1]:80'), { host: 'fd00::1', port: 80 })
  assert.equal(hostPortOf('ash.example:0'), { host: 'ash.example', port: 0 })
})

test('what is no address is refused with an example', () => {
  for (const text of [
    '',
    '10.0.0.1',
    '10.0.0.1:',
    ':80',
    '10.0.0.1:65536',
    'a b:1',
    '/ip4/1.2.3.4/tcp/1',
    'a:1\n',
  ]) {
    assert.not(isHostPort(text), text)
    try {
      hostPortOf(text)
      assert.unreachable(text)
    } catch (thrown) {
      assert.instance(thrown, Failure)
      assert.is((thrown as Failure).code, 'E_INVALID')
    }
  }
})

test('libp2p gets the family it needs', () => {
  assert.is(multiaddrOf('127.0.0.2:7701'), '/ip4/127.0.0.2/tcp/7701')
  assert.is(multiaddrOf('[::1]:1'), '/ip6/::1/tcp/1')
  assert.is(multiaddrOf('ash:7701'), '/dns/ash/tcp/7701')
})

test('a specific listen address is advertised as it is', () => {
  assert.equal(advertisedAddresses({ host: '127.0.0.3', port: 1 }, {}), ['127.0.0.3:1'])
  assert.equal(advertisedAddresses({ host: 'localhost', port: 1 }, {}), ['127.0.0.1:1'])
})

test('a wildcard advertises the addresses that others can use', () => {
  const interfaces = {
    lo: [entry('127.0.0.1', 'IPv4', true)],
    docker0: [entry('172.17.0.1')],
    eth0: [entry('10.0.0.5'), entry('fe80::1', 'IPv6'), entry('fd00::5', 'IPv6')],
  }
  assert.equal(advertisedAddresses({ host: '0.0.0.0', port: 7 }, interfaces), ['10.0.0.5:7'])
  assert.equal(advertisedAddresses({ host: '::', port: 7 }, interfaces), ['10.0.0.5:7', '[fd00::5]:7'])
})

test('bridges count when there is nothing else, and loopback when there is nothing at all', () => {
  assert.equal(advertisedAddresses({ host: '0.0.0.0', port: 7 }, { veth1: [entry('10.77.0.2')] }), [
    '10.77.0.2:7',
  ])
  assert.equal(advertisedAddresses({ host: '0.0.0.0', port: 7 }, {}), ['127.0.0.1:7'])
})

test.run()
