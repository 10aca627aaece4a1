/** Routes for tokens. A secret exists in the one reply that creates it: the log holds its hash only. */
import { type Grant, isNamespace, type Role, type State } from '../../../scheduler/index.ts'
import { Failure } from '../../errors.ts'
import { createToken } from '../../membership/token.ts'
import { GRANT_NAMES, isGrant, isRole } from '../access.ts'
import type { Handler } from '../dialect.ts'
import { json } from '../reply.ts'
import { type ApiRequest, type Fields, fieldsOf } from '../request.ts'
import type { NativeRoute } from './access.ts'
import { isoTime } from './picture.ts'
import type { TokenCreated, TokenRequest } from './schema-access.ts'
import { checkNamespaces, type NativeDeps, submit, written } from './write.ts'

const HOUR_MS = 3_600_000
const JOIN_TTL_MS = HOUR_MS
const API_TTL_MS = 24 * HOUR_MS
const TTL_MS_MIN = 1_000
const TTL_MS_MAX = 366 * 24 * HOUR_MS
const USES_MAX = 10_000

export const tokenRoutes = (deps: NativeDeps): readonly NativeRoute[] => {
  const { gateway, clock, node } = deps

  const create: Handler = async request => {
    const wanted = await tokenRequestOf(request)
    const state = gateway.state()
    if (wanted.more.namespace !== undefined || wanted.more.grants !== undefined) checkNamespaces(state)
    const { id, text, ...hashes } = createToken(clusterKeyOf(state))
    const secretHash = wanted.kind === 'join' ? hashes.joinHash : hashes.secretHash
    const expiresAtMs = clock.wallMs() + wanted.ttlMs
    await submit(deps, request, {
      type: 'token/Create',
      token: {
        id,
        kind: wanted.kind,
        secretHash,
        role: wanted.role,
        labels: wanted.labels,
        uses: wanted.uses,
        expiresAtMs,
        ...wanted.more,
      },
    })
    // A retry of a creation that was applied before: that token's secret went with the lost reply.
    if (gateway.state().tokens.get(id)?.secretHash !== secretHash) throw secretGone()
    const joinAddress = [...state.nodes.values()].find(known => known.id === node.id)?.peerAddress ?? ''
    return json({ id, token: text, expiresAt: isoTime(expiresAtMs), joinAddress } satisfies TokenCreated)
  }

  const revoke: Handler = async (request, { id = '' }) => {
    const wasRevoked = gateway.state().tokens.get(id)?.revoked === true
    const index = await submit(deps, request, { type: 'token/Revoke', id })
    const message = wasRevoked ? `token ${id} was revoked already` : `token ${id} is revoked`
    return written({ index, changed: !wasRevoked, message })
  }

  return [
    { method: 'POST', path: '/tokens', handler: create },
    { method: 'DELETE', path: '/tokens/:id', handler: revoke },
  ]
}

const clusterKeyOf = ({ cluster }: State): string => {
  if (cluster !== null) return cluster.publicKey
  throw new Failure('E_CONFLICT', { message: 'this node belongs to no cluster yet', try: 'tutti status' })
}

const secretGone = (): Failure =>
  new Failure('E_CONFLICT', {
    message: 'this request has created a token before',
    why: 'its secret was shown in the first reply, and is kept nowhere',
    try: 'tutti token create; revoke the lost one: tutti token ls',
  })

type Wanted = {
  readonly kind: 'join' | 'api'
  readonly role: Role
  readonly uses: number | null
  readonly ttlMs: number
  readonly labels: Readonly<Record<string, string>>
  readonly more: { readonly name?: string; readonly namespace?: string; readonly grants?: readonly Grant[] }
}

const tokenRequestOf = async (request: ApiRequest): Promise<Wanted> => {
  const known = [
    'kind',
    'role',
    'uses',
    'ttlMs',
    'labels',
    'name',
    'namespace',
    'grants',
  ] satisfies (keyof TokenRequest)[]
  const fields = await fieldsOf(request, known)
  const { kind, role = 'viewer', uses, ttlMs, labels = {} } = fields
  if (kind !== 'join' && kind !== 'api') throw invalid('kind', 'kind must be join or api')
  if (!isRole(role)) throw invalid('role', 'role must be viewer, operator or admin')
  if (!isLabels(labels)) throw invalid('labels', 'labels must be an object of texts')
  const isApi = kind === 'api'
  if (isApi && Object.keys(labels).length > 0) throw invalid('labels', 'only a join token gives labels')
  if (isApi && uses !== undefined && uses !== null)
    throw invalid('uses', 'the uses of an api token are not counted: give it a short life instead')
  return {
    kind,
    role,
    labels,
    more: moreOf(fields, kind, role),
    uses: isApi || uses === null ? null : wholeOf('uses', uses, 1, { min: 1, max: USES_MAX }),
    ttlMs: wholeOf('ttlMs', ttlMs, isApi ? API_TTL_MS : JOIN_TTL_MS, { min: TTL_MS_MIN, max: TTL_MS_MAX }),
  }
}

const TOKEN_NAME = /^[A-Za-z0-9][\w.-]{0,62}$/

/** What only some tokens have; absent fields stay absent in the log. */
const moreOf = ({ name, namespace, grants }: Fields, kind: 'join' | 'api', role: Role): Wanted['more'] => {
  if (name !== undefined && !(typeof name === 'string' && TOKEN_NAME.test(name)))
    throw invalid('name', 'name must be 1 to 63 letters, digits, dots, dashes and underscores')
  if (namespace !== undefined && !(typeof namespace === 'string' && isNamespace(namespace)))
    throw invalid('namespace', 'namespace must be a name of lower-case letters, digits and dashes')
  if (grants !== undefined && !(Array.isArray(grants) && grants.every(isGrant)))
    throw invalid('grants', `grants must be some of ${GRANT_NAMES.join(', ')}`)
  if (kind === 'join' && (namespace !== undefined || grants !== undefined))
    throw invalid('kind', 'a join token has no namespace and no grants: it admits a node and opens nothing')
  if (namespace !== undefined && role === 'admin')
    throw invalid(
      'namespace',
      'an admin makes tokens for the whole cluster, so a namespace would not hold it: choose operator',
    )
  if (grants !== undefined && grants.length > 0 && role !== 'operator')
    throw invalid(
      'grants',
      role === 'admin' ? 'an admin has every permission' : 'a viewer only reads: choose operator',
    )
  return {
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(grants === undefined ? {} : { grants: [...new Set(grants as readonly Grant[])] }),
  }
}

const wholeOf = (
  field: string,
  value: unknown,
  absent: number,
  { min, max }: { readonly min: number; readonly max: number },
): number => {
  if (value === undefined) return absent
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max)
    return value as number
  throw invalid(field, `${field} must be a whole number from ${min} to ${max}`)
}

const isLabels = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every(text => typeof text === 'string')

const invalid = (field: string, message: string): Failure =>
  new Failure('E_INVALID', message, { facts: { field } })
