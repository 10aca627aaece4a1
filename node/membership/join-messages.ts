/** What goes over the wire when a node joins, checked field by field: one side is always a stranger. */
import type { NodeFacts, NodeId, RuntimeKind } from '../../scheduler/index.ts'

export type AdmitRequest = {
  readonly type: 'admit'
  readonly tokenId: string
  /** By the version before this one the secret itself was shown; a proof says the same without it. */
  readonly shown: { readonly type: 'proof' | 'secret'; readonly text: string }
  readonly facts: NodeFacts
  readonly requestId: string
}

export type JoinRequest =
  | { readonly type: 'hello'; readonly nonce: string }
  | AdmitRequest
  /** From a node that nobody lets in: is it a member still? */
  | { readonly type: 'standing'; readonly nonce: string }

/** `nonce`: the member's own, for the proof of the secret; null from a member of the version before. */
export type HelloReply = {
  readonly clusterPublicKey: string
  readonly signature: string
  readonly nonce: string | null
}

/** `signature`: by the cluster, of a farewell; empty for everybody whom it does not know as having left. */
export type StandingReply = { readonly isLeft: boolean; readonly signature: string }

export type AdmitReply = {
  readonly clusterId: string
  readonly clusterName: string
  readonly members: readonly { readonly id: string; readonly addresses: readonly string[] }[]
}

const TEXT_LENGTH_MAX = 256
/** Chosen by the joiner, and made longer before it gets into the log. */
const REQUEST_ID_LENGTH_MAX = 64
const LABELS_MAX = 64
const MEMBERS_MAX = 10_000
const RUNTIMES: readonly RuntimeKind[] = ['docker', 'process', 'fake']
const NODE_NAME = /^[a-z][a-z0-9-]{0,62}$/

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= TEXT_LENGTH_MAX
/** What may stand in a line of text that is signed: ids and nonces. */
const isWord = (value: unknown): value is string => isText(value) && /^[\w+/=-]+$/.test(value)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length <= 16 && value.every(isText)

/** Null for anything else than a well-formed request. */
export const parseJoinRequest = (value: unknown): JoinRequest | null => {
  const fields = fieldsOf(value)
  const type = fields?.type
  if ((type === 'hello' || type === 'standing') && isWord(fields?.nonce)) return { type, nonce: fields.nonce }
  if (type !== 'admit') return null
  const { tokenId, proof, secret, requestId } = fields as Fields
  const facts = parseFacts(fields?.facts)
  if (!isWord(tokenId) || !isText(requestId) || facts === null) return null
  if (requestId.length > REQUEST_ID_LENGTH_MAX) return null
  const asked = { type, tokenId, requestId, facts } as const
  if (isText(proof)) return { ...asked, shown: { type: 'proof', text: proof } }
  return isText(secret) ? { ...asked, shown: { type: 'secret', text: secret } } : null
}

export const parseHelloReply = (value: unknown): HelloReply | null => {
  const fields = fieldsOf(value)
  if (fields === null || !isText(fields.clusterPublicKey) || !isText(fields.signature)) return null
  const { clusterPublicKey, signature, nonce } = fields
  return { clusterPublicKey, signature, nonce: isWord(nonce) ? nonce : null }
}

export const parseStandingReply = (value: unknown): StandingReply | null => {
  const fields = fieldsOf(value)
  if (typeof fields?.isLeft !== 'boolean' || typeof fields.signature !== 'string') return null
  return fields.signature.length > TEXT_LENGTH_MAX
    ? null
    : { isLeft: fields.isLeft, signature: fields.signature }
}

export const parseAdmitReply = (value: unknown): AdmitReply | null => {
  const fields = fieldsOf(value)
  if (fields === null || !isText(fields.clusterId) || !isText(fields.clusterName)) return null
  if (!Array.isArray(fields.members) || fields.members.length > MEMBERS_MAX) return null
  const members = fields.members.map(fieldsOf)
  const isSound = members.every(member => isText(member?.id) && isTexts(member?.addresses))
  if (!isSound) return null
  return {
    clusterId: fields.clusterId,
    clusterName: fields.clusterName,
    members: members as unknown as AdmitReply['members'],
  }
}

const parseFacts = (value: unknown): NodeFacts | null => {
  const fields = fieldsOf(value)
  if (fields === null) return null
  const { id, name, address, peerAddress, apiAddress, runtime, version, protocol } = fields
  const labels = parseLabels(fields.labels)
  const capacity = fieldsOf(fields.capacity)
  const range = fields.portRange
  if (
    !isText(id) ||
    !isText(name) ||
    !NODE_NAME.test(name) ||
    !isText(address) ||
    !isText(peerAddress) ||
    !isText(version)
  )
    return null
  if (apiAddress !== null && !isText(apiAddress)) return null
  if (protocol !== undefined && !isCount(protocol)) return null
  if (labels === null || !isCount(capacity?.cpuMillis) || !isCount(capacity?.memoryBytes)) return null
  if (!RUNTIMES.includes(runtime as RuntimeKind)) return null
  if (!Array.isArray(range) || range.length !== 2 || !range.every(port => isCount(port) && port <= 65_535))
    return null
  return {
    id: id as NodeId,
    name,
    address,
    peerAddress,
    apiAddress: apiAddress as string | null,
    labels,
    capacity: { cpuMillis: capacity.cpuMillis, memoryBytes: capacity.memoryBytes },
    runtime: runtime as RuntimeKind,
    portRange: [range[0] as number, range[1] as number],
    version,
    ...(protocol === undefined ? {} : { protocol }),
  }
}

const parseLabels = (value: unknown): Readonly<Record<string, string>> | null => {
  const fields = fieldsOf(value)
  const entries = Object.entries(fields ?? {})
  if (fields === null || entries.length > LABELS_MAX) return null
  const isSound = entries.every(
    ([key, text]) =>
      isText(key) && key !== '__proto__' && typeof text === 'string' && text.length <= TEXT_LENGTH_MAX,
  )
  return isSound ? (Object.fromEntries(entries) as Record<string, string>) : null
}
