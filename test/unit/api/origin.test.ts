import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkNoOrigin, checkOrigin, hostNameOf, ownNames } from '../../../node/api/origin.ts'
import { Failure } from '../../../node/errors.ts'

const HOSTS = ['ash', '127.0.0.1', '::1', 'Tutti.Example.org']
const check =
  (host: string | undefined, origin?: string, scheme: 'http' | 'https' = 'http') =>
  () =>
    checkOrigin({ host, origin }, ownNames(HOSTS, { scheme, port: 7700 }))
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

test('an origin must be one of this very server, whatever Host says', () => {
  for (const own of ['ash', '127.0.0.1', '[::1]', 'localhost', 'TUTTI.example.org'])
    assert.not.throws(check('127.0.0.1:7700', `http://${own}:7700`), own)
  assert.not.throws(check('ash:7700', 'https://ash:7700', 'https'))
  const foreign = [
    'null',
    'http://127.0.0.1:8080',
    'http://127.0.0.1',
    'https://127.0.0.1:7700',
    'http://evil.example',
    'http://127.0.0.1:7700.evil.example',
    'http://127.0.0.1:7700/',
    '',
  ]
  for (const origin of foreign) assert.throws(check('127.0.0.1:7700', origin), isForbidden, origin)
})

test('that origin and host agree proves nothing: both are the sender’s words', () => {
  assert.not.throws(
    check('10.9.9.9:7700'),
    'an address needs no rebinding, so a client may use any that leads here',
  )
  assert.throws(check('10.9.9.9:7700', 'http://10.9.9.9:7700'), isForbidden)
})

test('the port that a scheme implies is left out of its origins', () => {
  const own = (scheme: 'http' | 'https', port: number) => [...ownNames(['ash'], { scheme, port }).origins]
  assert.equal(own('https', 443), ['https://localhost', 'https://ash'])
  assert.equal(own('http', 80), ['http://localhost', 'http://ash'])
  assert.equal(own('http', 443), ['http://localhost:443', 'http://ash:443'])
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
