/** The cluster's own certificates: what the platform and OpenSSL think of them, and how a client tells whose they are. */
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CERTIFICATE_LIFE_MS, issue } from '../../../node/authority/authority.ts'
import { isEndorsed } from '../../../node/authority/endorsement.ts'
import { foundCluster } from '../../../node/founding.ts'
import { pinOf } from '../../../node/membership/token.ts'

const NOW_MS = Date.now()
const HOSTS = [
  'ash',
  'tutti.example.org',
  '10.0.0.11',
  '127.0.0.1',
  '::1',
  'fe80::a:1',
  '2001:db8:1:2:3:4:5:6',
]
const cluster = foundCluster(NOW_MS)

const chainOf = (pem: string): readonly [X509Certificate, X509Certificate] => {
  const [own = '', authority = ''] = pem.split(/(?<=-----END CERTIFICATE-----\n)/)
  return [new X509Certificate(own), new X509Certificate(authority)]
}

const issued = (of = cluster, facts = {}) =>
  chainOf(issue(of, { name: 'ash', hosts: HOSTS, nowMs: NOW_MS, ...facts }).cert)

test('a certificate names the server’s hosts, is short-lived and signed by the authority', () => {
  const [own, authority] = issued()
  assert.ok(own.checkIssued(authority) && own.verify(authority.publicKey))
  assert.not.ok(own.ca)
  for (const host of HOSTS.slice(0, 2)) assert.ok(own.checkHost(host), host)
  for (const address of HOSTS.slice(2)) assert.ok(own.checkIP(address), address)
  assert.not.ok(own.checkHost('evil.example'))
  assert.not.ok(own.checkIP('10.0.0.12'))
  assert.is(own.validFromDate.getTime(), Math.floor(NOW_MS / 1_000) * 1_000 - 3_600_000)
  assert.is(own.validToDate.getTime(), Math.floor((NOW_MS + CERTIFICATE_LIFE_MS) / 1_000) * 1_000)
})

test('OpenSSL, strict, finds no fault in the chain', () => {
  const [own, authority] = issued()
  const directory = mkdtempSync(join(tmpdir(), 'tutti-ca-'))
  writeFileSync(join(directory, 'own.pem'), own.toString())
  writeFileSync(join(directory, 'ca.pem'), authority.toString())
  const verify = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', 'own.pem']
  const told = execFileSync('openssl', verify, { cwd: directory, encoding: 'utf8' })
  rmSync(directory, { recursive: true })
  assert.is(told, 'own.pem: OK\n')
})

test('every member has the same authority, whenever it asks', () => {
  const [first] = [issued()[1]]
  const [own, second] = issued(structuredClone(cluster), { name: 'birch', nowMs: NOW_MS + 1e9 })
  assert.ok(own.checkIssued(first) && own.verify(first.publicKey))
  assert.is(second.subject, first.subject)
  assert.is(second.serialNumber, first.serialNumber)
  assert.is(second.validTo, first.validTo)
})

test('a date beyond 2049 is written so that it is read as that', () => {
  const old = { ...cluster, createdAtMs: Date.UTC(2049, 5, 1) }
  assert.is(issued(old)[1].validToDate.getUTCFullYear(), 2074)
})

test('the authority is known by the key that the tokens pin, and nobody else is', () => {
  const pin = pinOf(cluster.publicKey)
  const [own, authority] = issued()
  assert.ok(isEndorsed(authority, pin))
  assert.not.ok(isEndorsed(own, pin), 'a server is no authority')
  assert.not.ok(isEndorsed(authority, pinOf(foundCluster(0).publicKey)))
  assert.not.ok(isEndorsed(issued(foundCluster(NOW_MS))[1], pin))
})

test('an endorsement cannot be moved to another authority, nor be made without the key', () => {
  const pin = pinOf(cluster.publicKey)
  const thief = foundCluster(NOW_MS)
  // It says that it is the cluster, and signs with a key of its own.
  const claimed = issued({ ...thief, publicKey: cluster.publicKey })[1]
  assert.not.ok(isEndorsed(claimed, pin))
  const [mark, length] = [Buffer.from(cluster.publicKey, 'base64'), 96]
  const genuine = issued()[1].raw
  const stolen = genuine.subarray(genuine.indexOf(mark), genuine.indexOf(mark) + length)
  const forged = Buffer.from(claimed.raw)
  stolen.copy(forged, forged.indexOf(mark))
  assert.not.ok(isEndorsed(new X509Certificate(forged), pin))
})

test.run()
