/** What nodes say to each other, and the check at the door that keeps malformed frames out. */
import { isPart, type Part } from './digest.ts'
import { INCARNATION_MAX, type Member, type NodeId } from './member.ts'

/**
 * A claim on its way. `by` is the node that vouches for it: the subject for `alive` and `left`, an accuser for
 * `suspect`, the judge for `dead`. An accusation counts as a confirmation only when the accuser itself sends it.
 */
export type Rumor = {
  readonly member: Member
  readonly by: NodeId
  /** The accuser's dial was refused: the host is there and the process is not. */
  readonly isRefused?: boolean
}

/** `sequence` is the sender's number for one probe; an answer repeats it. */
export type Message =
  | { readonly type: 'ping'; readonly sequence: number; readonly rumors: readonly Rumor[] }
  | { readonly type: 'ack'; readonly sequence: number; readonly rumors: readonly Rumor[] }
  | {
      readonly type: 'ping-request'
      readonly sequence: number
      readonly target: NodeId
      readonly rumors: readonly Rumor[]
    }
  /** A helper's "I am here, but the target did not answer me": tells a dead target from a deaf asker (Lifeguard). */
  | { readonly type: 'nack'; readonly sequence: number; readonly rumors: readonly Rumor[] }
  | { readonly type: 'gossip'; readonly rumors: readonly Rumor[] }
  /**
   * Comparing views. `parts`: hashes of parts of the sender's view; `told`: of those whose members are in `rumors`.
   * Without `parts` it is the sender's whole view, and `wantsReply` asks for the receiver's.
   */
  | {
      readonly type: 'sync'
      readonly wantsReply: boolean
      readonly rumors: readonly Rumor[]
      readonly parts?: readonly Part[]
      readonly told?: readonly Part[]
    }

/** An estimate of the encoded size; field names are part of it. */
export function bytesOf({ member, by }: Rumor): number {
  let bytes = 80 + member.id.length + by.length
  for (const address of member.addresses) bytes += 2 + address.length
  for (const [key, text] of Object.entries(member.metadata)) bytes += 4 + key.length + text.length
  return bytes
}

const RUMORS_MAX = 20_000
/** Every part there is, with room for those to come. */
const PARTS_MAX = 1_024
const ADDRESSES_MAX = 32
const METADATA_ENTRIES_MAX = 64
const TEXT_LENGTH_MAX = 1_024
const ID_LENGTH_MAX = 128

/** Whether a decoded frame is a message of this protocol and within its limits. Anything else is dropped at the door. */
export function isMessage(value: unknown): value is Message {
  if (!isRecord(value) || !isRumors(value.rumors)) return false
  switch (value.type) {
    case 'ping':
    case 'ack':
    case 'nack':
      return isCount(value.sequence)
    case 'ping-request':
      return isCount(value.sequence) && isId(value.target)
    case 'gossip':
      return true
    case 'sync':
      return typeof value.wantsReply === 'boolean' && isPartsOrNone(value.parts) && isPartsOrNone(value.told)
    default:
      return false
  }
}

export function isRumor(value: unknown): value is Rumor {
  return (
    isRecord(value) &&
    isId(value.by) &&
    isMember(value.member) &&
    (value.isRefused === undefined || typeof value.isRefused === 'boolean')
  )
}

const isPartsOrNone = (value: unknown): boolean =>
  value === undefined || (Array.isArray(value) && value.length <= PARTS_MAX && value.every(isPart))

const isRumors = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= RUMORS_MAX && value.every(isRumor)

const isMember = (value: unknown): value is Member =>
  isRecord(value) &&
  isId(value.id) &&
  isCount(value.incarnation) &&
  value.incarnation < INCARNATION_MAX &&
  (value.state === 'alive' ||
    value.state === 'suspect' ||
    value.state === 'dead' ||
    value.state === 'left') &&
  Array.isArray(value.addresses) &&
  value.addresses.length <= ADDRESSES_MAX &&
  value.addresses.every(isText) &&
  isRecord(value.metadata) &&
  Object.keys(value.metadata).length <= METADATA_ENTRIES_MAX &&
  Object.entries(value.metadata).every(([key, text]) => isText(key) && isText(text))

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= TEXT_LENGTH_MAX

const isId = (value: unknown): value is NodeId =>
  typeof value === 'string' && value.length > 0 && value.length <= ID_LENGTH_MAX

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
