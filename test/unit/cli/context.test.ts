import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Environment, readSettings } from '../../../cli/context.ts'
import { parseAddress } from '../../../cli/http.ts'
import { defaultDataDirectory } from '../../../node/paths.ts'

const addressesOf = (
  environment: Environment,
  connect: string | null = null,
  isRoot = false,
): readonly string[] => readSettings(environment, { connect, context: null, isDebug: false }, isRoot).connect

test('the flag is stronger than the environment, and the environment than the default', () => {
  const environment = { TUTTI_CONNECT: 'http://a:1', HOME: '/home/x' }
  assert.equal(addressesOf(environment, 'unix:/s'), ['unix:/s'])
  assert.equal(addressesOf(environment), ['http://a:1'])
  assert.equal(addressesOf({ TUTTI_CONNECT: 'unix:/a, http://b:2,' }), ['unix:/a', 'http://b:2'])
})

test('the default socket follows the data directory', () => {
  assert.equal(addressesOf({ HOME: '/home/x' }), [
    'unix:/home/x/.local/share/tutti/tutti.sock',
    'unix:/var/lib/tutti/tutti.sock',
  ])
  assert.equal(addressesOf({ HOME: '/root' }, null, true), ['unix:/var/lib/tutti/tutti.sock'])
  assert.equal(addressesOf({ HOME: '/home/x', TUTTI_DATA: '/d' }), ['unix:/d/tutti.sock'])
  assert.is(defaultDataDirectory({ HOME: '/home/x', XDG_DATA_HOME: '/xdg' }, false), '/xdg/tutti')
})

test('addresses are sockets or HOST:PORT over http or https', () => {
  assert.equal(parseAddress('unix:/a/b.sock'), { type: 'unix', path: '/a/b.sock' })
  assert.equal(parseAddress('unix:///a/b.sock'), { type: 'unix', path: '/a/b.sock' })
  assert.equal(parseAddress('/a/b.sock'), { type: 'unix', path: '/a/b.sock' })
  assert.equal(parseAddress('http://10.0.0.1:7700'), { type: 'http', host: '10.0.0.1', port: 7700 })
  assert.equal(parseAddress('https://node.example'), { type: 'https', host: 'node.example', port: 7700 })
  assert.equal(parseAddress('127.0.0.1:1234'), { type: 'http', host: '127.0.0.1', port: 1234 })
  assert.equal(parseAddress('http://[::1]:7700'), { type: 'http', host: '::1', port: 7700 })
  for (const wrong of ['', 'http://', 'ftp://x', 'a b', 'http://x/path'])
    assert.throws(() => parseAddress(wrong), undefined, wrong)
})

test.run()
