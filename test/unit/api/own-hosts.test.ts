import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isWildcard, ownHosts } from '../../../node/api/own-hosts.ts'

test('a server on one address is known by that and by its names', () => {
  assert.equal(ownHosts('10.0.0.11', ['ash', '10.0.0.11']), ['ash', '10.0.0.11'])
  assert.not.ok(isWildcard('10.0.0.11'))
})

test('a server on all addresses is known by all of this machine, the loopback ones included', () => {
  for (const wildcard of ['0.0.0.0', '::']) {
    const hosts = ownHosts(wildcard, ['ash'])
    for (const host of ['ash', 'localhost', '127.0.0.1']) assert.ok(hosts.includes(host), host)
    assert.not.ok(hosts.some(host => host.includes('%') || isWildcard(host)))
  }
})

test.run()
