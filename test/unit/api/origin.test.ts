import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkNoOrigin, checkOrigin, hostNameOf } from '../../../node/api/origin.ts'
import { Failure } from '../../../node/errors.ts'

const names = new Set(['ash', 'tutti.example.org'])
const check =
  (host: string | undefined, origin?: string, scheme: 'http' | 'https' = 'http') =>
  () =>
    checkOrigin({ host, origin }, scheme, names)
const isForbidden = (thrown: unknown): boolean => thrown instanceof Failure && thrown.code === 'E_FORBIDDEN'

test('addresses, localhost and configured names are answered', () => {
  for (const host of [
    '127.0.0.1:7700',
    '10.0.0.11',
    '[::1]:7700',
    'localhost:7700',
    'ash:7700',
    'ASH',
    'tutti.example.org',
  ])
    assert.not.throws(check(host), host)
})

test('any other name is refused, whatever it is dressed as', () => {
  const foreign = [
    'evil.example',
    'ash.evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'ash@evil',
    '',
    ' ',
    'ash:7700:1',
    '[::1',
    'ash/x',
    '0x7f000001',
  ]
  for (const host of foreign) assert.throws(check(host), isForbidden, host)
  assert.throws(check(undefined), isForbidden)
})

test('an origin must be the very address that was asked', () => {
  assert.not.throws(check('127.0.0.1:7700', 'http://127.0.0.1:7700'))
  assert.not.throws(check('ash:7700', 'https://ash:7700', 'https'))
  const foreign = [
    'null',
    'http://127.0.0.1:8080',
    'https://127.0.0.1:7700',
    'http://evil.example',
    'http://127.0.0.1:7700.evil.example',
    '',
  ]
  for (const origin of foreign) assert.throws(check('127.0.0.1:7700', origin), isForbidden, origin)
})

test('a foreign name is refused even when origin and host agree', () => {
  assert.throws(check('evil.example', 'http://evil.example'), isForbidden)
})

test('no web page reaches the unix socket', () => {
  assert.not.throws(() => checkNoOrigin({ host: 'localhost', origin: undefined }))
  assert.throws(() => checkNoOrigin({ host: 'localhost', origin: 'http://localhost' }), isForbidden)
})

test('a host name is read without port, brackets and final dot', () => {
  assert.is(hostNameOf('[2001:DB8::1]:80'), '2001:db8::1')
  assert.is(hostNameOf('Ash.:7700'), 'ash')
})

test.run()
