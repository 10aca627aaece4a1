/**
 * The cluster's own certificate authority. Its key is derived from the cluster's private key, which every member holds: so
 * each node issues its own certificate, a backup brings the authority back, and there is nothing more to keep secret.
 */
import {
  createECDH,
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import type { Cluster } from '../../scheduler/index.ts'
import { authorityExtensions, certificate, serverExtensions, spkiOf } from './certificate.ts'
import { ENDORSEMENT, endorse } from './endorsement.ts'

const DAY_MS = 24 * 3_600_000
/** Stored by clients as their anchor, so it outlives them. It ends with the cluster's key, which is never exchanged. */
const AUTHORITY_LIFE_MS = 25 * 365 * DAY_MS
export const CERTIFICATE_LIFE_MS = 30 * DAY_MS
/** A client's clock may be behind by that. */
const EARLIER_MS = 3_600_000
const SERIAL_BYTES = 16

export type Issued = {
  /** PEM: the server's own key, and its certificate followed by that of the authority. */
  readonly key: string
  readonly cert: string
  readonly fromMs: number
  readonly untilMs: number
}

export type Wish = {
  readonly name: string
  /** Host names and addresses. */
  readonly hosts: readonly string[]
  readonly nowMs: number
}

/** A fresh key, and a certificate for it by the authority of the cluster. */
export const issue = (cluster: Cluster, { name, hosts, nowMs }: Wish): Issued => {
  const authority = authorityKey(cluster)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = spkiOf(privateKey)
  const [fromMs, untilMs] = [nowMs - EARLIER_MS, nowMs + CERTIFICATE_LIFE_MS]
  const own = certificate({
    serial: randomBytes(SERIAL_BYTES),
    issuer: authorityName(cluster),
    subject: name,
    fromMs,
    untilMs,
    publicKey: spki,
    extensions: serverExtensions(spki, spkiOf(authority), hosts),
    signedBy: authority,
  })
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    cert: pemOf(own) + pemOf(authorityCertificate(cluster, authority)),
    fromMs,
    untilMs,
  }
}

const authorityName = ({ id }: Cluster): string => `tutti ${id}`

/** The same on every node but for the signature, which has chance in it. */
const authorityCertificate = (cluster: Cluster, authority: KeyObject): Buffer => {
  const spki = spkiOf(authority)
  const fromMs = cluster.createdAtMs - DAY_MS
  return certificate({
    serial: createHash('sha256').update(spki).digest().subarray(0, SERIAL_BYTES),
    issuer: authorityName(cluster),
    subject: authorityName(cluster),
    fromMs,
    untilMs: fromMs + AUTHORITY_LIFE_MS,
    publicKey: spki,
    extensions: [
      ...authorityExtensions(spki),
      { id: ENDORSEMENT, isCritical: false, value: endorse(cluster, spki) },
    ],
    signedBy: authority,
  })
}

/** P-256, which browsers and every TLS library know; the cluster's own Ed25519 key is not for certificates. */
const authorityKey = (cluster: Cluster): KeyObject => {
  const secret = Buffer.from(cluster.privateKey, 'base64')
  for (let counter = 0; ; counter++) {
    const d = Buffer.from(hkdfSync('sha256', secret, cluster.id, `tutti api authority 1 ${counter}`, 32))
    const point = publicPointOf(d)
    if (point === null) continue
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map(part => part.toString('base64url'))
    return createPrivateKey({
      key: { kty: 'EC', crv: 'P-256', d: d.toString('base64url'), x: x as string, y: y as string },
      format: 'jwk',
    })
  }
}

/** Null when the number is no key of this curve, as one in four thousand million is not. */
const publicPointOf = (d: Buffer): Buffer | null => {
  const curve = createECDH('prime256v1')
  try {
    curve.setPrivateKey(d)
    return curve.getPublicKey()
  } catch {
    return null
  }
}

const pemOf = (der: Buffer): string => {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
