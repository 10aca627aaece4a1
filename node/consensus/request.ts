/** What an entry of the log carries: its encoding, the shape check, and who may ask for what from another node. */
import type { Actor, Command, CommandType, Request } from '../../scheduler/index.ts'
import { decode, encode } from '../codec.ts'
import type { PeerId } from './consensus.ts'

/** Who may send a command to the leader by wire: any member, the node it speaks of, or nobody but the leader itself. */
const SENDERS = {
  // A founder that comes back under another leader says it again, and is told that it was done.
  'cluster/Init': 'subject',
  'cluster/SetVoters': 'member',
  'cluster/SetZoneLoss': 'member',
  'token/Create': 'member',
  'token/Revoke': 'member',
  'node/Join': 'member',
  'node/Update': 'subject',
  'node/Verdict': 'leader',
  'node/Drain': 'member',
  'node/Activate': 'member',
  'node/Leave': 'member',
  'workload/Apply': 'member',
  'workload/Scale': 'member',
  'workload/Stop': 'member',
  'workload/Restart': 'member',
  'workload/Remove': 'member',
  'plan/Apply': 'leader',
  'pod/Report': 'subject',
  'audit/Note': 'subject',
} as const satisfies Record<CommandType, 'leader' | 'member' | 'subject'>

const REQUEST_ID_LENGTH_MAX = 128

export const encodeRequest = (request: Request): Uint8Array => encode(request)

/** Null for bytes that are no request: all nodes judge alike, so such an entry changes nothing anywhere. */
export const parseRequest = (data: Uint8Array): Request | null => {
  try {
    const value = decode(data)
    return isRequest(value) ? value : null
  } catch {
    return null
  }
}

/** Requests that were looked at before they entered the log: by the very bytes, which the log keeps as they are. */
const examined = new WeakMap<Uint8Array, Request>()

/** As `parseRequest`, for bytes that `takeRequest` is likely to be asked about: the leader reads what it is sent once. */
export const examineRequest = (data: Uint8Array): Request | null => {
  const request = parseRequest(data)
  if (request !== null) examined.set(data, request)
  return request
}

/** As `parseRequest`. What comes of it belongs to the caller: nobody is given the same object again. */
export const takeRequest = (data: Uint8Array): Request | null => {
  const request = examined.get(data)
  if (request === undefined) return parseRequest(data)
  examined.delete(data)
  return request
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Checks the frame, not each command's fields: those come from members of the cluster, and `apply` refuses nonsense. */
const isRequest = (value: unknown): value is Request => {
  if (!isRecord(value) || !isRecord(value.command)) return false
  const { requestId, command, afterIndex, by } = value
  if (typeof requestId !== 'string' || requestId === '' || requestId.length > REQUEST_ID_LENGTH_MAX)
    return false
  if (afterIndex !== undefined && !Number.isSafeInteger(afterIndex)) return false
  if (by !== undefined && !isActor(by)) return false
  return (
    typeof command.type === 'string' &&
    Object.hasOwn(SENDERS, command.type) &&
    typeof command.atMs === 'number' &&
    Number.isFinite(command.atMs)
  )
}

const isActor = (value: unknown): value is Actor =>
  isRecord(value) &&
  typeof value.who === 'string' &&
  typeof value.node === 'string' &&
  (value.from === null || typeof value.from === 'string')

/** Whether `from`, proven by its connection, may have this node, as leader, write the command. Nobody speaks for callers of another node. */
export const mayPropose = (from: PeerId, { command, by }: Pick<Request, 'command' | 'by'>): boolean => {
  if (by !== undefined && by.node !== from) return false
  if (command.type === 'node/Drain' && command.ailing !== undefined) return false
  switch (SENDERS[command.type]) {
    case 'leader':
      return false
    case 'member':
      return true
    case 'subject':
      return subjectOf(command) === from
  }
}

const subjectOf = (command: Command): string | null => {
  if (command.type === 'node/Update' || command.type === 'cluster/Init')
    return isRecord(command.node) ? command.node.id : null
  if (command.type === 'pod/Report' || command.type === 'audit/Note') return command.node
  return null
}

/** 128 bits of the injected dice, as hex: unique among all requests of a cluster. */
export const randomRequestId = (random: () => number): string =>
  Array.from({ length: 4 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('')
