// Whether bytes from a peer made a message that can be dealt with at all; checked once, before anything else looks.
import { isConfiguration } from './membership.ts'
import type { Message } from './message.ts'

type Fields = Readonly<Record<string, unknown>>
type Check = (value: unknown) => boolean

/** Terms and indexes beyond this are nonsense, and leave room to count on. */
const countMax = 2 ** 48

const isCount: Check = value =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= countMax
const isFlag: Check = value => typeof value === 'boolean'
const isBytes: Check = value => value instanceof Uint8Array
const isName: Check = value => typeof value === 'string' && value !== ''
const isNameOrNull: Check = value => value === null || isName(value)
const isNames: Check = value => Array.isArray(value) && value.every(isName)
const isCountOrAbsent: Check = value => value === undefined || isCount(value)
const isCountOrNull: Check = value => value === null || isCount(value)
const isTrueOrAbsent: Check = value => value === undefined || value === true
const isSnapshot: Check = value =>
  isObject(value) &&
  isCount(value.index) &&
  value.index !== 0 &&
  isCount(value.term) &&
  isConfiguration(value.configuration)

/** The fields of each message besides `type` and `term`. */
const shapes: Readonly<Record<Message['type'], Readonly<Record<string, Check>>>> = {
  preVote: { lastIndex: isCount, lastTerm: isCount },
  preVoteResult: { granted: isFlag },
  vote: { lastIndex: isCount, lastTerm: isCount, isTransfer: isFlag },
  voteResult: { granted: isFlag },
  append: {
    prevIndex: isCount,
    prevTerm: isCount,
    entries: Array.isArray,
    commit: isCount,
    isNews: isTrueOrAbsent,
  },
  appended: { match: isCount },
  appendRejected: { prevIndex: isCount, hintIndex: isCount, hintTerm: isCount },
  heartbeat: { commit: isCount, commitBeyond: isCountOrAbsent, round: isCount },
  heartbeatResult: { round: isCount, keepsLease: isTrueOrAbsent, isReluctant: isTrueOrAbsent },
  installSnapshot: { snapshot: isSnapshot, offset: isCount, data: isBytes, isLast: isFlag },
  snapshotProgress: { index: isCount, nextOffset: isCount },
  timeoutNow: {},
  readIndex: { id: isCount },
  readIndexResult: { id: isCount, index: isCountOrNull },
  assignUpstreams: { upstreams: isNames, reportTicks: isCount, patienceTicks: isCount },
  pull: { commit: isCount, round: isCount },
  pulled: {
    leader: isNameOrNull,
    round: isCount,
    age: isCount,
    commit: isCount,
    commitAge: isCountOrNull,
    prevIndex: isCount,
    prevTerm: isCount,
    entries: Array.isArray,
  },
  pullRefused: {},
  report: { match: isCount, upstream: isNameOrNull },
  newerTerm: {},
}

/** Whether a value from outside is a message; entries follow each other and are none of a later term. */
export const isMessage = (value: unknown): value is Message => {
  if (!isObject(value) || typeof value.type !== 'string' || !isCount(value.term)) return false
  if (!Object.hasOwn(shapes, value.type)) return false
  const shape = shapes[value.type as Message['type']]
  if (!Object.entries(shape).every(([field, check]) => check(value[field]))) return false
  return (value.type !== 'append' && value.type !== 'pulled') || areEntries(value)
}

const areEntries = ({ prevIndex, prevTerm, term, entries }: Fields): boolean => {
  let index = prevIndex as number
  let termBefore = prevTerm as number
  for (const entry of entries as unknown[]) {
    index += 1
    if (!isObject(entry) || entry.index !== index || !isCount(entry.term)) return false
    const entryTerm = entry.term as number
    if (entryTerm < termBefore || entryTerm > (term as number) || !hasContent(entry)) return false
    termBefore = entryTerm
  }
  return termBefore <= (term as number)
}

const hasContent = (entry: Fields): boolean => {
  switch (entry.type) {
    case 'normal':
      return isBytes(entry.data)
    case 'configuration':
      return isConfiguration(entry.configuration)
    default:
      return entry.type === 'noop'
  }
}

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null
